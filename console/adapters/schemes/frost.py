"""The common part of the kinds that sign by FROST: ceremonies over a group, and signing."""

from collections.abc import Collection

from console.adapters.schemes import lifecycle
from console.adapters.schemes.key_path import KeyPath, child_share
from console.application.ports.threshold import KeygenOutput, KeyMaterial
from console.domain.values import CeremonyPurpose
from console.protocols.frost import PackageMismatch, Suite, sign_with
from console.protocols.kernel.abort import retry
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen import KeyShare, RepairParameters, ReshareParameters
from console.protocols.math.group import Group


class FrostKeys:
    """Keys over `group` that sign with `suite`; stateless, without pair states."""

    group: Group
    suite: Suite
    signing_rounds: tuple[str, ...] = ("Commit", "Sign", "Confirm")
    # The signature shares: a nonce pair is used for one of them only.
    release_round = 2

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Return the rounds of a ceremony."""
        return (*lifecycle.rounds(purpose), lifecycle.CONFIRM)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate a key. Raises: ProtocolAbort."""
        return await lifecycle.generate(self.group, party, threshold, context, random)

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate new shares for the same owners. Raises: ProtocolAbort."""
        return await lifecycle.refresh(self.group, party, share, context, random)

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Restore the lost share, then refresh all. Raises: ProtocolAbort."""
        return await lifecycle.repair(self.group, party, parameters, share, random)

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Generate shares for the next quorum. Raises: ProtocolAbort."""
        return await lifecycle.reshare(self.group, party, parameters, share, random)

    def without_peers(self, _held: KeyMaterial, _peers: Collection[int]) -> KeyMaterial | None:
        """Return None: this kind has no pair states."""
        return None

    async def sign_at(
        self, party: Party, share: KeyShare, path: KeyPath, message: bytes, random: Random
    ) -> bytes:
        """Sign with our share of the key at `path`, which is wiped afterwards.

        Raises: ProtocolAbort (RETRY before any message if these parties cannot sign with this key);
        KeyPathRefused.
        """
        if len(party.parties) != share.public.threshold:
            raise retry("the number of signers is not the threshold", check="signers")
        with child_share(share, path) as child:
            try:
                return await sign_with(self.suite, party, child, message, random)
            except PackageMismatch as mismatch:
                raise retry(str(mismatch), check="signers") from None
