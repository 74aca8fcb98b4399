"""A bad share and a false complaint in a ceremony: all honest members name the same one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.peers.signed_statements import verify_identity
from console.application.ports.threshold import KeygenOutput
from console.domain.events import SessionAborted
from console.domain.ids import CeremonyId, MemberId
from console.domain.verdicts import Verdict
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.messages import Complaint, Complaints, Subshare
from console.protocols.math.ed25519 import ED25519
from tests.adversary.network import CheatingParty
from tests.fakes.clock import run_in_virtual_time
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators

ANA, BEN, CHIARA = MEMBERS
CHEAT = 2

Change = Callable[[Party, Any, int | None], Any]


@dataclass
class Cheating(EddsaEd25519):
    """Party 2 changes what it says, in its first key generation only."""

    changes: list[Change] = field(default_factory=list)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenOutput:
        if party.me == CHEAT and self.changes:
            change = self.changes.pop()
            cheat: Any = CheatingParty(party, lambda message, to: change(party, message, to))
            return await super().generate(cheat, threshold, context, random)
        return await super().generate(party, threshold, context, random)


def deal_badly(_party: Party, message: Any, to: int | None) -> Any:
    if type(message) is not Subshare or to != 1:
        return message
    share = ED25519.parse_scalar(bytes(message.share.view()))
    return replace(message, share=SecretBytes(ED25519.add_scalars(share, ED25519.scalar(1))))


def complain_falsely(party: Party, message: Any, _to: int | None) -> Any:
    if type(message) is not Complaints:
        return message
    return Complaints((Complaint(1, party.told(1, Subshare)),))


def verdicts_at(cluster: SimulatedCluster, member: MemberId) -> list[SessionAborted]:
    records = cluster.seats[member].ledger.records
    return [r.event for r in records if isinstance(r.event, SessionAborted)]


def blamed_at(cluster: SimulatedCluster, member: MemberId, ceremony: CeremonyId) -> set[MemberId]:
    attempts = cluster.seats[member].core.aggregates.ceremony(ceremony).attempts
    return {name for attempt in attempts for name in attempt.blamed}


@pytest.mark.parametrize(
    ("change", "check", "shown_by"),
    [(deal_badly, "share", {ANA, BEN}), (complain_falsely, "false-complaint", {BEN})],
)
def test_who_cheats_with_shares_is_named_by_all_with_proof(
    change: Change, check: str, shown_by: set[MemberId]
) -> None:
    scheme = Cheating(changes=[change])

    async def scene() -> None:
        cluster = SimulatedCluster(21, schemes=(scheme,))
        await cluster.start()
        operators = Operators(cluster)
        ceremony = await operators.propose(ANA, "Treasury")
        await asyncio.gather(*(operators.accept(member, ceremony) for member in MEMBERS))
        for member in (ANA, CHIARA):
            (verdict,) = await cluster.until(
                f"{member} has a verdict", partial(verdicts_at, cluster, member)
            )
            assert (verdict.verdict, verdict.check) == (Verdict.BLAME, check)
            assert verdict.blamed == (BEN,)
            assert {message.sender for message in verdict.proof} == shown_by
            for message in verdict.proof:
                key = cluster.seats[member].core.aggregates.members[message.sender].identity_key
                verify_identity(key, b"quorate/envelope/v1" + message.envelope, message.signature)
        for member in MEMBERS:
            await cluster.until("all know who", partial(blamed_at, cluster, member, ceremony))
            assert blamed_at(cluster, member, ceremony) == {BEN}
        # It is not tried again by itself: people decide with whom to go on.
        await asyncio.sleep(600)
        assert len(cluster.seats[ANA].core.aggregates.ceremony(ceremony).attempts) == 1
        await cluster.stop()

    run_in_virtual_time(scene())
