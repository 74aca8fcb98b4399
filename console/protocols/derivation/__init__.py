"""Children of a key without a ceremony: BIP 32, Taproot tweaks, and our own rule for Ed25519."""

from console.protocols.derivation.bip32 import HARDENED
from console.protocols.derivation.context import DegenerateTweak, TweakContext
from console.protocols.derivation.path import PathRefused, parse_path
from console.protocols.derivation.share import (
    derive,
    derive_public,
    tap_tweak,
    tap_tweak_public,
    tweak_context,
)
from console.protocols.derivation.taproot import tap_tweak_scalar
from console.protocols.derivation.xpub import ExtendedPublicKey

__all__ = [
    "HARDENED",
    "DegenerateTweak",
    "ExtendedPublicKey",
    "PathRefused",
    "TweakContext",
    "derive",
    "derive_public",
    "parse_path",
    "tap_tweak",
    "tap_tweak_public",
    "tap_tweak_scalar",
    "tweak_context",
]
