"""SCHNORR_BIP340: signatures for Taproot by FROST, in the variant that follows BIP 340's signs."""

from collections.abc import Collection

from console.adapters.schemes import lifecycle
from console.adapters.schemes.frost_signing import RELEASE_ROUND, SIGNING_ROUNDS, sign_at
from console.adapters.schemes.key_path import child_key, parse_key_path
from console.application.ports.threshold import HeldKey, MadeKey, SignatureInvalid
from console.domain.values import CeremonyPurpose, SignatureKind
from console.protocols.frost import FROST_TAPROOT, InvalidSignature, bip340
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen import KeyShare, PublicKeyPackage, RepairParameters, ReshareParameters
from console.protocols.math.secp256k1 import SECP256K1

_DIGEST = 32


class SchnorrBip340:
    """Stateless. Keys are 32 bytes of x, signatures have 64; messages are digests (BIP 341).

    "m/0/5" is the child itself, as an internal key or in a script; "tr(m/0/5)" its output key.
    """

    kind = SignatureKind.SCHNORR_BIP340
    signing_rounds: tuple[str, ...] = SIGNING_ROUNDS
    release_round = RELEASE_ROUND
    message_size: int | None = _DIGEST

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Name the rounds of a ceremony."""
        return (*lifecycle.rounds(purpose), lifecycle.CONFIRM)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> MadeKey:
        """Make a key. Raises: ProtocolAbort."""
        return await lifecycle.generate(SECP256K1, party, threshold, context, random)

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> MadeKey:
        """Make new shares for the same owners. Raises: ProtocolAbort."""
        return await lifecycle.refresh(SECP256K1, party, share, context, random)

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> MadeKey:
        """Give the lost share back, then refresh all. Raises: ProtocolAbort."""
        return await lifecycle.repair(SECP256K1, party, parameters, share, random)

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> MadeKey:
        """Hand the key over. Raises: ProtocolAbort."""
        return await lifecycle.reshare(SECP256K1, party, parameters, share, random)

    async def sign(
        self, party: Party, held: HeldKey, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign a digest of 32 bytes. Raises: ProtocolAbort, KeyPathRefused."""
        if len(message) != _DIGEST:
            raise ValueError("a digest has 32 bytes")
        at = parse_key_path(path, taproot=True)
        return await sign_at(FROST_TAPROOT, party, held.share, at, message, random)

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

    def without_peers(self, _held: HeldKey, _peers: Collection[int]) -> HeldKey | None:
        """Nothing is kept with peers."""
        return None
