"""ECDSA signatures of secp256k1: their one canonical form, and verification by libsecp256k1."""

from dataclasses import dataclass

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1, N

_CONTEXT = GLOBAL_CONTEXT.ctx


class InvalidSignature(Exception):
    """A signature does not verify, or is not in its one canonical form."""


@dataclass(frozen=True, slots=True)
class EcdsaSignature:
    """r and s with s at most half the order, and which of up to four points has this r.

    `recovery_id` is the parity of y(R), plus 2 if x(R) was not below the order.
    """

    r: int
    s: int
    recovery_id: int

    @property
    def compact(self) -> bytes:
        """Return r and s, 32 bytes each, big-endian."""
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big")


def parse_digest(digest: bytes) -> int:
    """Read a digest of 32 bytes as a scalar (SEC 1, section 4.1.3). Raises: ValueError."""
    if len(digest) != 32:
        raise ValueError("a digest has 32 bytes")
    return int.from_bytes(digest, "big") % N


def nonce_coordinate(R: Point) -> int:
    """Return r: x(R) modulo the order."""
    return int.from_bytes(SECP256K1.x_only(R), "big") % N


def normalise(R: Point, s: int) -> EcdsaSignature:
    """Choose the lower of s and its negative, and its recovery id (docs/spec 7.3).

    Raises: InvalidSignature if r or s is zero.
    """
    x = int.from_bytes(SECP256K1.x_only(R), "big")
    r = x % N
    if r == 0 or s % N == 0:
        raise InvalidSignature("r or s is zero")
    recovery_id = (0 if SECP256K1.has_even_y(R) else 1) | (2 if x >= N else 0)
    s %= N
    if s > N // 2:
        return EcdsaSignature(r, N - s, recovery_id ^ 1)
    return EcdsaSignature(r, s, recovery_id)


def verify(public_key: bytes, digest: bytes, signature: EcdsaSignature) -> None:
    """Verify under a compressed key of 33 bytes, the recovery id included.

    Raises: InvalidSignature, also for a high s, a number out of range, or a key off the curve.
    """
    in_range = 0 < signature.r < N and 0 < signature.s <= N // 2
    if len(digest) != 32 or not in_range or not 0 <= signature.recovery_id <= 3:
        raise InvalidSignature("the signature is not canonical")
    try:
        key = SECP256K1.parse_point(public_key)
    except BadEncoding:
        raise InvalidSignature("the key is not a point") from None
    parsed = ffi.new("secp256k1_pubkey *")
    lib.secp256k1_ec_pubkey_parse(_CONTEXT, parsed, key, len(key))
    plain = ffi.new("secp256k1_ecdsa_signature *")
    lib.secp256k1_ecdsa_signature_parse_compact(_CONTEXT, plain, signature.compact)
    if not lib.secp256k1_ecdsa_verify(_CONTEXT, plain, digest, parsed):
        raise InvalidSignature("the signature does not verify")
    if _recover(digest, signature) != key:
        raise InvalidSignature("the recovery id leads to another key")


def _recover(digest: bytes, signature: EcdsaSignature) -> Point | None:
    full = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    found, out = ffi.new("secp256k1_pubkey *"), ffi.new("unsigned char[33]")
    parse = lib.secp256k1_ecdsa_recoverable_signature_parse_compact
    parse(_CONTEXT, full, signature.compact, signature.recovery_id)
    if not lib.secp256k1_ecdsa_recover(_CONTEXT, found, full, digest):
        return None
    size = ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(_CONTEXT, out, size, found, lib.SECP256K1_EC_COMPRESSED)
    return Point(bytes(ffi.buffer(out)))
