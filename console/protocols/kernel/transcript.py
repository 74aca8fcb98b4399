"""Hashing with injective framing and one tag per purpose, so that no hash serves two meanings."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum, unique
from functools import lru_cache

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
    REFRESH_PARAMETERS = "tsig/v1/refresh/parameters"
    RESHARE_PARAMETERS = "tsig/v1/reshare/parameters"
    REDEAL_SESSION = "tsig/v1/redeal/session"
    REDEAL_COMMITMENT = "tsig/v1/redeal/commitment"
    REDEAL_DEALER_PROOF = "tsig/v1/redeal/dealer-proof"
    REDEAL_SHARE_PROOF = "tsig/v1/redeal/share-proof"
    REDEAL_TRANSCRIPT = "tsig/v1/redeal/transcript"
    REPAIR_PARAMETERS = "tsig/v1/repair/parameters"
    REPAIR_SHARE_PROOF = "tsig/v1/repair/share-proof"
    REPAIR_TRANSCRIPT = "tsig/v1/repair/transcript"
    ED25519_CHILD = "tsig/v1/derivation/edwards-child"
    OT_BASE_POINT = "tsig/v1/ot/base-point"
    OT_BASE_KEY = "tsig/v1/ot/base-key"
    OT_EXTENSION_ROW = "tsig/v1/ot/extension-row"
    OT_EXTENSION_CHALLENGE = "tsig/v1/ot/extension-challenge"
    OT_EXTENSION_PAD = "tsig/v1/ot/extension-pad"
    VOLE_GADGET = "tsig/v1/vole/gadget"
    VOLE_THETA = "tsig/v1/vole/theta"
    VOLE_MU = "tsig/v1/vole/mu"
    DKLS_SETUP_TERMS = "tsig/v1/dkls23/setup-terms"
    DKLS_SETUP = "tsig/v1/dkls23/setup"
    DKLS_SETUP_PAIR = "tsig/v1/dkls23/setup-pair"
    DKLS_SETUP_PROMISE = "tsig/v1/dkls23/setup-promise"
    DKLS_SETUP_CONFIRMATION = "tsig/v1/dkls23/setup-confirmation"
    DKLS_ZERO_SEED = "tsig/v1/dkls23/zero-seed"
    DKLS_GADGET_ID = "tsig/v1/dkls23/gadget-id"
    DKLS_TERMS = "tsig/v1/dkls23/terms"
    DKLS_SESSION = "tsig/v1/dkls23/session"
    DKLS_COMMITMENT = "tsig/v1/dkls23/commitment"
    DKLS_COMMITMENTS = "tsig/v1/dkls23/commitments"
    DKLS_VOLE = "tsig/v1/dkls23/vole"
    DKLS_VOLE_REPLY = "tsig/v1/dkls23/vole-reply"
    DKLS_ZERO_SHARE = "tsig/v1/dkls23/zero-share"
    DKLS_GROUP_NONCE = "tsig/v1/dkls23/group-nonce"


def _length(size: int) -> bytes:
    return size.to_bytes(4, "big")


def _field(value: Field) -> bytes:
    match value:
        case bytes():
            return b"b" + len(value).to_bytes(4, "big") + value
        case str():
            body = value.encode()
            return b"s" + len(body).to_bytes(4, "big") + body
        case bool():
            raise TypeError("a truth value is not hashed; name its two cases")
        case int():
            magnitude = abs(value).to_bytes((value.bit_length() + 7) // 8, "big")
            body = (b"-" if value < 0 else b"+") + magnitude
            return b"i" + len(body).to_bytes(4, "big") + body
        case _:
            items = [_field(item) for item in value]
            body = _length(len(items)) + b"".join(items)
            return b"l" + _length(len(body)) + body


@lru_cache(maxsize=256)
def _prefix(tag: str, count: int) -> bytes:
    name = tag.encode()
    return _length(len(name)) + name + _length(count)


def enc(tag: str, *values: Field) -> bytes:
    """Frame `values` injectively: tag, count, then type, length and body of each.

    Delimiters would let one list pass for another (the alpha-shuffle of TSSHOCK).
    """
    return _prefix(tag, len(values)) + b"".join([_field(value) for value in values])


def XOF(tag: Tag, size: int, *values: Field) -> bytes:
    """Expand a framed input to `size` bytes with SHAKE256."""
    return hashlib.shake_256(enc(tag, *values)).digest(size)


def H(tag: Tag, *values: Field) -> bytes:
    """Hash a framed input to 32 bytes."""
    return XOF(tag, 32, *values)


def Hs(tag: Tag, order: int, *values: Field) -> int:
    """Hash a framed input to a scalar: 48 big-endian bytes modulo `order`, bias below 2**-128."""
    return int.from_bytes(XOF(tag, 48, *values), "big") % order
