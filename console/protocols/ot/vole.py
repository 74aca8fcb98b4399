"""Random vector OLE from extended transfers: two products shared between two parties.

The receiver gets a random b and d_1, d_2; the sender puts in a_1, a_2 and gets c_1, c_2 with
c_i + d_i = a_i * b (DKLs23, eprint 2023/765, protocol 5.2 after DKLs19; docs/spec 3.5).

Deviations from the paper: the gadget is drawn once for each direction of a pair and kept, and
the receiver's b is not encoded on top of it, as both inputs are random anyway.

Pads, choice bits, the inputs while they are added to pads, and sums over the gadget are Python
integers, whose arithmetic takes time that depends on them: XI calls of the C backend take eight
times as long as a sum does here. None of these secrets serves twice, so that a measurement cannot
be repeated: pads and bits are fresh, and so are the inputs of DKLs23, r_i and sk_i, the latter a
share blinded for this session. But a few bits of r_i in each of many signatures are enough for
other signers to find the key. To get at them, the time of a step has to be measured on the
machine that computes it: a column takes 0.1 ms.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Annotated

from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import XOF, H, Tag
from console.protocols.kernel.wire import Size
from console.protocols.math.group import Scalar
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import extension
from console.protocols.ot.endemic import ChosenKeys
from console.protocols.ot.extension import Choosing
from console.protocols.ot.parameters import CHOICE, WIDTH, XI

_COLUMN = 32 * XI
_MULTIPLE = N << 15
_BITS = tuple(tuple(byte >> shift & 1 for shift in range(7, -1, -1)) for byte in range(256))

Gadget = tuple[int, ...]
"""XI public scalars; the receiver's b is the sum of those that its bits select."""


class BadReply(Exception):
    """A sender's scalars are not in range: anybody can see that they are malformed."""


class InputsInconsistent(Exception):
    """A sender's rows do not hold one and the same input; the receiver's bits are now tainted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The sender's message: atilde, column by column, then eta and mu."""

    corrections: Annotated[bytes, Size(WIDTH * _COLUMN)]
    combined: Annotated[bytes, Size(32)]
    digest: Annotated[bytes, Size(32)]


@lru_cache(maxsize=128)
def gadget(seed: bytes, receiver: int, sender: int) -> Gadget:
    """Expand the public gadget of one direction of a pair; cached."""
    drawn = XOF(Tag.VOLE_GADGET, 48 * XI, seed, receiver, sender)
    return tuple(int.from_bytes(drawn[at : at + 48], "big") % N for at in range(0, 48 * XI, 48))


def share_of(choosing: Choosing, weights: Gadget) -> Scalar:
    """Return the receiver's b: the sum of the gadget where its bits are set."""
    total: int = sum(map(mul, _bits(choosing), weights))
    return SECP256K1.scalar(total)


def reply(
    keys: ChosenKeys,
    weights: Gadget,
    session: bytes,
    matrix: SecretBytes,
    inputs: tuple[Scalar, Scalar],
    random: Random,
) -> tuple[Reply, Scalar, Scalar]:
    """Multiply a_1 and a_2 by the receiver's b: return the message, c_1 and c_2. Wipes `matrix`.

    `session` holds the freshness of both sides and the request.
    """
    group = SECP256K1
    a1, a2 = inputs
    a3 = group.random_scalar(random)
    with matrix:
        zeros, ones = extension.both_pads(keys, session, matrix)
    corrections = b"".join(
        encoded([zero - one + shifted for zero, one in zip(z, o, strict=True)])
        for z, o, shifted in zip(zeros, ones, map(shifted_input, (a1, a2, a3)), strict=True)
    )
    theta1, theta2 = thetas(session, corrections)
    combined = [v3 + theta1 * v1 + theta2 * v2 for v1, v2, v3 in zip(*zeros, strict=True)]
    message = Reply(
        corrections,
        group.sum_scalars(
            (
                a3,
                group.multiply_scalars(a1, group.scalar(theta1)),
                group.multiply_scalars(a2, group.scalar(theta2)),
            )
        ),
        H(Tag.VOLE_MU, session, encoded(combined)),
    )
    c1, c2 = (group.scalar(-sum(map(mul, weights, column))) for column in zeros[:2])
    return message, c1, c2


def finish(
    choosing: Choosing, weights: Gadget, session: bytes, received: Reply
) -> tuple[Scalar, Scalar]:
    """Check that the sender put the same inputs into all rows, and return d_1 and d_2.

    Raises: BadReply before anything secret is used; InputsInconsistent: the keys must then be
    destroyed before anything else is sent.
    """
    eta = int.from_bytes(received.combined, "big")
    corrections = [
        _decoded(received.corrections[at : at + _COLUMN])
        for at in range(0, WIDTH * _COLUMN, _COLUMN)
    ]
    if eta >= N or max(map(max, corrections)) >= N:
        raise BadReply("a scalar is not below the order")
    bits = _bits(choosing)
    pads = extension.chosen_pads(choosing, session)
    d1, d2, d3 = (
        [v + bit * a for v, bit, a in zip(pad, bits, column, strict=True)]
        for pad, column in zip(pads, corrections, strict=True)
    )
    theta1, theta2 = thetas(session, received.corrections)
    combined = [
        x3 + theta1 * x1 + theta2 * x2 - bit * eta
        for x1, x2, x3, bit in zip(d1, d2, d3, bits, strict=True)
    ]
    expected = H(Tag.VOLE_MU, session, encoded(combined))
    if not hmac.compare_digest(expected, received.digest):
        raise InputsInconsistent("the rows do not agree on the inputs")
    first, second = (SECP256K1.scalar(sum(map(mul, weights, d))) for d in (d1, d2))
    return first, second


def shifted_input(a: Scalar) -> int:
    """Read an input, moved by a multiple of the order.

    A correction is then reduced from the same number of digits whatever the input is; without
    it, the time that a column takes would reveal the input's first bits.
    """
    return int.from_bytes(a, "big") + _MULTIPLE


def _bits(choosing: Choosing) -> list[int]:
    return [bit for byte in choosing.choice.view()[:CHOICE] for bit in _BITS[byte]]


def thetas(session: bytes, corrections: bytes) -> tuple[int, int]:
    """Return the two weights of the check, drawn from all corrections."""
    drawn = XOF(Tag.VOLE_THETA, 96, session, corrections)
    return int.from_bytes(drawn[:48], "big") % N, int.from_bytes(drawn[48:], "big") % N


def encoded(values: Iterable[int]) -> bytes:
    """Return the values modulo the order, 32 bytes each."""
    return b"".join([(value % N).to_bytes(32, "big") for value in values])


def _decoded(column: bytes) -> list[int]:
    return [int.from_bytes(column[at : at + 32], "big") for at in range(0, _COLUMN, 32)]
