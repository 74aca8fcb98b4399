"""What the kinds of keys that sign by FROST share: their life over a group, and one signature."""

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
    """Keys over `group`, signed for by `suite`; stateless, and nothing is kept with peers."""

    group: Group
    suite: Suite
    signing_rounds: tuple[str, ...] = ("Commit", "Sign", "Confirm")
    # The shares of the signature: the answer that a nonce pair gives only once.
    release_round = 2

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Name the rounds of a ceremony."""
        return (*lifecycle.rounds(purpose), lifecycle.CONFIRM)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenOutput:
        """Make a key. Raises: ProtocolAbort."""
        return await lifecycle.generate(self.group, party, threshold, context, random)

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> KeygenOutput:
        """Make new shares for the same owners. Raises: ProtocolAbort."""
        return await lifecycle.refresh(self.group, party, share, context, random)

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Give the lost share back, then refresh all. Raises: ProtocolAbort."""
        return await lifecycle.repair(self.group, party, parameters, share, random)

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Hand the key over. Raises: ProtocolAbort."""
        return await lifecycle.reshare(self.group, party, parameters, share, random)

    def without_peers(self, _held: KeyMaterial, _peers: Collection[int]) -> KeyMaterial | None:
        """Nothing is kept with peers."""
        return None

    async def sign_at(
        self, party: Party, share: KeyShare, path: KeyPath, message: bytes, random: Random
    ) -> bytes:
        """Sign with our share of the key at `path`, which is wiped afterwards.

        Raises: ProtocolAbort, also RETRY with nothing said if these parties cannot sign with this
        key; KeyPathRefused.
        """
        if len(party.parties) != share.public.threshold:
            raise retry("the signers are not as many as the threshold", check="signers")
        with child_share(share, path) as child:
            try:
                return await sign_with(self.suite, party, child, message, random)
            except PackageMismatch as mismatch:
                raise retry(str(mismatch), check="signers") from None
