"""EDDSA_ED25519: keys by distributed key generation, signatures by FROST (RFC 9591)."""

from collections.abc import Collection

from console.adapters.schemes import lifecycle
from console.adapters.schemes.frost_signing import RELEASE_ROUND, SIGNING_ROUNDS, sign_at
from console.adapters.schemes.key_path import child_key, parse_key_path
from console.application.ports.threshold import HeldKey, MadeKey, SignatureInvalid
from console.domain.values import CeremonyPurpose, SignatureKind
from console.protocols.frost import FROST_ED25519, InvalidSignature
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen import KeyShare, PublicKeyPackage, RepairParameters, ReshareParameters
from console.protocols.math.ed25519 import ED25519


class EddsaEd25519:
    """Stateless. Keys have 32 bytes, signatures 64 (RFC 8032); children follow a rule of ours."""

    kind = SignatureKind.EDDSA_ED25519
    signing_rounds: tuple[str, ...] = SIGNING_ROUNDS
    release_round = RELEASE_ROUND
    message_size: int | None = None

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Name the rounds of a ceremony."""
        return (*lifecycle.rounds(purpose), lifecycle.CONFIRM)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> MadeKey:
        """Make a key. Raises: ProtocolAbort."""
        return await lifecycle.generate(ED25519, party, threshold, context, random)

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> MadeKey:
        """Make new shares for the same owners. Raises: ProtocolAbort."""
        return await lifecycle.refresh(ED25519, party, share, context, random)

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> MadeKey:
        """Give the lost share back, then refresh all. Raises: ProtocolAbort."""
        return await lifecycle.repair(ED25519, party, parameters, share, random)

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> MadeKey:
        """Hand the key over. Raises: ProtocolAbort."""
        return await lifecycle.reshare(ED25519, party, parameters, share, random)

    async def sign(
        self, party: Party, held: HeldKey, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign a message of any length. Raises: ProtocolAbort, KeyPathRefused."""
        at = parse_key_path(path)
        return await sign_at(FROST_ED25519, party, held.share, at, message, random)

    def public_key(self, public: PublicKeyPackage, path: str) -> bytes:
        """Return the key at `path`. Raises: KeyPathRefused."""
        return child_key(public, parse_key_path(path)).Q

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check by RFC 8032, more strictly than it requires. Raises: SignatureInvalid."""
        try:
            FROST_ED25519.verify(public_key, message, signature)
        except InvalidSignature:
            raise SignatureInvalid("the Ed25519 signature does not verify") from None

    def without_peers(self, _held: HeldKey, _peers: Collection[int]) -> HeldKey | None:
        """Nothing is kept with peers."""
        return None
