"""Entry lines: what an operator pastes is read strictly, and stands for one code."""

import json

import pytest

from console.application.peers.machines import MAX_ENTRY_CHARACTERS, read_entry
from console.domain.errors import DomainError

ENTRY = {
    "member": "ben",
    "name": "Ben Okafor",
    "address": "192.0.2.7:7600",
    "identity_key": "04" + "ab" * 64,
    "certificate": "-----BEGIN CERTIFICATE-----",
}


def line(**changes: object) -> str:
    return json.dumps(ENTRY | changes)


def test_an_entry_is_read_with_space_around_it() -> None:
    machine = read_entry(f"  {line()}\n")
    assert (machine.member, machine.name) == ("ben", "Ben Okafor")
    assert machine.identity_key == b"\x04" + b"\xab" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ben",
        "[]",
        "{}",
        line(member="Ben"),
        line(member=""),
        line(name=""),
        line(name="x" * 65),
        line(name="Ben\u202e"),
        line(address="a"),
        line(address="host\u200b:1"),
        line(identity_key="02" + "ab" * 64),
        line(identity_key="04" + "AB" * 64),
        line(identity_key="04" + "ab" * 63),
        line(certificate=""),
        line(certificate="\u00e9"),
        line(more="1"),
        line()[:-1],
        "[" * 10_000,
        line(certificate="x" * MAX_ENTRY_CHARACTERS),
    ],
)
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(DomainError):
        read_entry(text)


@pytest.mark.parametrize("field", list(ENTRY))
def test_the_code_stands_for_every_field(field: str) -> None:
    changed = {
        "member": "eve",
        "name": "Eve",
        "address": "192.0.2.8:7600",
        "identity_key": "04" + "cd" * 64,
        "certificate": "-----BEGIN CERTIFICATE----- ",
    }
    other = read_entry(line(**{field: changed[field]}))
    assert other.digest != read_entry(line()).digest
    assert other.code != read_entry(line()).code
