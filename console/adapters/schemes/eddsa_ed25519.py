"""EDDSA_ED25519: keys by distributed key generation, signatures by FROST (RFC 9591)."""

from console.application.ports.threshold import SignatureInvalid
from console.domain.values import SignatureKind
from console.protocols.frost import InvalidSignature, sign, verify
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen.dkg import KeygenParameters, KeygenResult, generate
from console.protocols.keygen.share import KeyShare
from console.protocols.math.ed25519 import ED25519


class EddsaEd25519:
    """The scheme of the kind; stateless."""

    kind = SignatureKind.EDDSA_ED25519
    keygen_rounds: tuple[str, ...] = (
        "Commit",
        "Deal",
        "Verify",
        "Prove",
        "Confirm",
    )
    signing_rounds: tuple[str, ...] = ("Commit", "Sign", "Confirm")
    release_round = 2

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenResult:
        """Run the key generation. Raises: ProtocolAbort."""
        return await generate(party, KeygenParameters(ED25519, threshold, context), random)

    async def sign(self, party: Party, share: KeyShare, message: bytes, random: Random) -> bytes:
        """Run FROST signing; 64 bytes. Raises: ProtocolAbort."""
        return await sign(party, share, message, random)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check strictly by RFC 8032. Raises: SignatureInvalid."""
        try:
            verify(public_key, message, signature)
        except InvalidSignature:
            raise SignatureInvalid("the Ed25519 signature does not verify") from None
