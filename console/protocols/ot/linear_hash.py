"""A linear universal hash of rows of bits, made of GMAC.

With the message as associated data, GMAC is the polynomial hash GHASH plus a constant of the key
(NIST SP 800-38D); taking the hash of the zero row away leaves the part that is linear over GF(2).
Two rows collide with a chance of at most 6 / 2**128. This takes the place of the sum of products
in a binary field that the paper checks (KOS, eprint 2015/546).
"""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.protocols.ot.parameters import HASHED, ROW

_NONCE = bytes(12)
_ZERO = bytes(ROW)


def hash_rows(key: bytes, rows: memoryview) -> bytes:
    """Hash each row of ROW bytes to HASHED bytes; a key of 32 bytes serves one matrix only."""
    mac = AESGCM(key).encrypt
    hashed = b"".join([mac(_NONCE, b"", rows[at : at + ROW]) for at in range(0, len(rows), ROW)])
    constant = mac(_NONCE, b"", _ZERO) * (len(rows) // ROW)
    return xor(hashed, constant)


def xor(a: bytes, b: bytes) -> bytes:
    """Add two strings of equal length over GF(2)."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def spread(bits: bytes, size: int) -> int:
    """Widen each bit to `size` bytes of zeros or ones: a mask, without a branch on the bit."""
    return int.from_bytes(
        b"".join([_WIDE[size][byte >> shift & 1] for byte in bits for shift in _SHIFTS]), "big"
    )


_SHIFTS = (7, 6, 5, 4, 3, 2, 1, 0)
_WIDE = {size: (bytes(size), b"\xff" * size) for size in (HASHED, ROW)}
