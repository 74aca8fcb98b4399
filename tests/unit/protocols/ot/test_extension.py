from dataclasses import replace

import pytest

from console.protocols.ot import extension
from console.protocols.ot.extension import (
    ChoicesInconsistent,
    Choosing,
    Request,
    accept,
    both_pads,
    chosen_pads,
    request,
)
from console.protocols.ot.linear_hash import hash_rows, spread, xor
from console.protocols.ot.parameters import CHOICE, HASHED, KAPPA, ROW, XI
from console.protocols.ot.transpose import columns, repeated, transposed
from tests.adversary.erasure import remembered
from tests.adversary.network import stream
from tests.unit.protocols.ot.keys import bit, dealt_keys, flipped

BOTH, CHOSEN = dealt_keys()
DELTA = CHOSEN.choices.view()


def asked(session: bytes = b"s", seed: str = "r") -> tuple[Choosing, Request]:
    return request(BOTH, session, stream(seed))


def test_transpose_moves_every_bit_of_both_blocks() -> None:
    rows = [stream(f"row/{i}")(ROW) for i in range(KAPPA)]
    found = columns(transposed(int.from_bytes(b"".join(rows), "big")))
    assert len(found) == XI
    for j in range(XI):
        assert [bit(found[j], i) for i in range(KAPPA)] == [bit(row, j) for row in rows]


def test_a_repeated_column_changes_all_columns_and_nothing_else() -> None:
    block = stream("block")(KAPPA * ROW)
    column = stream("column")(KAPPA // 8)
    changed = xor(block, repeated(column).to_bytes(KAPPA * ROW, "big"))
    assert columns(changed) == [xor(c, column) for c in columns(block)]


def test_row_hash_is_linear_and_depends_on_its_key() -> None:
    a, b = stream("a")(ROW), stream("b")(ROW)
    key = bytes(32)

    def one(row: bytes) -> bytes:
        return hash_rows(key, memoryview(row))

    assert xor(one(a), one(b)) == one(xor(a, b))
    assert one(bytes(ROW)) == bytes(HASHED)
    assert len({one(flipped(a, i)) for i in range(8 * ROW)}) == 8 * ROW
    assert one(a) + one(b) == hash_rows(key, memoryview(a + b))
    assert one(a) != hash_rows(b"\x01" + bytes(31), memoryview(a))


def test_bits_spread_to_masks() -> None:
    for size in (HASHED, ROW):
        mask = spread(b"\xa0", size).to_bytes(8 * size, "big")
        assert mask == (b"\xff" * size + bytes(size)) * 2 + bytes(4 * size)


def test_the_receiver_gets_one_pad_of_each_transfer() -> None:
    choosing, message = asked()
    matrix = accept(CHOSEN, b"s", message)
    zeros, ones = both_pads(CHOSEN, b"s2", matrix)
    chosen = chosen_pads(choosing, b"s2")
    choices = [bit(choosing.choice.view(), j) for j in range(XI)]
    assert 150 < sum(choices) < 266
    for zero, one, pad in zip(zeros, ones, chosen, strict=True):
        assert pad == [(o if c else z) for z, o, c in zip(zero, one, choices, strict=True)]
        assert all(z != o for z, o in zip(zero, one, strict=True))
    assert chosen != chosen_pads(choosing, b"s3")


@pytest.mark.parametrize("field", ["correction", "hashed_choice", "hashed_rows"])
@pytest.mark.parametrize("at", [0, 77, 127])
def test_ote_check_one_bad_bit_is_caught(field: str, at: int) -> None:
    _, message = asked()
    with pytest.raises(ChoicesInconsistent):
        accept(CHOSEN, b"s", replace(message, **{field: flipped(getattr(message, field), at)}))


@pytest.mark.parametrize("where", [0, 415, 416, 511, 512, 639])
def test_ote_check_covers_every_column_of_a_row(where: int) -> None:
    _, message = asked()
    for row in (*range(8), KAPPA - 1):
        bad = replace(message, correction=flipped(message.correction, row * 8 * ROW + where))
        with pytest.raises(ChoicesInconsistent):
            accept(CHOSEN, b"s", bad)


def consistent_cheat(session: bytes, row: int, at: int = 3) -> Request:
    """Flip one choice in one row, and answer the challenge as if nothing had happened."""
    choosing, message = asked(session, f"cheat/{session.hex()}")
    return extension.prove(session, choosing, flipped(message.correction, row * 8 * ROW + at))


def test_ote_consistent_cheat_is_caught_exactly_when_it_would_learn_a_one() -> None:
    """This is why the first failure must destroy the state: each one tells a bit of it."""
    caught = 0
    for row in range(KAPPA):
        session = b"trial %d" % row
        try:
            accept(CHOSEN, session, consistent_cheat(session, row))
        except ChoicesInconsistent:
            caught += 1
            assert bit(DELTA, row) == 1
        else:
            assert bit(DELTA, row) == 0
    assert 90 < caught < 166


@pytest.mark.parametrize("case", ["session", "direction", "keys"])
def test_ote_request_of_elsewhere_is_refused(case: str) -> None:
    _, message = asked(b"another" if case == "session" else b"s")
    keys = dealt_keys("other")[1] if case in {"direction", "keys"} else CHOSEN
    with pytest.raises(ChoicesInconsistent):
        accept(keys, b"s", message)


def test_two_requests_share_nothing() -> None:
    (one, a), (two, b) = asked(), asked(b"s", "r2")
    assert one.choice.view()[:CHOICE] != two.choice.view()[:CHOICE]
    assert a.correction != b.correction
    one.wipe()
    assert one.choice.wiped
    assert one.rows.wiped


def test_a_refused_matrix_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    message = asked()[1]
    made = remembered(monkeypatch)
    with pytest.raises(ChoicesInconsistent):
        accept(CHOSEN, b"s", replace(message, hashed_choice=bytes(HASHED)))
    assert [secret.wiped for secret in made] == [True]
