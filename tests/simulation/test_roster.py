"""Members leave by a quorum, and the power to admit machines passes to whom it chooses."""

import asyncio
import contextlib
from collections.abc import Iterable

import pytest

from console.application.api import CommandRefused, PreviewDecision
from console.application.commands import ProposeMachine, ProposeReshare, SignDecision
from console.application.errors import PeerRefused
from console.application.queries.wallets import WalletQueryService
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import DEFAULT_PIN
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators
from tests.simulation.test_lifecycle import admit, play

ANA, BEN, CHIARA = MEMBERS
DORA = MemberId("dora")


async def known(
    cluster: SimulatedCluster, name: MemberId, hearing: Iterable[MemberId] = MEMBERS
) -> None:
    """Wait until a member belongs to the vault everywhere."""
    asked = tuple(hearing)
    await cluster.until(
        f"all know {name}",
        lambda: all(name in cluster.seats[m].core.aggregates.members for m in asked),
    )


async def sign(
    cluster: SimulatedCluster, by: MemberId, retires: Iterable[str], electors: Iterable[str]
) -> None:
    """Sign a decision as an operator does: look at it, compare its code, sign what was shown."""
    leaving, staying = tuple(sorted(retires)), tuple(sorted(electors))
    console = cluster.seats[by].console
    assert console is not None
    preview = await console.ask(PreviewDecision(leaving, staying))
    await cluster.command(
        by,
        lambda: SignDecision(
            retires=leaving,
            electors=staying,
            digest=preview.digest,
            pin=SecretBytes(DEFAULT_PIN),
        ),
    )


async def decided(
    cluster: SimulatedCluster,
    number: int,
    signers: Iterable[MemberId],
    retires: Iterable[str],
    electors: Iterable[str],
    hearing: Iterable[MemberId],
) -> None:
    """Let each sign in turn; return when all who hear of it have the decision in force."""
    for by in signers:
        before = cluster.seats[by].core.aggregates.roster
        await sign(cluster, by, retires, electors)
        assert cluster.seats[by].core.aggregates.roster != before

    def in_force() -> bool:
        cores = [cluster.seats[m].core for m in hearing]
        return all(core.aggregates.standing.number == number for core in cores)

    await cluster.until(f"decision {number} is in force", in_force)


def test_who_has_left_sees_and_vouches_for_nothing() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        entry = await cluster.join(DORA)
        await admit(cluster, entry, ANA, BEN)
        command = ProposeReshare(
            wallet=wallet, threshold=2, custodians=(ANA, BEN, DORA), approvals_needed=2
        )
        await cluster.until(
            "Dora is known", lambda: DORA in cluster.seats[CHIARA].core.aggregates.members
        )
        await operators.change(ANA, (*MEMBERS, DORA), command)
        staying = (ANA, BEN, DORA)
        with pytest.raises(CommandRefused, match="At least 3 decide"):
            await sign(cluster, ANA, (CHIARA,), (ANA, BEN))
        await decided(cluster, 1, (ANA, BEN), (CHIARA,), staying, staying)

        for member in staying:
            aggregates = cluster.seats[member].core.aggregates
            assert CHIARA not in aggregates.members
            assert CHIARA in aggregates.former
            port = cluster.seats[member].port
            assert port is not None
            assert CHIARA not in port.health()
        chiara = cluster.seats[CHIARA]
        assert chiara.port is not None
        with pytest.raises(PeerRefused, match="ana refused"):
            await chiara.port.call(ANA, b"let me in", 1.0)
        # Nothing that it signs from now on is taken, whoever hands it on.
        heard = len(cluster.seats[ANA].ledger.records)
        with contextlib.suppress(CommandRefused):  # if it has heard that it left
            await operators.propose(CHIARA, "Mine alone")
        await asyncio.sleep(60)
        names = {
            c.proposal.wallet_name for c in cluster.seats[ANA].core.aggregates.ceremonies.values()
        }
        assert "Mine alone" not in names
        assert len(cluster.seats[ANA].ledger.records) == heard
        # The others go on, also after a restart.
        cluster.crash(ANA)
        await cluster.restart(ANA)
        assert CHIARA in cluster.seats[ANA].core.aggregates.former

    play(scene)


def test_when_founders_leave_those_they_chose_admit_machines() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        await admit(cluster, await cluster.join(DORA), ANA, BEN)
        everybody = (*MEMBERS, DORA)
        await known(cluster, DORA, everybody)
        eli = await cluster.join(MemberId("eli"))
        with pytest.raises(CommandRefused, match="Founding members endorse machines"):
            await cluster.command(DORA, lambda: ProposeMachine(eli, SecretBytes(DEFAULT_PIN)))
        with pytest.raises(CommandRefused, match="does not decide"):
            await sign(cluster, DORA, (), everybody)
        await decided(cluster, 1, (ANA, BEN), (), (BEN, CHIARA, DORA), everybody)
        # From now on Ben, Chiara and Dora decide; Ana may leave, and Dora admits.
        await decided(cluster, 2, (CHIARA, DORA), (ANA,), (BEN, CHIARA, DORA), (BEN, CHIARA, DORA))
        await admit(cluster, eli, DORA, CHIARA)
        await known(cluster, MemberId("eli"), (BEN,))

    play(scene)


def test_a_member_that_left_comes_back_with_a_new_machine() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        await admit(cluster, await cluster.join(DORA), ANA, BEN)
        await known(cluster, DORA)
        await decided(cluster, 1, (ANA, CHIARA), (DORA,), MEMBERS, MEMBERS)
        entry = await cluster.lose_machine(DORA)
        await admit(cluster, entry, BEN, ANA)
        await known(cluster, DORA, (*MEMBERS, DORA))
        assert not cluster.seats[ANA].core.aggregates.former

    play(scene)


def test_nobody_leaves_a_wallet_that_could_not_be_signed_for_any_more() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        await decided(cluster, 1, (ANA, BEN), (CHIARA,), (ANA, BEN), (ANA, BEN))
        view = WalletQueryService(cluster.seats[ANA].core).view(wallet, 0)
        assert [person.trouble for person in view.custodians] == ["", "", "Left the vault"]
        with pytest.raises(CommandRefused, match="reshare it first"):
            await sign(cluster, ANA, (BEN,), (ANA,))
        with pytest.raises(CommandRefused, match="others decide"):
            await sign(cluster, ANA, (ANA,), (BEN,))
        with pytest.raises(CommandRefused, match="changes nothing"):
            await sign(cluster, ANA, (), (ANA, BEN))
        with pytest.raises(CommandRefused, match="does not belong"):
            await sign(cluster, ANA, (), (ANA, BEN, DORA))

    play(scene)
