"""Names and addresses: none that people would take for another, or that no link can be made to."""

import pytest

from console.domain.addresses import proper_address
from console.domain.errors import MalformedIdentifier
from console.domain.names import alike, proper_name, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "Treasury",
        "Treasury 2",
        "O'Neil & Co. (cold)",
        "Gr\u00fc\u00dfe",
        "\u91d1\u5eab \u304b\u306d",
        "\u041a\u0430\u0437\u043d\u0430 1",
        "\u03a4\u03b1\u03bc\u03b5\u03af\u03bf",
        "2-of-3",
        "\U0001f512 vault",
    ],
)
def test_names_in_one_alphabet_are_proper(name: str) -> None:
    assert proper_name(name, "a name") == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Tr\u0435asury", "several alphabets"),
        ("\u0422reasury", "several alphabets"),
        ("\u03a4reasury", "several alphabets"),
        ("Treasury\u00a0A", "blanks"),
        ("Treasury  A", "blanks"),
        ("Treasury\u2003A", "blanks"),
        ("\u3164", "blanks"),
        ("Treasury\u3164", "blanks"),
        ("\u2800", "blanks"),
        ("Treasury\ufe0f", "blanks"),
        ("Treas\u034fury", "blanks"),
        ("\uff34reasury", "look like others"),
        ("\U0001d413reasury", "look like others"),
        ("Treasury\u00b2", "look like others"),
        ("--", "a letter or a digit"),
        ("\U0001f512", "a letter or a digit"),
        ("Treasury\u202e", "cannot be shown plainly"),
        ("", "1 to 64"),
        ("x" * 65, "1 to 64"),
    ],
)
def test_what_cannot_be_told_apart_is_no_name(name: str, why: str) -> None:
    with pytest.raises(MalformedIdentifier, match=why):
        proper_name(name, "a name")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Treasury", "TREASURY"),
        ("Treasury", "Treasu ry"),
        ("Coco", "\u0421\u043e\u0441\u043e"),
        ("AX", "\u0391\u03a7"),
        ("Vault 10", "Vault lO"),
        ("Vault I", "Vault l"),
        ("modern", "modem"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
    assert alike(one, ("Reserve", other)) == other


@pytest.mark.parametrize("other", ["Treasury 2", "Treasure", "Reserve", "Tr\u00e9asury"])
def test_other_names_are_told_apart(other: str) -> None:
    assert alike("Treasury", (other,)) == ""


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:7600", "node-1.example.org:1", "localhost:65535", "[2001:db8::1]:7600", "a:80"],
)
def test_an_address_is_host_and_port(text: str) -> None:
    assert proper_address(text, "the address") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "host",
        "host:",
        ":7600",
        "host:0",
        "host:65536",
        "host:-1",
        "host:7 600",
        "host:\u0661",
        " host:1",
        "host :1",
        "ho st:1",
        "host\u202e:1",
        "-host:1",
        "host-:1",
        "host..a:1",
        "2001:db8::1:7600",
        "[]:1",
        "[zz]:1",
        "a" * 64 + ":1",
        "h/path:1",
        "u@h:1",
        "a." * 127 + "a:1",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(MalformedIdentifier, match="host:port"):
        proper_address(text, "the address")
