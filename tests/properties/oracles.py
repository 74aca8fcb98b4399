"""Checks of signatures that share nothing with ours: another library, and schoolbook formulas."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")

Affine = tuple[int, int] | None


def ed25519_accepts(key: bytes, message: bytes, signature: bytes) -> None:
    """Verify with OpenSSL. Raises: InvalidSignature of that library."""
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def ecdsa_accepts(key: bytes, digest: bytes, r: int, s: int) -> None:
    """Verify with OpenSSL. Raises: InvalidSignature of that library."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
    public.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))


def bip340_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify as BIP 340 says; the key is compressed, and only its x counts."""
    nonce, s = _lifted(b"\x02" + signature[:32]), int.from_bytes(signature[32:], "big")
    tag = hashlib.sha256(b"BIP0340/challenge").digest()
    e = hashlib.sha256(tag + tag + signature[:32] + key[1:] + message).digest()
    return _holds(nonce, _lifted(b"\x02" + key[1:]), int.from_bytes(e, "big"), s)


def rfc9591_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify a signature of FROST(secp256k1, SHA-256): RFC 9591, section 6.5 and appendix B."""
    nonce, s = signature[:33], int.from_bytes(signature[33:], "big")
    c = _hash_to_field(nonce + key + message, b"FROST-secp256k1-SHA256-v1chal")
    return _holds(_lifted(nonce), _lifted(key), c, s)


def _holds(nonce: Affine, key: Affine, challenge: int, s: int) -> bool:
    base = _lifted(
        bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    )
    return s < N and _times(s, base) == _plus(nonce, _times(challenge, key))


def _hash_to_field(message: bytes, dst: bytes) -> int:
    """One scalar from 48 bytes (RFC 9380, sections 5.2 and 5.3.1)."""
    suffix = dst + bytes((len(dst),))
    first = hashlib.sha256(bytes(64) + message + b"\x00\x30\x00" + suffix).digest()
    one = hashlib.sha256(first + b"\x01" + suffix).digest()
    mixed = bytes(a ^ b for a, b in zip(first, one, strict=True))
    two = hashlib.sha256(mixed + b"\x02" + suffix).digest()
    return int.from_bytes((one + two)[:48], "big") % N


def _lifted(encoded: bytes) -> Affine:
    x = int.from_bytes(encoded[1:], "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    return x, y if y % 2 == encoded[0] - 2 else P - y


def _plus(a: Affine, b: Affine) -> Affine:
    if a is None or b is None:
        return b if a is None else a
    (x1, y1), (x2, y2) = a, b
    if x1 == x2 and y1 != y2:
        return None
    slope = 3 * x1 * x1 * pow(2 * y1, -1, P) if x1 == x2 else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(k: int, point: Affine) -> Affine:
    total: Affine = None
    for bit in f"{k % N:b}":
        total = _plus(total, total)
        total = _plus(total, point) if bit == "1" else total
    return total
