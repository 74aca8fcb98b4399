"""Signatures in the form of scripts, verified under the key first."""

from coincurve import PublicKey, PublicKeyXOnly

from console.adapters.chains.bitcoin.sighash import HashType
from console.application.errors import TransactionError

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


def ecdsa_signature(signature: bytes, digest: bytes, key: bytes) -> bytes:
    """Return strict DER and SIGHASH_ALL from r, s and recovery id, 65 bytes (BIP 66, BIP 146).

    `key` has 33 bytes. Raises: TransactionError if it does not verify, or s is high.
    """
    if len(signature) != 65 or signature[64] > 3:
        raise TransactionError("an ECDSA signature has 65 bytes: r, s and the recovery id")
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    if not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise TransactionError("the signature's numbers are out of range, or s is the high one")
    der = _der(r, s)
    try:
        fits = PublicKey(key).verify(der, digest, hasher=None)
    except ValueError:
        fits = False
    if not fits:
        raise TransactionError("the signature is not of the key that the input asks for")
    return der + bytes([HashType.ALL])


def schnorr_signature(
    signature: bytes, digest: bytes, key: bytes, hash_type: HashType = HashType.DEFAULT
) -> bytes:
    """Return 64 bytes, or 65 unless the hash type is DEFAULT (BIP 341).

    `key` has 32 bytes. Raises: TransactionError if it does not verify.
    """
    if len(signature) != 64:
        raise TransactionError("a Schnorr signature has 64 bytes")
    try:
        fits = PublicKeyXOnly(key).verify(signature, digest)
    except ValueError:
        fits = False
    if not fits:
        raise TransactionError("the signature is not of the key that the input asks for")
    return signature if hash_type is HashType.DEFAULT else signature + bytes([hash_type])


def _der(r: int, s: int) -> bytes:
    body = _der_integer(r) + _der_integer(s)
    return bytes([0x30, len(body)]) + body


def _der_integer(value: int) -> bytes:
    # One more bit: the sign, which is never set.
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([0x02, len(content)]) + content
