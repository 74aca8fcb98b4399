"""Bytes as accidents and adversaries change them."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st

from console.application.errors import UnknownTransaction
from console.domain.transaction import TransactionDescription

Describe = Callable[[bytes], TransactionDescription]


def flipped(data: bytes, choice: st.DataObject) -> tuple[bytes, int]:
    """Return the bytes with one bit flipped, and which byte that was in."""
    place = choice.draw(st.integers(0, len(data) * 8 - 1))
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed), place // 8


def mutated(data: bytes, choice: st.DataObject) -> bytes:
    """Return the bytes after a few changes, losses and additions."""
    changed = bytearray(data)
    for _ in range(choice.draw(st.integers(1, 6))):
        place = choice.draw(st.integers(0, max(len(changed) - 1, 0)))
        match choice.draw(st.integers(0, 2)):
            case 0:
                changed[place : place + 1] = choice.draw(st.binary(min_size=1, max_size=1))
            case 1:
                del changed[place : place + choice.draw(st.integers(1, 8))]
            case _:
                changed[place:place] = choice.draw(st.binary(min_size=1, max_size=8))
    return bytes(changed)


def told_of_flipped(
    described: Describe, data: bytes, choice: st.DataObject
) -> tuple[TransactionDescription, TransactionDescription, int] | None:
    """Return what is told before and after one bit was flipped, and which byte that was in.

    The hash over everything differs; None if the changed bytes are refused.
    """
    changed, place = flipped(data, choice)
    before = described(data)
    try:
        after = described(changed)
    except UnknownTransaction:
        return None
    assert after.digest != before.digest
    return before, after, place


def assert_flip_is_seen(
    described: Describe,
    readable: Callable[[TransactionDescription], object],
    data: bytes,
    choice: st.DataObject,
) -> None:
    """Flip one bit: the bytes are refused, or what people can read of them differs."""
    told = told_of_flipped(described, data, choice)
    if told:
        before, after, _ = told
        assert readable(after) != readable(before)


def only_refused(*readings: Callable[[], object]) -> None:
    """Read bytes in each way, or refuse them with the one exception that there is for it."""
    for read in readings:
        with suppress(UnknownTransaction):
            assert read()
