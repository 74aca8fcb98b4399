"""SCHNORR_BIP340: signatures for Taproot by FROST, in the variant that follows BIP 340's signs."""

from console.adapters.schemes.frost import FrostKeys
from console.adapters.schemes.key_path import child_key, parse_key_path
from console.application.ports.threshold import KeyMaterial, SignatureInvalid
from console.domain.values import SignatureKind
from console.protocols.frost import FROST_TAPROOT, InvalidSignature, bip340
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen import PublicKeyPackage
from console.protocols.math.secp256k1 import SECP256K1

_DIGEST = 32


class SchnorrBip340(FrostKeys):
    """Stateless. Keys are 32 bytes of x, signatures have 64; messages are digests (BIP 341).

    "m/0/5" is the child itself, as an internal key or in a script; "tr(m/0/5)" its output key.
    """

    kind = SignatureKind.SCHNORR_BIP340
    group = SECP256K1
    suite = FROST_TAPROOT
    message_size: int | None = _DIGEST

    async def sign(
        self, party: Party, held: KeyMaterial, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign a digest of 32 bytes. Raises: ProtocolAbort, KeyPathRefused."""
        if len(message) != _DIGEST:
            raise ValueError("a digest has 32 bytes")
        at = parse_key_path(path, taproot=True)
        return await self.sign_at(party, held.share, at, message, random)

    def public_key(self, public: PublicKeyPackage, path: str) -> bytes:
        """Return x of the key at `path`. Raises: KeyPathRefused."""
        return SECP256K1.x_only(child_key(public, parse_key_path(path, taproot=True)).Q)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check by BIP 340. Raises: SignatureInvalid."""
        if len(message) != _DIGEST:
            raise SignatureInvalid("a digest has 32 bytes")
        try:
            bip340.verify(public_key, message, signature)
        except InvalidSignature:
            raise SignatureInvalid("the Schnorr signature does not verify") from None
