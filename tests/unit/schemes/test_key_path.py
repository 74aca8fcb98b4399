"""Key paths: one form, unhardened steps, and children that are wiped after use."""

import pytest

from console.adapters.schemes.key_path import (
    MAX_TEXT,
    KeyPath,
    child_key,
    child_share,
    parse_key_path,
)
from console.application.ports.threshold import KeyPathRefused
from console.protocols.derivation import bip32, derive, tap_tweak
from console.protocols.derivation.context import DegenerateTweak
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt

SHARE = dealt(2, 3, "path", SECP256K1)[2]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("m", ()),
        ("m/0/5", (0, 5)),
        ("m/44/2147483647", (44, 2**31 - 1)),
        ("m" + "/0" * 127, (0,) * 127),
    ],
)
def test_paths_are_read(text: str, steps: tuple[int, ...]) -> None:
    assert parse_key_path(text) == KeyPath(steps)
    if len(text) < MAX_TEXT - 4:
        assert parse_key_path(f"tr({text})", taproot=True) == KeyPath(steps, taproot=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0/5",
        "M/0",
        "m/",
        "m//5",
        "m/0/",
        "/m/0",
        "m/05",
        "m/-1",
        "m/+1",
        "m/1 ",
        "m/0\n",
        " m",
        "m/x",
        "m/0x10",
        "m/1_0",
        "m/\u0661",
        "m/0'",
        "m/0h",
        "m/0H",
        "m/2147483648",
        "m/99999999999999999999",
        "m" + "/0" * 128,
        "m/" + "9" * 300,
        "tr",
        "tr()",
        "tr(m",
        "m)",
        "tr(m))",
        "tr((m))",
        "tr(tr(m))",
        "tr(m/0')",
        "TR(m)",
        "wpkh(m)",
        "tr(m,pk(m))",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    for taproot in (False, True):
        with pytest.raises(KeyPathRefused):
            parse_key_path(text, taproot=taproot)


def test_output_keys_are_for_kinds_that_have_them() -> None:
    with pytest.raises(KeyPathRefused, match="Taproot"):
        parse_key_path("tr(m/0/5)")


@pytest.mark.parametrize("path", [KeyPath(()), KeyPath((0, 5)), KeyPath((7,), taproot=True)])
def test_shares_and_keys_of_a_path_belong_together(path: KeyPath) -> None:
    with child_share(SHARE, path) as child:
        child.check()
        assert child.public.group_key == child_key(SHARE.public, path).Q
        expected = derive(SHARE, path.steps)
        assert child == (tap_tweak(expected, None) if path.taproot else expected)
    assert child.secret.wiped
    assert not SHARE.secret.wiped


@pytest.mark.parametrize("path", [KeyPath((0, 5)), KeyPath((0, 5), taproot=True)])
def test_no_child_outlives_its_use(monkeypatch: pytest.MonkeyPatch, path: KeyPath) -> None:
    made = remembered(monkeypatch)
    with pytest.raises(LookupError), child_share(SHARE, path):
        raise LookupError
    assert len(made) == 1 + path.taproot
    assert all(secret.wiped for secret in made)


def test_a_path_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chance of it is below 2**-127."""

    def none(_parent: object, _chain_code: object, _index: object) -> None:
        raise DegenerateTweak("the tweak is not below the order")

    monkeypatch.setattr(bip32, "child", none)
    monkeypatch.setattr("console.protocols.derivation.share.CHILDREN", {SECP256K1.name: none})
    with pytest.raises(KeyPathRefused):
        child_key(SHARE.public, KeyPath((0,)))
    with pytest.raises(KeyPathRefused), child_share(SHARE, KeyPath((0,))):
        pass
