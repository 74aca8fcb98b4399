"""Base oblivious transfers: endemic OT (Masny and Rindal, eprint 2019/706, figure 8).

The receiver holds a choice bit per transfer and gets one key of two; the sender gets both and
learns no bit. Points are hashed to by drawing candidates for x until one is on the curve, so
nobody knows a logarithm: were it a scalar times the generator, a receiver could compute both keys.
Inputs of that hash are public once they are sent, and the receiver hashes for both bits, so the
number of candidates it tries reveals nothing of its choices.

Deviations from the paper: keys are hashed from SHA-256 of the shared point, which is what
libsecp256k1 gives in constant time, together with the sender's point; batches of KAPPA transfers
refuse repeated points.
"""

from dataclasses import dataclass
from typing import Any

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Tag
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.ot.expansion import number, prefix
from console.protocols.ot.parameters import KAPPA, KEY

POINT = 33
POINTS = 2 * KAPPA * POINT
"""Bytes of either message: two points per transfer."""

_CONTEXT = GLOBAL_CONTEXT.ctx


class BadTransfer(Exception):
    """A peer's points are malformed, repeated, or make a key that everybody knows."""


@dataclass(frozen=True, slots=True)
class BothKeys:
    """The sender's keys: all for bit 0, then all for bit 1; KEY bytes each."""

    keys: SecretBytes

    def wipe(self) -> None:
        self.keys.wipe()


@dataclass(frozen=True, slots=True)
class ChosenKeys:
    """The receiver's choice bits, most significant first, and a key for each."""

    choices: SecretBytes
    keys: SecretBytes

    def wipe(self) -> None:
        self.choices.wipe()
        self.keys.wipe()


@dataclass(frozen=True, slots=True)
class Choice:
    """What the receiver keeps between its message and the answer."""

    session: bytes
    choices: SecretBytes
    scalars: SecretBytes
    points: bytes

    def wipe(self) -> None:
        self.choices.wipe()
        self.scalars.wipe()


def choose(session: bytes, random: Random) -> Choice:
    """Draw choice bits and hide them; send `points`. The session is new, and names both roles."""
    choices, scalars = SecretBytes(random(KAPPA // 8)), SecretBytes.zeros(KAPPA * KEY)
    hashing = prefix(Tag.OT_BASE_POINT, session)
    bits, kept = choices.view(), scalars.view()
    out: list[Point] = []
    for index in range(KAPPA):
        bit = bits[index // 8] >> (7 - index % 8) & 1
        a = SECP256K1.random_scalar(random)
        kept[KEY * index : KEY * (index + 1)] = a
        other = _random_point(random)
        ours = SECP256K1.subtract(SECP256K1.base(a), hash_to_point(hashing, index, bit, other))
        hash_to_point(hashing, index, 1 - bit, ours)
        out += (other, ours) if bit else (ours, other)
    return Choice(session, choices, scalars, b"".join(out))


def answer(session: bytes, points: bytes, random: Random) -> tuple[BothKeys, bytes]:
    """Make both keys of each transfer, and the points to send back. Raises: BadTransfer."""
    theirs = _parse(points)
    hashing, hashing_keys = prefix(Tag.OT_BASE_POINT, session), prefix(Tag.OT_BASE_KEY, session)
    pads: list[Point] = []
    for at, point in enumerate(theirs):
        pad = SECP256K1.add(point, hash_to_point(hashing, at // 2, at % 2, theirs[at ^ 1]))
        if pad == SECP256K1.identity:
            raise BadTransfer("a transfer has a key that everybody knows")
        pads.append(pad)
    keys = SecretBytes.zeros(2 * KAPPA * KEY)
    view = keys.view()
    out: list[Point] = []
    for at, pad in enumerate(pads):
        index, bit = divmod(at, 2)
        y = SECP256K1.random_scalar(random)
        ours = SECP256K1.base(y)
        pair = theirs[2 * index] + theirs[2 * index + 1]
        place = KEY * (bit * KAPPA + index)
        shared = agree(y, pad)
        view[place : place + KEY] = _key(hashing_keys, index, bit, pair, ours, shared)
        out.append(ours)
    return BothKeys(keys), b"".join(out)


def receive(choice: Choice, points: bytes) -> ChosenKeys:
    """Compute the chosen keys from the sender's points; wipes the scalars of `choice`.

    Raises: BadTransfer.
    """
    try:
        theirs = _parse(points)
        hashing = prefix(Tag.OT_BASE_KEY, choice.session)
        keys = SecretBytes.zeros(KAPPA * KEY)
        view, bits, scalars = keys.view(), choice.choices.view(), choice.scalars.view()
        for index in range(KAPPA):
            bit = bits[index // 8] >> (7 - index % 8) & 1
            place = slice(KEY * index, KEY * (index + 1))
            point = theirs[2 * index + bit]
            pair = choice.points[2 * POINT * index : 2 * POINT * (index + 1)]
            shared = agree(scalars[place], point)
            view[place] = _key(hashing, index, bit, pair, point, shared)
        return ChosenKeys(SecretBytes(bytes(bits)), keys)
    finally:
        choice.wipe()


def _parse(points: bytes) -> list[Point]:
    """Accept 2 * KAPPA distinct points: a repeated one would tie two transfers together."""
    if len(points) != POINTS:
        raise BadTransfer("the points are too few or too many")
    cut = [points[at : at + POINT] for at in range(0, POINTS, POINT)]
    if len(set(cut)) != len(cut):
        raise BadTransfer("a point is repeated")
    try:
        return [SECP256K1.parse_point(point) for point in cut]
    except BadEncoding:
        raise BadTransfer("a point is not valid") from None


def hash_to_point(hashing: Any, index: int, bit: int, other: Point) -> Point:
    """Hash to a point whose logarithm nobody knows, bound to the transfer, the bit and `other`."""
    attempt = 0
    while True:
        running = hashing.copy()
        running.update(number(index) + bytes((bit,)) + number(attempt) + other)
        found = _on_curve(running.digest(POINT))
        if found is not None:
            return found
        attempt += 1


def _random_point(random: Random) -> Point:
    while True:
        found = _on_curve(random(POINT))
        if found is not None:
            return found


def _on_curve(candidate: bytes) -> Point | None:
    """Read a parity and x; half of all x are on the curve, so the points found are uniform."""
    try:
        return SECP256K1.parse_point(bytes((2 | candidate[0] & 1,)) + candidate[1:])
    except BadEncoding:
        return None


def agree(secret: bytes | memoryview, point: Point) -> bytes:
    """Return SHA-256 of the compressed product, in time that does not depend on the scalar."""
    parsed, out = ffi.new("secp256k1_pubkey *"), ffi.new("unsigned char[32]")
    # The point has been parsed before, and the scalar is in range: neither call can fail.
    lib.secp256k1_ec_pubkey_parse(_CONTEXT, parsed, point, POINT)
    lib.secp256k1_ecdh(_CONTEXT, out, parsed, ffi.from_buffer(secret), ffi.NULL, ffi.NULL)
    return bytes(ffi.buffer(out))


def _key(hashing: Any, index: int, bit: int, pair: bytes, point: Point, shared: bytes) -> bytes:
    running = hashing.copy()
    running.update(number(index) + bytes((bit,)) + pair + point + shared)
    key: bytes = running.digest(KEY)
    return key
