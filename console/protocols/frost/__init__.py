"""FROST: threshold Schnorr signatures in two rounds (RFC 9591)."""

from console.protocols.frost.ed25519 import FROST_ED25519, verify
from console.protocols.frost.nonces import Commitment, NonceReused, SigningNonces, commit
from console.protocols.frost.run import sign, sign_with
from console.protocols.frost.secp256k1 import FROST_SECP256K1
from console.protocols.frost.signing import (
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningPackage,
    aggregate,
    sign_share,
    verify_share,
)
from console.protocols.frost.suite import InvalidSignature, Suite
from console.protocols.frost.taproot import FROST_TAPROOT

__all__ = [
    "FROST_ED25519",
    "FROST_SECP256K1",
    "FROST_TAPROOT",
    "Commitment",
    "InvalidSignature",
    "NonceReused",
    "PackageMismatch",
    "ShareInvalid",
    "SignatureShare",
    "SigningNonces",
    "SigningPackage",
    "Suite",
    "aggregate",
    "commit",
    "sign",
    "sign_share",
    "sign_with",
    "verify",
    "verify_share",
]
