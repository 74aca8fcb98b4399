"""EDDSA_ED25519: keys by distributed key generation, signatures by FROST (RFC 9591)."""

from console.adapters.schemes.frost import FrostKeys
from console.adapters.schemes.key_path import child_key, parse_key_path
from console.application.ports.threshold import KeyMaterial, SignatureInvalid
from console.domain.values import SignatureKind
from console.protocols.frost import FROST_ED25519, InvalidSignature
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen import PublicKeyPackage
from console.protocols.math.ed25519 import ED25519


class EddsaEd25519(FrostKeys):
    """Stateless. Keys have 32 bytes, signatures 64 (RFC 8032); child derivation is our own rule."""

    kind = SignatureKind.EDDSA_ED25519
    group = ED25519
    suite = FROST_ED25519
    message_size: int | None = None

    async def sign(
        self, party: Party, held: KeyMaterial, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign a message of any length. Raises: ProtocolAbort, KeyPathRefused."""
        at = parse_key_path(path)
        return await self.sign_at(party, held.share, at, message, random)

    def public_key(self, public: PublicKeyPackage, path: str) -> bytes:
        """Return the key at `path`. Raises: KeyPathRefused."""
        return child_key(public, parse_key_path(path)).Q

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Verify by RFC 8032, more strictly than it requires. Raises: SignatureInvalid."""
        try:
            FROST_ED25519.verify(public_key, message, signature)
        except InvalidSignature:
            raise SignatureInvalid("the Ed25519 signature does not verify") from None
