"""What does not begin says why, names who it is, and begins by itself when the cause is gone."""

import asyncio
from itertools import combinations

import pytest
from solders.hash import Hash

from console.application.commands import ProposeTransfer
from console.application.queries.ceremonies import ceremony_view
from console.application.queries.requests import request_view
from console.application.views import CeremonyStage, RequestStage, RequestView
from console.domain.ids import CeremonyId, MemberId, RequestId, WalletId
from console.domain.signing_request import RequestState
from tests.fakes import solana_messages as codec
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import DESTINATION, KIND, Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, play

LONG_S = 1800.0


def request_at(cluster: SimulatedCluster, member: MemberId, request: RequestId) -> RequestView:
    core = cluster.seats[member].core
    return request_view(
        core.aggregates.request(request),
        core.aggregates,
        core.transactions,
        core.host,
        core.me,
        core.ports.clock.now_ms(),
        core.signing_saga.troubles.of(request),
    )


def ceremony_at(
    cluster: SimulatedCluster, member: MemberId, ceremony: CeremonyId
) -> tuple[CeremonyStage, str]:
    core = cluster.seats[member].core
    now_ms = core.ports.clock.now_ms()
    view = ceremony_view(core.aggregates.ceremony(ceremony), core, now_ms)
    return view.stage, view.sentence


async def asked(cluster: SimulatedCluster, wallet: WalletId) -> RequestId:
    """Ask for a transfer as Ana."""
    key = cluster.seats[ANA].core.aggregates.wallet(wallet).key(KIND).public_key
    data = codec.build_transfer(key, DESTINATION, 5, "", str(Hash.default()))
    outcome = await cluster.command(
        ANA,
        lambda: ProposeTransfer(wallet=wallet, chain="solana", transaction=data, expires_in_s=7200),
    )
    return RequestId(outcome.subject)


def cut_all(cluster: SimulatedCluster) -> None:
    cluster.network.faults.cut = {frozenset(pair) for pair in combinations(cluster.members, 2)}


@pytest.mark.parametrize("seed", seeds(1))
def test_signing_names_who_is_away_and_begins_by_itself(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        request = await asked(cluster, wallet)
        await operators.approve(BEN, request)
        await asyncio.sleep(5)
        cores = [cluster.seats[m].core for m in MEMBERS]

        def approved() -> bool:
            return all(len(c.aggregates.request(request).approvals) == 2 for c in cores)

        def cut_when_approved(_record: object) -> None:
            if approved():
                cut_all(cluster)
                for unsubscribe in subscriptions:
                    unsubscribe()

        subscriptions = [core.ports.bus.subscribe(cut_when_approved) for core in cores]
        await operators.approve(CHIARA, request)
        await cluster.until("all know the approvals", approved)
        await asyncio.sleep(LONG_S)
        for member in MEMBERS:
            seen = request_at(cluster, member, request)
            assert seen.stage is RequestStage.APPROVED
            assert "Signing has not begun: " in seen.sentence
            others = [m for m in MEMBERS if m != member]
            assert any(f"{m} does not answer" in seen.sentence for m in others)
        cluster.network.faults.heal()
        await cluster.until(
            "it is confirmed",
            lambda: all(
                c.aggregates.request(request).state is RequestState.CONFIRMED for c in cores
            ),
            limit_s=180,
        )
        assert all(not core.signing_saga.troubles.of(request) for core in cores)

    play(scene, seed)


@pytest.mark.parametrize("seed", seeds(1))
def test_a_ceremony_names_who_is_away_and_begins_by_itself(seed: int) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        ceremony = await operators.propose(ANA, "Treasury")
        await asyncio.gather(*(operators.accept(m, ceremony) for m in (BEN, ANA)))
        await asyncio.sleep(5)
        # Chiara accepts over Ben, and Ana never reaches her.
        cluster.network.faults.cut = {frozenset({ANA, CHIARA})}
        await operators.accept(CHIARA, ceremony)
        await asyncio.sleep(LONG_S)
        stage, sentence = ceremony_at(cluster, ANA, ceremony)
        assert stage is CeremonyStage.READY
        assert "no session has begun: chiara does not answer" in sentence
        stage, sentence = ceremony_at(cluster, CHIARA, ceremony)
        assert stage is CeremonyStage.READY
        assert "nothing has begun for" in sentence
        assert "Ana cannot be reached from here" in sentence
        cluster.network.faults.heal()
        await cluster.until(
            "one code", lambda: operators.common_code(ceremony, MEMBERS), limit_s=60
        )
        assert not cluster.seats[ANA].core.ceremony_saga.troubles.of(ceremony)

    play(scene, seed)
