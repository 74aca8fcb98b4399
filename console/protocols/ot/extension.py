"""Oblivious transfer extension with the check of each row (KOS, eprint 2015/546; docs/spec 3.4).

Roles turn around: the sender of the base transfers receives here. A receiver that sets different
choice bits in different rows would learn bits of the sender's secret from whether the check
passes: the sender must destroy its state after the first failure.

Deviations from the paper: the challenge is hashed from all that it judges (Fiat-Shamir), and each
row is checked by itself, with a linear hash made of GMAC, because the proof of the original check
of one sum has a gap (Roy, eprint 2022/192).
"""

import hmac
from dataclasses import dataclass
from typing import Annotated

from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.kernel.wire import Size
from console.protocols.ot.endemic import BothKeys, ChosenKeys
from console.protocols.ot.expansion import expand, number, prefix
from console.protocols.ot.linear_hash import hash_rows, spread
from console.protocols.ot.parameters import HASHED, KAPPA, KEY, ROW, WIDTH, XI
from console.protocols.ot.transpose import columns, repeated, transposed

MATRIX = KAPPA * ROW
_PAD = 32 * WIDTH
_NUMBERS = tuple(number(index) for index in range(XI))

Columns = tuple[list[int], list[int], list[int]]
"""WIDTH columns of XI integers below 2**256, not reduced."""


class ChoicesInconsistent(Exception):
    """A receiver's rows do not hold one and the same choice; its peer's state is now tainted."""


@dataclass(frozen=True, slots=True)
class Request:
    """The receiver's message: U, then xhat and that of the check."""

    correction: Annotated[bytes, Size(MATRIX)]
    hashed_choice: Annotated[bytes, Size(HASHED)]
    hashed_rows: Annotated[bytes, Size(KAPPA * HASHED)]


@dataclass(frozen=True, slots=True)
class Choosing:
    """The receiver's secrets: its row of choices, and T_0, KAPPA rows."""

    choice: SecretBytes
    rows: SecretBytes

    def wipe(self) -> None:
        self.choice.wipe()
        self.rows.wipe()


def request(keys: BothKeys, session: bytes, random: Random) -> tuple[Choosing, Request]:
    """Choose XI bits at random. `session` has never been used with these keys."""
    view = keys.keys.view()
    zeros = _rows(session, view[: KAPPA * KEY])
    ones = _rows(session, view[KAPPA * KEY :])
    choosing = Choosing(SecretBytes(random(ROW)), SecretBytes(zeros))
    mixed = _number(zeros) ^ _number(ones) ^ _number(bytes(choosing.choice.view()) * KAPPA)
    return choosing, prove(session, choosing, mixed.to_bytes(MATRIX, "big"))


def prove(session: bytes, choosing: Choosing, correction: bytes) -> Request:
    """Answer the challenge that the correction itself determines."""
    challenge = _challenge(session, correction)
    return Request(
        correction,
        hash_rows(challenge, choosing.choice.view()),
        hash_rows(challenge, choosing.rows.view()),
    )


def accept(keys: ChosenKeys, session: bytes, asked: Request) -> SecretBytes:
    """Check every row, and return the sender's matrix Q.

    Raises: ChoicesInconsistent; the keys must then be destroyed before anything else is sent.
    """
    delta = bytes(keys.choices.view())
    rows = _number(_rows(session, keys.keys.view()))
    rows ^= spread(delta, ROW) & _number(asked.correction)
    matrix = SecretBytes(bytearray(rows.to_bytes(MATRIX, "big")))
    hashed = hash_rows(_challenge(session, asked.correction), matrix.view())
    shifts = spread(delta, HASHED) & _number(asked.hashed_choice * KAPPA)
    expected = _number(asked.hashed_rows) ^ shifts
    if not hmac.compare_digest(hashed, expected.to_bytes(KAPPA * HASHED, "big")):
        matrix.wipe()
        raise ChoicesInconsistent("the rows do not agree on the choices")
    return matrix


def both_pads(keys: ChosenKeys, session: bytes, matrix: SecretBytes) -> tuple[Columns, Columns]:
    """Return the sender's pads for choice 0 and for choice 1.

    `session` is fresh on both sides: the same pads with two inputs would give their difference.
    """
    zeros = transposed(_number(matrix.view()))
    ones = _number(zeros) ^ repeated(bytes(keys.choices.view()))
    return _pads(session, zeros), _pads(session, ones.to_bytes(MATRIX, "big"))


def chosen_pads(choosing: Choosing, session: bytes) -> Columns:
    """Return the receiver's pads: in each transfer, the one of its choice."""
    return _pads(session, transposed(_number(choosing.rows.view())))


def _rows(session: bytes, keys: memoryview) -> bytes:
    """Expand each key to a row."""
    copy = prefix(Tag.OT_EXTENSION_ROW, session).copy
    out: list[bytes] = []
    for index, at in zip(_NUMBERS, range(0, KAPPA * KEY, KEY), strict=False):
        running = copy()
        running.update(index)
        running.update(keys[at : at + KEY])
        out.append(running.digest(ROW))
    return b"".join(out)


def _pads(session: bytes, block: bytes) -> Columns:
    inputs = [index + row for index, row in zip(_NUMBERS, columns(block), strict=True)]
    pads = expand(prefix(Tag.OT_EXTENSION_PAD, session), inputs, _PAD)
    read = int.from_bytes
    return (
        [read(pad[:32], "big") for pad in pads],
        [read(pad[32:64], "big") for pad in pads],
        [read(pad[64:], "big") for pad in pads],
    )


def _number(data: bytes | memoryview) -> int:
    return int.from_bytes(data, "big")


def _challenge(session: bytes, correction: bytes) -> bytes:
    return H(Tag.OT_EXTENSION_CHALLENGE, session, correction)
