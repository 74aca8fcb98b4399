"""DKLs23: threshold ECDSA over secp256k1 from oblivious transfer (eprint 2023/765)."""

from console.protocols.dkls23.ecdsa import EcdsaSignature, InvalidSignature, verify
from console.protocols.dkls23.pairs import (
    BadPairStates,
    PairState,
    PairStates,
    PeerBanned,
    decode_pairs,
    encode_pairs,
)
from console.protocols.dkls23.parameters import SigningRefused
from console.protocols.dkls23.presignature import (
    BadPresignature,
    Presignature,
    PresignatureUsed,
    decode_presignature,
    encode_presignature,
)
from console.protocols.dkls23.run import presign, sign, sign_online
from console.protocols.dkls23.setup import setup

__all__ = [
    "BadPairStates",
    "BadPresignature",
    "EcdsaSignature",
    "InvalidSignature",
    "PairState",
    "PairStates",
    "PeerBanned",
    "Presignature",
    "PresignatureUsed",
    "SigningRefused",
    "decode_pairs",
    "decode_presignature",
    "encode_pairs",
    "encode_presignature",
    "presign",
    "setup",
    "sign",
    "sign_online",
    "verify",
]
