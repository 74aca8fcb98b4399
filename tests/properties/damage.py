"""Bytes as accidents and adversaries change them."""

from hypothesis import strategies as st


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
