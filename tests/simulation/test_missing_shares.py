"""A share that is gone, damaged or another's: noticed at the unlock, told, and not used."""

import asyncio
from collections.abc import Callable

import pytest

from console.application.api import GetOverview, GetRecovery
from console.application.commands import ProposeRepair
from console.application.ports.share_storage import ShareLabel
from console.application.queries.wallets import WalletQueryService
from console.application.views import ShareState
from console.domain.events import SigningSessionStarted
from console.domain.ids import MemberId, WalletId
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import KIND, Operators
from tests.simulation.test_lifecycle import ANA, BEN, CHIARA, play

Records = dict[ShareLabel, bytes]


def missing(records: Records, label: ShareLabel) -> None:
    del records[label]


def damaged(records: Records, label: ShareLabel) -> None:
    sealed = records[label]
    records[label] = sealed[:-1] + bytes([sealed[-1] ^ 1])


def cut_off(records: Records, label: ShareLabel) -> None:
    records[label] = records[label][:40]


def of_another_wallet(records: Records, label: ShareLabel) -> None:
    other = next(known for known in records if known.wallet != label.wallet)
    records[label] = records[other]


async def shares(
    cluster: SimulatedCluster, member: MemberId, wallet: WalletId
) -> dict[str, tuple[ShareState, str]]:
    console = cluster.seats[member].console
    assert console is not None
    view = next(w for w in (await console.ask(GetRecovery())).wallets if w.wallet == wallet)
    return {share.member: (share.state, share.detail) for share in view.shares}


async def titles(cluster: SimulatedCluster, member: MemberId) -> list[str]:
    console = cluster.seats[member].console
    assert console is not None
    return [task.title for task in (await console.ask(GetOverview())).tasks]


@pytest.mark.parametrize("lose", [missing, damaged, cut_off, of_another_wallet])
def test_a_share_that_does_not_open_is_noticed_told_and_not_used(
    lose: Callable[[Records, ShareLabel], None],
) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(await operators.hold_ceremony(ANA, "Reserve"))
        await operators.quiet(wallet)
        assert (await shares(cluster, ANA, wallet))[ANA][0] is ShareState.PROVED
        cluster.crash(ANA)
        lose(cluster.seats[ANA].token.shares.records, ShareLabel(wallet, ANA, KIND, 0))
        await cluster.restart(ANA)

        state, detail = (await shares(cluster, ANA, wallet))[ANA]
        assert state is ShareState.LOST
        assert "safe while 2 others hold theirs; repair it" in detail
        assert "This member\u2019s share of Treasury is missing" in await titles(cluster, ANA)
        assert not any("of Reserve" in title for title in await titles(cluster, ANA))
        await asyncio.sleep(10)
        for other in (BEN, CHIARA):
            assert (await shares(cluster, other, wallet))[ANA][0] is ShareState.LOST
            assert "Repair the share of Ana in Treasury" in await titles(cluster, other)
            custodians = WalletQueryService(cluster.seats[other].core).view(wallet, 0).custodians
            assert {c.member for c in custodians if c.able} == {BEN, CHIARA}

        # She still proposes and approves; nobody asks her to sign.
        request = await operators.transfer(ANA, wallet, 5)
        for member in MEMBERS:
            attempts = [
                record.event
                for record in cluster.seats[member].ledger.records
                if isinstance(record.event, SigningSessionStarted)
                and record.event.request == request
            ]
            assert all(ANA not in attempt.signers for attempt in attempts)
            assert len(attempts) == (0 if member == ANA else 1)

        await operators.change(BEN, MEMBERS, ProposeRepair(wallet, ANA))
        await operators.quiet(wallet)
        assert (await shares(cluster, ANA, wallet))[ANA][0] is ShareState.PROVED
        assert not any("is missing" in title for title in await titles(cluster, ANA))

    play(scene)
