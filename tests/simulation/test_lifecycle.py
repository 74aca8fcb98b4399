"""Refresh, repair and reshare in a whole cluster: one usable set of shares at any time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest

from console.application.api import CommandRefused
from console.application.ceremonies.certificates import key_certificate
from console.application.commands import (
    ApproveMachine,
    CancelCeremony,
    DenyRequest,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
)
from console.application.core import Core
from console.application.peers.machines import read_entry
from console.application.peers.messages import Announce
from console.application.peers.signed_statements import Statements, to_signed, vault_id
from console.application.peers.statements import CertificateSignature
from console.application.queries.recovery import lost_shares, recovery_view
from console.application.queries.requests import Here, request_view
from console.application.queries.sentences import NodeFacts
from console.application.views import RequestStage, RequestView
from console.domain.events import RequestSigned
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.key_ceremony import OVER
from console.domain.signing_request import SigningAttempt
from console.domain.values import Chain
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.clock import LoopClock, run_in_virtual_time
from tests.fakes.vault import DEFAULT_PIN
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.invariants import require_all
from tests.simulation.operators import Operators

ANA, BEN, CHIARA = MEMBERS
DORA, ELI = MemberId("dora"), MemberId("eli")
FIVE = (*MEMBERS, DORA, ELI)
Scene = Callable[[SimulatedCluster, Operators], Awaitable[None]]


def here_at(core: Core) -> Here:
    return Here(
        aggregates=core.aggregates,
        transactions=core.transactions,
        reservations=core.reservations,
        host=core.host,
        me=core.me,
        now_ms=core.ports.clock.now_ms(),
    )


def play(
    scene: Scene,
    seed: int = 7,
    members: tuple[MemberId, ...] = MEMBERS,
    *,
    pull_pause_s: float = 1.5,
) -> None:
    async def work() -> None:
        cluster = SimulatedCluster(seed, members, pull_pause_s=pull_pause_s)
        await cluster.start()
        try:
            await scene(cluster, Operators(cluster))
            ledgers = {name: tuple(seat.ledger.records) for name, seat in cluster.seats.items()}
            require_all(ledgers)
            assert not cluster.halts, cluster.halts
        finally:
            await cluster.stop()

    run_in_virtual_time(work())


def epochs_at(cluster: SimulatedCluster, member: MemberId, wallet: WalletId) -> set[int]:
    """Return the epochs of which a member's vault holds shares."""
    records = cluster.seats[member].token.shares.records
    return {label.epoch for label in records if label.wallet == wallet}


async def admit(cluster: SimulatedCluster, entry: str, first: MemberId, second: MemberId) -> None:
    """Two members endorse a machine: one brings its entry, the other sees it on the screen."""
    pin = SecretBytes(DEFAULT_PIN)
    outcome = await cluster.command(first, lambda: ProposeMachine(entry, pin))
    member, digest = MemberId(outcome.subject), read_entry(entry).digest

    def seen() -> bool:
        state = cluster.seats[second].core.aggregates.person(member)
        return state is not None and any(e.digest == digest for e in state.endorsed)

    await cluster.until("the machine is on the screen", seen)
    await cluster.command(
        second, lambda: ApproveMachine(member, digest.hex(), SecretBytes(DEFAULT_PIN))
    )


def test_a_refresh_begins_an_epoch_and_erases_the_one_before() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        await operators.transfer(ANA, wallet, 5)
        await operators.change(BEN, MEMBERS, ProposeRefresh(wallet))
        await operators.quiet(wallet)
        await operators.transfer(CHIARA, wallet, 6)
        for member in MEMBERS:
            assert epochs_at(cluster, member, wallet) == {1}
            state = cluster.seats[member].core.aggregates.wallet(wallet)
            assert (state.epoch, state.policy.version) == (1, 2)

    play(scene)


def test_a_request_of_the_epoch_before_is_not_signed_and_holds_nothing() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        work = asyncio.create_task(operators.transfer(ANA, wallet, 5, approvers=(BEN,)))
        await asyncio.sleep(30)
        command = ProposeReshare(
            wallet=wallet, threshold=2, custodians=(BEN, CHIARA, DORA), approvals_needed=2
        )
        await operators.change(BEN, (*MEMBERS, DORA), command)
        (request,) = cluster.seats[CHIARA].core.aggregates.requests
        with pytest.raises(CommandRefused, match="epoch"):
            await operators.approve(CHIARA, request)

        def seen_by(member: MemberId) -> RequestView:
            core = cluster.seats[member].core
            return request_view(core.aggregates.request(request), here_at(core), NodeFacts())

        for member in (*MEMBERS, DORA):
            seen = seen_by(member)
            assert (seen.stage, seen.can_approve) == (RequestStage.EXPIRED, False)
            assert "nobody signs it any more" in seen.sentence
            assert seen.can_deny
            assert not cluster.seats[member].core.reservations.held(wallet, Chain.SOLANA)
        # A custodian of today, who was none when it was made, closes it for all.
        await cluster.command(DORA, lambda: DenyRequest(request, "out of date"))
        await cluster.until(
            "all know the denial",
            lambda: all(seen_by(m).stage is RequestStage.DENIED for m in (*MEMBERS, DORA)),
        )
        work.cancel()
        await asyncio.wait({work})
        await operators.transfer(DORA, wallet, 6, approvers=(BEN, CHIARA))

    play(scene, members=FIVE)


def test_a_lost_machine_is_replaced_and_its_share_repaired() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        await operators.transfer(ANA, wallet, 5)
        entry = await cluster.lose_machine(CHIARA)
        # Nobody has endorsed: what the new machine signs counts nowhere.
        await asyncio.sleep(20)
        assert cluster.seats[CHIARA].core.aggregates.members[CHIARA].former_keys == ()
        await admit(cluster, entry, ANA, BEN)

        def all_know() -> bool:
            cores = [cluster.seats[member].core.aggregates for member in MEMBERS]
            return all(
                wallet in core.wallets and lost_shares(core.wallet(wallet), core) == {CHIARA}
                for core in cores
            )

        await cluster.until("all know the wallet and whose share is lost", all_know)
        await operators.change(ANA, MEMBERS, ProposeRepair(wallet, CHIARA))
        await operators.quiet(wallet)
        for member in MEMBERS:
            core = cluster.seats[member].core
            assert not lost_shares(core.aggregates.wallet(wallet), core.aggregates)
            assert epochs_at(cluster, member, wallet) == {1}
        # Ben is away: the repaired share is needed now.
        await operators.transfer(CHIARA, wallet, 6)

    play(scene)


def test_an_old_machine_is_shut_out_once_the_new_one_is_admitted() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        stolen = cluster.seats[CHIARA]
        entry = await cluster.lose_machine(CHIARA)
        await admit(cluster, entry, ANA, BEN)
        await cluster.until(
            "all know the new machine",
            lambda: all(
                cluster.seats[m].core.aggregates.members[CHIARA].former_keys for m in MEMBERS
            ),
        )
        new = cluster.seats[CHIARA]
        cluster.crash(CHIARA)
        cluster.seats[CHIARA] = stolen
        await cluster.restart(CHIARA)
        work = asyncio.ensure_future(operators.transfer(CHIARA, wallet, 5, approvers=(CHIARA,)))
        await asyncio.sleep(60)
        assert not cluster.seats[ANA].core.aggregates.requests
        assert not cluster.seats[BEN].core.aggregates.requests
        work.cancel()
        await asyncio.wait({work})
        cluster.crash(CHIARA)
        cluster.seats[CHIARA] = new
        await cluster.restart(CHIARA)

    play(scene)


def test_a_stolen_machine_completes_no_certificate_that_its_member_refused() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        founders = tuple(cluster.seats[BEN].core.aggregates.members.values())
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        outcome = await cluster.command(ANA, lambda: ProposeRefresh(wallet))
        refresh = CeremonyId(outcome.subject)
        await asyncio.gather(*(operators.accept(m, refresh) for m in MEMBERS))
        await cluster.until("one code", lambda: operators.common_code(refresh, MEMBERS))
        await asyncio.gather(*(operators.confirm(m, refresh) for m in (ANA, BEN)))
        await cluster.command(CHIARA, lambda: CancelCeremony(refresh, "my machine was stolen"))
        await cluster.until(
            "the others know",
            lambda: all(
                cluster.seats[m].core.aggregates.ceremony(refresh).aborts for m in (ANA, BEN)
            ),
        )
        stolen = cluster.seats[CHIARA]
        entry = await cluster.lose_machine(CHIARA)
        await admit(cluster, entry, ANA, BEN)
        cores = [cluster.seats[member].core for member in MEMBERS]
        await cluster.until(
            "all know the new machine and the refresh",
            lambda: all(
                core.aggregates.members[CHIARA].former_keys
                and refresh in core.aggregates.ceremonies
                for core in cores
            ),
        )
        # Whoever has the old machine completes the certificate, and a member hands it on.
        ceremony = cores[0].aggregates.ceremony(refresh)
        assert ceremony.sealed is not None
        token = stolen.session(LoopClock(cluster.loop))
        await token.unlock(SecretBytes(DEFAULT_PIN))
        forged = await token.identity.sign(ceremony.sealed.certificate_message)
        part = key_certificate(ceremony, cores[1].ports.clock.now_ms())
        assert part is not None
        whole = msgspec.structs.replace(
            part, signatures=(*part.signatures, CertificateSignature(CHIARA, forged))
        )
        assert {s.member for s in whole.signatures} == set(MEMBERS)
        ben = Statements(BEN, cores[1].ports.vault.identity, vault_id(founders))
        signed = to_signed((await ben.sign(whole)).evidence)
        for core in cores:
            await core.exchange.on_announce(Announce(signed))
        await asyncio.sleep(30)
        for core in cores:
            assert core.aggregates.wallet(wallet).epoch == 0
            assert core.aggregates.ceremony(refresh).state in OVER
        await operators.change(ANA, MEMBERS, ProposeRepair(wallet, CHIARA))
        await operators.transfer(ANA, wallet, 6)

    play(scene)


def test_shares_are_handed_over_to_more_members() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.change(
            ANA,
            FIVE,
            ProposeReshare(wallet=wallet, threshold=3, custodians=FIVE, approvals_needed=2),
        )
        await operators.quiet(wallet)
        await operators.transfer(ELI, wallet, 5, approvers=(DORA, BEN))
        for member in FIVE:
            assert epochs_at(cluster, member, wallet) == {1}

    play(scene, members=FIVE)


def test_who_leaves_keeps_its_index_free_and_erases_its_share() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        after = (ANA, CHIARA, DORA, ELI)
        await operators.change(
            BEN,
            FIVE,
            ProposeReshare(wallet=wallet, threshold=2, custodians=after, approvals_needed=2),
        )
        await cluster.until(
            "Ben has signed that its share is gone",
            lambda: all(
                cluster.seats[m].core.aggregates.wallet(wallet).has_erased(BEN) for m in FIVE
            ),
        )
        quorum = cluster.seats[ELI].core.aggregates.wallet(wallet).quorum
        assert quorum.shares == ((1, ANA), (3, CHIARA), (4, DORA), (5, ELI))
        assert epochs_at(cluster, BEN, wallet) == set()
        await operators.transfer(DORA, wallet, 5, approvers=(ANA, ELI))

    play(scene, members=FIVE)


def test_a_member_who_does_not_answer_can_be_left_out() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        cluster.crash(CHIARA)
        after = (ANA, BEN, DORA)
        command = ProposeReshare(
            wallet=wallet, threshold=2, custodians=after, approvals_needed=2, dealers=(ANA, BEN)
        )
        outcome = await cluster.command(ANA, lambda: command)
        ceremony = CeremonyId(outcome.subject)
        await asyncio.gather(*(operators.accept(m, ceremony) for m in after))
        await cluster.until("one code", lambda: operators.common_code(ceremony, after))
        await asyncio.gather(*(operators.confirm(m, ceremony) for m in after))
        await cluster.until(
            "the three have the epoch",
            lambda: all(cluster.seats[m].core.aggregates.wallet(wallet).epoch for m in after),
        )
        # The one left out comes back, learns it from the certificate, and erases its share.
        await cluster.restart(CHIARA)
        await cluster.until(
            "Chiara has erased", lambda: epochs_at(cluster, CHIARA, wallet) == set() or None
        )
        await cluster.restart(ELI) if not cluster.seats[ELI].alive else None
        await operators.transfer(DORA, wallet, 5, approvers=(ANA, BEN))

    play(scene, members=FIVE)


@pytest.mark.parametrize("point", [f"key-ceremony:{number}" for number in range(1, 6)])
@pytest.mark.parametrize("victim", [ANA, BEN, DORA])
def test_a_reshare_interrupted_at_any_round_leaves_one_usable_set(
    point: str, victim: MemberId
) -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        cluster.seats[victim].crash_at[point] = 0
        after = (ANA, BEN, DORA, ELI)
        await operators.change(
            ANA,
            FIVE,
            ProposeReshare(wallet=wallet, threshold=3, custodians=after, approvals_needed=2),
        )
        await operators.transfer(ELI, wallet, 5, approvers=(ANA, DORA))
        for member in after:
            assert epochs_at(cluster, member, wallet) == {1}

    play(scene, members=FIVE)


def test_a_ceremony_that_nobody_finishes_leaves_the_old_shares_in_use() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        outcome = await cluster.command(ANA, lambda: ProposeRefresh(wallet))
        first = CeremonyId(outcome.subject)
        await asyncio.gather(*(operators.accept(m, first) for m in MEMBERS))
        await cluster.until("one code", lambda: operators.common_code(first, MEMBERS))
        # Two certify, one cancels: the certificate will never be whole.
        await asyncio.gather(*(operators.confirm(m, first) for m in (ANA, BEN)))
        await cluster.command(CHIARA, lambda: CancelCeremony(first, "the codes differ"))
        await cluster.until(
            "all know that it is over",
            lambda: all(
                cluster.seats[m].core.aggregates.ceremony(first).state in OVER for m in MEMBERS
            ),
        )
        await operators.transfer(ANA, wallet, 5)
        # The next one takes another epoch: nobody certifies two sets for one.
        await operators.change(BEN, MEMBERS, ProposeRefresh(wallet))
        await operators.quiet(wallet)
        await operators.transfer(BEN, wallet, 6)
        for member in MEMBERS:
            assert cluster.seats[member].core.aggregates.wallet(wallet).epoch == 2
            assert epochs_at(cluster, member, wallet) == {2}

    play(scene)


def test_only_a_run_of_its_own_proves_to_a_member_who_signed_a_request() -> None:
    async def scene(cluster: SimulatedCluster, operators: Operators) -> None:
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        await asyncio.sleep(10)  # more than their clocks differ, so what is newest is clear
        request = await operators.transfer(ANA, wallet, 5)

        def signed_at(member: MemberId) -> RequestSigned | None:
            return cluster.seats[member].core.aggregates.request(request).signed

        await cluster.until("all know the signature", lambda: all(map(signed_at, MEMBERS)))
        for member in MEMBERS:
            core, signed = cluster.seats[member].core, signed_at(member)
            assert signed
            told = core.aggregates.request(request)
            unproved = SigningAttempt(SessionId("00" * 32), MEMBERS, ANA, 0)
            failed = SigningAttempt(signed.session, MEMBERS, ANA, 0, failure="no answer")
            core.aggregates.requests[request] = replace(
                told,
                signatures=(replace(signed, signers=MEMBERS),),
                attempts=(*told.attempts, unproved, failed),
            )
            views = recovery_view(core, signed.at_ms, 0).wallets[0].shares
            newest = {s.member for s in views if s.last_proved_ms == signed.at_ms}
            assert newest == (set(signed.signers) if member in signed.signers else set())

    play(scene)
