"""Keys without a dealer: generation, shares and the certificate that makes a key active."""

from console.protocols.keygen.certificate import (
    Certificate,
    CertificateIncomplete,
    certificate_message,
)
from console.protocols.keygen.dkg import KeygenParameters, KeygenResult, generate
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
    "certificate_message",
    "decode_public",
    "decode_share",
    "encode_public",
    "encode_share",
    "generate",
]
