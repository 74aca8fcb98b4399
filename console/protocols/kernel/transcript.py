"""Hashing with injective framing and one tag per purpose, so that no hash serves two meanings."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum, unique

Field = bytes | str | int | Sequence["Field"]
"""What may be hashed: sequences nest and carry their count."""


@unique
class Tag(StrEnum):
    """Every domain separation tag; a standard's own hash never uses one of these."""

    ECHO = "tsig/v1/session/echo"
    ENVELOPE = "tsig/v1/session/envelope"
    CONFIDENTIAL = "tsig/v1/session/confidential-evidence"
    CHANNEL_KEY = "tsig/v1/channel/key"
    CERTIFICATE = "tsig/v1/keygen/certificate"
    DKG_PARAMETERS = "tsig/v1/dkg/parameters"
    DKG_SESSION = "tsig/v1/dkg/session"
    DKG_COMMITMENT = "tsig/v1/dkg/commitment"
    DKG_DEALER_PROOF = "tsig/v1/dkg/dealer-proof"
    DKG_SHARE_PROOF = "tsig/v1/dkg/share-proof"
    DKG_CHAIN_CODE = "tsig/v1/dkg/chain-code"
    DKG_TRANSCRIPT = "tsig/v1/dkg/transcript"


def _length(size: int) -> bytes:
    return size.to_bytes(4, "big")


def _typed(kind: bytes, body: bytes) -> bytes:
    return kind + _length(len(body)) + body


def _field(value: Field) -> bytes:
    match value:
        case bytes():
            return _typed(b"b", value)
        case str():
            return _typed(b"s", value.encode())
        case bool():
            raise TypeError("a truth value is not hashed; name its two cases")
        case int():
            magnitude = abs(value).to_bytes((value.bit_length() + 7) // 8, "big")
            return _typed(b"i", (b"-" if value < 0 else b"+") + magnitude)
        case _:
            items = [_field(item) for item in value]
            return _typed(b"l", _length(len(items)) + b"".join(items))


def enc(tag: str, *values: Field) -> bytes:
    """Frame `values` injectively: tag, count, then type, length and body of each.

    Delimiters would let one list pass for another (the alpha-shuffle of TSSHOCK).
    """
    name = tag.encode()
    body = b"".join(_field(value) for value in values)
    return _length(len(name)) + name + _length(len(values)) + body


def XOF(tag: Tag, size: int, *values: Field) -> bytes:
    """Expand a framed input to `size` bytes with SHAKE256."""
    return hashlib.shake_256(enc(tag, *values)).digest(size)


def H(tag: Tag, *values: Field) -> bytes:
    """Hash a framed input to 32 bytes."""
    return XOF(tag, 32, *values)


def Hs(tag: Tag, order: int, *values: Field) -> int:
    """Hash a framed input to a scalar: 48 big-endian bytes modulo `order`, bias below 2**-128."""
    return int.from_bytes(XOF(tag, 48, *values), "big") % order
