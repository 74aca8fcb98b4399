"""Nonces of BIP 445: how they are drawn, and how commitments are aggregated. Library only."""

from collections.abc import Sequence

from console.protocols.frost.nonces import Commitment, SigningNonces
from console.protocols.frost.signing import PackageMismatch
from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.math.tagged_hash import tagged_hash


def generate_nonces(
    randomness: bytes,
    *,
    secret: SecretBytes | None = None,
    public_share: bytes = b"",
    key: bytes = b"",
    message: bytes | None = None,
    extra: bytes = b"",
) -> SigningNonces:
    """Draw a nonce pair from 32 fresh random bytes (BIP 445, NonceGen).

    All else only guards against a weak random source: our share and its point, the x of the key
    that will sign, the message, and anything else that is at hand.
    """
    if len(randomness) != 32 or len(public_share) not in {0, 33} or len(key) not in {0, 32}:
        raise ValueError("32 random bytes, a compressed public share and an x-only key are needed")
    rand = randomness if secret is None else masked(secret, randomness)
    framed = b"\x00" if message is None else b"\x01" + _sized(message, 8)
    data = rand + _sized(public_share, 1) + _sized(key, 1) + framed + _sized(extra, 4)
    return _pair("BIP0445/nonce", data)


def deterministic_nonces(
    randomness: bytes | None,
    *,
    secret: SecretBytes,
    index: int,
    signers: Sequence[int],
    others: bytes,
    key: bytes,
    message: bytes,
) -> SigningNonces:
    """Derive a nonce pair from everything that is signed (BIP 445, DeterministicSign).

    Sound only because the aggregate of all other nonces, `others`, is fixed before; 32 bytes of
    `randomness`, if there are any, make faults and side channels harder to exploit.
    """
    rand = bytes(secret.view()) if randomness is None else masked(secret, randomness)
    ids = serialized_ids(signers)
    counted = identifier(index) + len(signers).to_bytes(4, "big") + ids
    data = rand + counted + others + key + _sized(message, 8)
    return _pair("BIP0445/deterministic/nonce", data)


def aggregate_nonces(commitments: Sequence[tuple[int, Commitment]]) -> bytes:
    """Add up the signers' commitments (BIP 445, NonceAgg): 66 bytes, zeros for the identity.

    Raises: PackageMismatch naming all signers whose commitment is not a pair of points.
    """
    hiding: list[Point] = []
    binding: list[Point] = []
    bad = set()
    for index, commitment in commitments:
        try:
            hiding.append(SECP256K1.parse_point(commitment.hiding))
            binding.append(SECP256K1.parse_point(commitment.binding))
        except BadEncoding:
            bad.add(index)
    if bad:
        raise PackageMismatch("a commitment is not a valid point", frozenset(bad))
    return SECP256K1.sum(hiding) + SECP256K1.sum(binding)


def identifier(index: int) -> bytes:
    """Encode a party as BIP 445 does, which counts from 0 where we count from 1."""
    return (index - 1).to_bytes(4, "big")


def serialized_ids(signers: Sequence[int]) -> bytes:
    """Encode signers as a set: sorted, 4 bytes each."""
    return b"".join(identifier(index) for index in sorted(signers))


def masked(secret: SecretBytes, randomness: bytes) -> bytes:
    """XOR our share with a hash of randomness, so that neither alone fixes the nonce."""
    mask = tagged_hash("BIP0445/aux", randomness)
    return bytes(a ^ b for a, b in zip(secret.view(), mask, strict=True))


def _pair(tag: str, data: bytes) -> SigningNonces:
    k_1, k_2 = (_wrapped(tagged_hash(tag, data + bytes((number,)))) for number in (0, 1))
    commitment = Commitment(SECP256K1.base(k_1), SECP256K1.base(k_2))
    return SigningNonces(SecretBytes(k_1), SecretBytes(k_2), commitment)


def _wrapped(digest: bytes) -> Scalar:
    return SECP256K1.reduce(bytes(16) + digest)


def _sized(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data
