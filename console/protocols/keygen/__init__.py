"""Keys without a dealer: generation, refresh, reshare, repair, and the certificate of an epoch."""

from console.protocols.keygen.certificate import (
    Certificate,
    CertificateIncomplete,
    certificate_message,
)
from console.protocols.keygen.dkg import KeygenParameters, KeygenResult, generate
from console.protocols.keygen.redeal import Redealt
from console.protocols.keygen.refresh import refresh
from console.protocols.keygen.repair import RepairParameters, RepairResult, repair
from console.protocols.keygen.reshare import ReshareParameters, reshare
from console.protocols.keygen.share import (
    BadShare,
    KeyShare,
    PublicKeyPackage,
    decode_public,
    decode_share,
    encode_public,
    encode_share,
)

__all__ = [
    "BadShare",
    "Certificate",
    "CertificateIncomplete",
    "KeyShare",
    "KeygenParameters",
    "KeygenResult",
    "PublicKeyPackage",
    "Redealt",
    "RepairParameters",
    "RepairResult",
    "ReshareParameters",
    "certificate_message",
    "decode_public",
    "decode_share",
    "encode_public",
    "encode_share",
    "generate",
    "refresh",
    "repair",
    "reshare",
]
