"""Events as stored bytes: every type there and back, and every byte ever stored still read."""

import json
import re
from pathlib import Path

import pytest

from console.application.errors import LedgerCorrupted
from console.application.event_codec import decode_event, encode_event
from console.domain.events import EVENT_TYPES, Event
from tests.unit.application.event_samples import sample

GOLDEN = Path(__file__).parents[2] / "golden" / "events.jsonl"
STORED = [json.loads(line) for line in GOLDEN.read_text().splitlines()]


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.NAME)
def test_every_event_comes_back_as_it_was(kind: type[Event]) -> None:
    event = sample(kind)
    assert decode_event(*encode_event(event)) == event


@pytest.mark.parametrize("line", STORED, ids=lambda line: line["name"])
def test_stored_bytes_are_read_and_lose_nothing(line: dict[str, str]) -> None:
    event = decode_event(line["name"], line["stored"].encode())
    name, written = encode_event(event)
    assert name == line["name"]
    assert decode_event(name, written) == event
    require_all_of(json.loads(line["stored"]), json.loads(written))


def require_all_of(stored: object, written: object) -> None:
    """Demand that all that was stored is written the same; a field added since may join it."""
    if isinstance(stored, dict) and isinstance(written, dict):
        for field, value in stored.items():
            require_all_of(value, written[field])
    elif isinstance(stored, list) and isinstance(written, list) and len(stored) == len(written):
        for one, other in zip(stored, written, strict=True):
            require_all_of(one, other)
    else:
        assert stored == written


def test_every_event_is_in_the_golden_file() -> None:
    assert {kind.NAME for kind in EVENT_TYPES} <= {line["name"] for line in STORED}


def test_names_are_stable_words_with_a_version() -> None:
    names = [kind.NAME for kind in EVENT_TYPES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z-]+\.[a-z-]+\.v[1-9]", name) for name in names)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("member.enrolled.v1", b"{}"),
        ("member.enrolled.v1", b"[]"),
        ("member.enrolled.v1", b"not json"),
        ("member.vault-unlocked.v1", b'{"member":"ana","at_ms":"1","verified_to":2}'),
        ("member.vault-unlocked.v1", b'{"member":"ana","at_ms":1}'),
        ("member.vault-unlocked.v1", b'{"member":"\xff","at_ms":1,"verified_to":2}'),
        ("member.vault-unlocked.v1", b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
def test_what_is_no_event_is_a_broken_ledger(name: str, data: bytes) -> None:
    with pytest.raises(LedgerCorrupted):
        decode_event(name, data)
