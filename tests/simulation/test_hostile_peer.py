"""A custodian that says anything at all: the others refuse, stay up, and go on."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Coroutine

import msgspec
import pytest
from structlog.testing import capture_logs

from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.tls import peer_pin
from console.application.api import CommandRefused, GetCeremonies
from console.application.ceremonies.certificates import key_certificate
from console.application.commands import ProposeCeremony
from console.application.core import Core
from console.application.peers.messages import (
    Ack,
    Announce,
    AnyReply,
    Begin,
    Invite,
    Pull,
    Pulled,
    Ready,
    Refused,
    SessionMessage,
    decode_reply,
    decode_request,
    encode,
)
from console.application.peers.signed_statements import (
    SignedStatement,
    Statements,
    Verified,
    signer_of,
    to_signed,
    vault_id,
)
from console.application.peers.statements import (
    AnyStatement,
    CeremonyProposal,
    CodeConfirmation,
    DrillResult,
    Invitation,
    LedgerHead,
    Readiness,
    SessionFailure,
    Statement,
    TransferProposal,
    Withdrawal,
)
from console.application.sessions.host import MAX_OPEN_SESSIONS
from console.application.sessions.invitations import MAX_SESSION_MS
from console.application.sessions.protocol_session import SessionFailed
from console.application.views import NodeState
from console.domain.ids import CeremonyId, MemberId
from console.domain.key_ceremony import CeremonyState
from console.domain.quotas import DAY_MS, Counted
from console.domain.roster import NO_DECISION
from console.domain.times import MAX_CLOCK_SKEW_MS
from console.protocols.kernel.channel import ChannelKeys
from tests.fakes.clock import START_MS, LoopClock, run_in_virtual_time
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.hostile_statements import KINDS, Hostile, hostile_certificates
from tests.simulation.operators import KIND, Operators

ANA, BEN, CHIARA = MEMBERS
WALLET = "wl-" + "0" * 16
Scene = Callable[[SimulatedCluster], Coroutine[None, None, None]]
Answer = Callable[[bytes], Awaitable[bytes | AnyReply | None]]


def play(scene: Scene, halted: Collection[MemberId] = ()) -> None:
    """Run a scene in a healthy cluster; at its end exactly `halted` have halted."""

    async def whole() -> None:
        cluster = SimulatedCluster(0)
        cluster.slowest_disk_s = 0.0
        await cluster.start()
        try:
            await scene(cluster)
            for name, seat in cluster.seats.items():
                assert seat.node is not None
                expected = NodeState.HALTED if name in halted else NodeState.READY
                assert seat.node.state is expected, seat.node.halted_because
        finally:
            await cluster.stop()

    run_in_virtual_time(whole())


def corrupt(cluster: SimulatedCluster, member: MemberId, answer: Answer) -> Callable[[], None]:
    """Let `answer` speak for a member where it gives something; the returned call ends that."""
    honest = cluster.network.handlers[member]

    async def hostile(peer: MemberId, data: bytes) -> bytes:
        said = await answer(data)
        if said is None:
            return await honest(peer, data)
        return said if isinstance(said, bytes) else encode(said)

    cluster.network.attach(member, hostile)
    return lambda: cluster.network.attach(member, honest)


def voice_of(core: Core) -> Statements:
    """Speak as a member does, past its services."""
    founders = tuple(m for m in core.aggregates.members.values() if m.founder)
    return Statements(core.me, core.ports.vault.identity, vault_id(founders))


async def signed_by(core: Core, statement: AnyStatement) -> SignedStatement:
    return to_signed((await voice_of(core).sign(statement)).evidence)


def verified_by(core: Core, signed: SignedStatement) -> Verified:
    return voice_of(core).verify(signed, signer_of(signed, core.aggregates.members))


def transfer(wallet: str, **changed: object) -> TransferProposal:
    proposal = TransferProposal(
        at_ms=START_MS,
        request="rq-" + "1" * 16,
        wallet=wallet,
        epoch=0,
        kind=KIND.value,
        chain="solana",
        network="devnet",
        path="m",
        transaction=b"no transaction",
        fee_ceiling=1,
        note="",
        policy_version=1,
        nonce=bytes(16),
        expires_at_ms=START_MS + 10**8,
    )
    return msgspec.structs.replace(proposal, **changed)


def ceremony(**changed: object) -> CeremonyProposal:
    proposal = CeremonyProposal(
        at_ms=START_MS,
        ceremony="kc-" + "1" * 16,
        wallet=WALLET,
        wallet_name="Hostile",
        kinds=(KIND.value,),
        threshold=2,
        custodians=tuple(MEMBERS),
        approvals_needed=2,
        expires_at_ms=START_MS + 10**8,
    )
    return msgspec.structs.replace(proposal, **changed)


@pytest.mark.parametrize(
    "noise", [b"", b"\xc1", b"\x00" * 100, encode(Ack()), encode(Refused("no"))]
)
def test_nonsense_as_every_answer_harms_nobody(noise: bytes) -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        async def answer(_data: bytes) -> bytes:
            return noise

        restore = corrupt(cluster, CHIARA, answer)
        work = asyncio.create_task(Operators(cluster).hold_ceremony(ANA))
        await asyncio.sleep(60)
        assert not work.done()
        restore()
        await work

    play(scene)


@pytest.mark.parametrize("round_of_noise", ["invite", "begin", "run"])
def test_nonsense_during_a_session_ends_the_session_only(round_of_noise: str) -> None:
    kinds = {"invite": Invite, "begin": Begin, "run": SessionMessage}

    async def scene(cluster: SimulatedCluster) -> None:
        async def answer(data: bytes) -> bytes | None:
            return b"\xc1" if isinstance(decode_request(data), kinds[round_of_noise]) else None

        restore = corrupt(cluster, CHIARA, answer)
        work = asyncio.create_task(Operators(cluster).hold_ceremony(ANA))
        await asyncio.sleep(30)
        assert not work.done()
        ended = sessions(cluster)
        # Without her answer to the invitation there is no session at all.
        assert bool(ended) == (round_of_noise != "invite")
        for failure in ended:
            assert failure is not None
            assert failure.reason.startswith("no answer from ")
            assert failure.unreachable <= {CHIARA}
            assert not failure.blamed
        restore()
        await work
        assert sessions(cluster).count(None) == 2
        assert not any(seat.core.aggregates.verdicts for seat in cluster.seats.values())

    play(scene)


def sessions(cluster: SimulatedCluster) -> list[SessionFailed | None]:
    """Return how each ceremony session ended at Ana's and Ben's; None for a success."""
    return [
        session.failure
        for seat in (cluster.seats[ANA], cluster.seats[BEN])
        for ceremony in seat.core.aggregates.ceremonies
        for session in seat.core.host.of_subject(ceremony)
        if session.ended.is_set()
    ]


@pytest.mark.parametrize("channel_key", [b"", b"short", bytes(32)])
def test_an_unusable_channel_key_blocks_no_later_run(channel_key: bytes) -> None:
    """What a bad readiness stops must not stay on record as under way."""

    async def scene(cluster: SimulatedCluster) -> None:
        core = cluster.seats[CHIARA].core

        async def answer(data: bytes) -> AnyReply | None:
            request = decode_request(data)
            if not isinstance(request, Invite):
                return None
            invitation = verified_by(core, request.invitation)
            readiness = Readiness(
                at_ms=START_MS,
                invitation=invitation.digest,
                nonce=bytes(32),
                channel_key=channel_key,
                head_sequence=0,
                head_hash=bytes(32),
            )
            return Ready(await signed_by(core, readiness))

        restore = corrupt(cluster, CHIARA, answer)
        work = asyncio.create_task(Operators(cluster).hold_ceremony(ANA))
        await asyncio.sleep(20)
        for seat in cluster.seats.values():
            for state in seat.core.aggregates.ceremonies.values():
                assert state.state is CeremonyState.ACCEPTED
        restore()
        await work

    play(scene)


@pytest.mark.parametrize("signer", ["nobody", BEN, ANA])
def test_a_readiness_of_somebody_else_is_refused(signer: MemberId) -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        async def answer(data: bytes) -> AnyReply | None:
            request = decode_request(data)
            if not isinstance(request, Invite):
                return None
            if signer not in cluster.seats:
                return Ready(SignedStatement(b"body", signer, bytes(64)))
            core = cluster.seats[signer].core
            readiness = Readiness(
                at_ms=START_MS,
                invitation=verified_by(core, request.invitation).digest,
                nonce=bytes(32),
                channel_key=ChannelKeys.generate(bytes).public,
                head_sequence=0,
                head_hash=bytes(32),
            )
            return Ready(await signed_by(core, readiness))

        restore = corrupt(cluster, CHIARA, answer)
        work = asyncio.create_task(Operators(cluster).hold_ceremony(ANA))
        with capture_logs() as lines:
            await asyncio.sleep(20)
        refused = [line["why"] for line in lines if line["event"] == "ceremony-session-failed"]
        expected = "nobody in the roster" if signer == "nobody" else "answered for somebody else"
        assert refused
        assert all(expected in why for why in refused)
        assert sessions(cluster) == []
        restore()
        await work

    play(scene)


def bad_statements(wallet: str) -> list[AnyStatement]:
    """Signed by a custodian, of good form, and each of them not to be had."""
    return [
        transfer(wallet, kind="unheard-of"),
        transfer(wallet, chain="unheard-of"),
        transfer(wallet, network="unheard-of"),
        transfer(wallet, network="mainnet"),
        transfer(wallet, epoch=7),
        transfer(wallet, transaction=b""),
        transfer(wallet),
        ceremony(kinds=("unheard-of",)),
        ceremony(kinds=()),
        ceremony(threshold=-1),
        ceremony(approvals_needed=9),
        ceremony(custodians=("ana", "nobody")),
        ceremony(custodians=("ana", "ana")),
        ceremony(wallet=wallet),
        SessionFailure(
            at_ms=START_MS, subject="kc-" + "2" * 16, session="0" * 64, reason="x", blamed=()
        ),
        Withdrawal(at_ms=START_MS, request="rq-" + "2" * 16),
        Readiness(
            at_ms=START_MS,
            invitation=bytes(32),
            nonce=bytes(32),
            channel_key=bytes(32),
            head_sequence=1,
            head_hash=bytes(32),
        ),
    ]


def test_bad_statements_are_refused_or_wait_and_harm_nobody() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        core = cluster.seats[CHIARA].core
        signed = [await signed_by(core, statement) for statement in bad_statements(wallet)]
        ana = cluster.seats[ANA].core
        before = (await ana.store.head()).sequence
        for statement in signed:
            data = await cluster.network.handlers[ANA](CHIARA, encode(Announce(statement)))
            assert isinstance(decode_reply(data), Ack | Refused)

        async def answer(data: bytes) -> AnyReply | None:
            if not isinstance(decode_request(data), Pull):
                return None
            return Pulled(statements=tuple(signed), upto=1 << 40, your_head=None)

        restore = corrupt(cluster, CHIARA, answer)
        await asyncio.sleep(10)
        restore()
        assert (await ana.store.head()).sequence == before
        await operators.transfer(BEN, wallet, 5)

    play(scene)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__struct_config__.tag)
def test_no_statement_of_any_kind_ends_a_task_of_another_member(kind: type[Statement]) -> None:
    """Announced and pulled: it is recorded, waits or is refused, and the cursor moves on."""

    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        for seat in cluster.seats.values():
            assert seat.port is not None
            seat.port.pin = lambda member, pem: peer_pin(pem, tls_name(member))
        core, ana = cluster.seats[CHIARA].core, cluster.seats[ANA].core
        hostile = Hostile(7, known_to(ana, wallet), hostile_certificates())
        signed = [await signed_by(core, hostile.statement(kind)) for _ in range(60)]
        for statement in signed[::2]:
            data = await cluster.network.handlers[ANA](CHIARA, encode(Announce(statement)))
            assert isinstance(decode_reply(data), Ack | Refused)

        async def answer(data: bytes) -> AnyReply | None:
            if not isinstance(request := decode_request(data), Pull):
                return None
            asked.append(request.after)
            return Pulled(statements=tuple(signed), upto=1 << 40, your_head=None)

        asked: list[int] = []
        restore = corrupt(cluster, CHIARA, answer)
        await cluster.until("both have pulled all", lambda: asked.count(1 << 40) >= 2 or None)
        restore()

    play(scene)


def known_to(core: Core, wallet: str) -> dict[str, list[object]]:
    """Return what a hostile member knows of this vault, by the names of statements' fields."""
    facts = core.aggregates
    ceremonies = [c for c in facts.ceremonies.values() if c.sealed]
    keys = [key_certificate(c, START_MS) for c in ceremonies]
    return {
        "ceremony": [c.proposal.ceremony for c in ceremonies],
        "subject": [c.proposal.ceremony for c in ceremonies],
        "session": [c.sealed.session for c in ceremonies if c.sealed],
        "proposal": [hashlib.sha256(c.proposal.evidence.body).digest() for c in ceremonies],
        "key-certificate.keys": [k.keys for k in keys if k],
        "key-certificate.signatures": [k.signatures for k in keys if k],
        "wallet": [wallet],
        "purpose": ["refresh", "reshare", "repair"],
        "kind": [KIND.value],
        "kinds": [(KIND.value,)],
        "chain": ["solana"],
        "network": ["devnet"],
        "custodians": [tuple(MEMBERS)],
        "participants": [tuple(MEMBERS)],
        "dealers": [tuple(MEMBERS)],
        "signers": [(ANA, BEN)],
        "threshold": [2, 3],
        "approvals_needed": [2],
        "from_epoch": [0],
        "epoch": [0, 1],
        "policy_version": [1],
        "path": ["m"],
        "prior": [NO_DECISION],
        "retires": [(), (ANA,), (BEN,)],
        "electors": [(CHIARA,), tuple(MEMBERS), (BEN, CHIARA), (CHIARA, ANA)],
    }


def test_nobody_can_say_that_others_passed_a_drill() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        ben = cluster.seats[BEN].core
        drill = next(d for d in ben.aggregates.wallet(wallet).drills if BEN in d.signers)
        told = DrillResult(
            at_ms=drill.at_ms,
            wallet=wallet,
            epoch=drill.epoch,
            session=drill.session,
            signers=drill.signers,
            signatures=drill.signatures,
        )
        other = next(m for m in MEMBERS if m not in drill.signers)
        later = LoopClock(cluster.loop).now_ms() + 2 * MAX_CLOCK_SKEW_MS
        chiara = cluster.seats[CHIARA].core
        before = chiara.aggregates.wallet(wallet).drills

        async def answered(statement: DrillResult) -> AnyReply:
            message = encode(Announce(await signed_by(ben, statement)))
            return decode_reply(await cluster.network.handlers[CHIARA](BEN, message))

        assert isinstance(await answered(told), Ack)
        for changed in (
            msgspec.structs.replace(told, signers=(BEN, other)),
            msgspec.structs.replace(told, session="0" * 64),
        ):
            assert isinstance(await answered(changed), Refused)
        # What was in the future waits for it.
        waiting = chiara.exchange.deferred
        reply = await answered(msgspec.structs.replace(told, at_ms=later))
        assert isinstance(reply, Refused)
        assert reply.later
        assert chiara.exchange.deferred == waiting + 1
        assert chiara.aggregates.wallet(wallet).drills == before

    play(scene)


def test_a_confirmation_that_does_not_verify_waits_and_then_is_refused() -> None:
    """It comes before this member has sealed anything, and is judged when it has."""

    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        work = asyncio.create_task(operators.hold_ceremony(ANA))
        core = cluster.seats[CHIARA].core
        ana = cluster.seats[ANA].core

        def running() -> tuple[CeremonyId, str] | None:
            for name, state in ana.aggregates.ceremonies.items():
                if state.running:
                    return name, state.running.session
            return None

        name, session = await cluster.until("a session runs", running)
        forged = CodeConfirmation(
            at_ms=START_MS, ceremony=name, session=session, certificate_signature=bytes(64)
        )
        for seat in (ANA, BEN):
            message = encode(Announce(await signed_by(core, forged)))
            await cluster.network.handlers[seat](CHIARA, message)
        await work

    play(scene)


def test_an_endless_pull_does_not_keep_a_member_from_the_others() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        count = 0

        async def answer(data: bytes) -> AnyReply | None:
            nonlocal count
            request = decode_request(data)
            if not isinstance(request, Pull):
                return None
            count += 1
            return Pulled(statements=(), upto=request.after + 1, your_head=None)

        corrupt(cluster, CHIARA, answer)
        ana = cluster.seats[ANA].core
        async with asyncio.timeout(600):
            await ana.exchange.catch_up(CHIARA)
        assert count >= 64

    play(scene)


def test_an_invitation_that_comes_again_or_late_ends_no_run() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.transfer(ANA, wallet, 1)
        invites = [m for s, t, m in cluster.network.sent if (s, t) == (ANA, BEN) and _is_invite(m)]
        head = await cluster.seats[BEN].core.store.head()
        for invite in invites:
            reply = decode_reply(await cluster.network.handlers[BEN](ANA, invite))
            assert isinstance(reply, Refused)
        assert await cluster.seats[BEN].core.store.head() == head


def test_a_late_invitation_undoes_no_sealed_share() -> None:
    """It was refused when it was sent, since acceptances were missing; it would be good now."""

    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        core = cluster.seats[ANA].core
        name = await operators.propose(ANA, "Treasury")
        early = Invitation(
            at_ms=core.ports.clock.now_ms(),
            purpose="key-ceremony",
            subject=name,
            terms=core.key_generation.terms(name),
            participants=tuple(MEMBERS),
            nonce=bytes(32),
            deadline_ms=START_MS + 10**5,
        )
        invite = encode(Invite(await signed_by(core, early)))
        await asyncio.gather(*(operators.accept(m, name) for m in MEMBERS))
        await cluster.until("one code", lambda: operators.common_code(name, MEMBERS))
        reply = decode_reply(await cluster.network.handlers[BEN](ANA, invite))
        assert isinstance(reply, Refused)
        assert cluster.seats[BEN].core.aggregates.ceremony(name).sealed is not None

    play(scene)


def test_a_used_invitation_is_refused_while_the_ceremony_is_open() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        name = await operators.propose(ANA, "Treasury")
        await asyncio.gather(*(operators.accept(m, name) for m in MEMBERS))
        await cluster.until("one code", lambda: operators.common_code(name, MEMBERS))
        for source, target, message in tuple(cluster.network.sent):
            if _is_invite(message):
                await cluster.network.handlers[target](source, message)
        assert operators.common_code(name, MEMBERS)

    play(scene)


def _is_invite(message: bytes) -> bool:
    return isinstance(decode_request(message), Invite)


def test_a_rolled_back_member_is_found_out_by_a_peers_receipt() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        await Operators(cluster).hold_ceremony(ANA)
        seat = cluster.seats[BEN]
        cluster.crash(BEN)
        # Ledger and token of the same earlier day, so that only others can know.
        del seat.ledger.records[3:]
        seat.token.anchor.head = None
        await cluster.restart(BEN)

        def halted() -> str | None:
            return seat.node.halted_because if seat.node else None

        why = await cluster.until("ben is found out", halted)
        assert "signed receipt" in why

    play(scene, halted={BEN})


def test_a_wallet_s_name_that_looks_like_another_s_is_marked_or_refused() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        await Operators(cluster).hold_ceremony(ANA)
        ana, core = cluster.seats[ANA], cluster.seats[CHIARA].core
        assert ana.console is not None
        with pytest.raises(CommandRefused, match="'Treasury' already"):
            await ana.console.execute(
                ProposeCeremony(
                    wallet_name="TREASU RY",
                    kinds=(KIND.value,),
                    threshold=2,
                    custodians=tuple(MEMBERS),
                    approvals_needed=2,
                )
            )
        mixed = ceremony(wallet_name="Tre\u0430sury")
        reply = decode_reply(
            await cluster.network.handlers[ANA](
                CHIARA, encode(Announce(await signed_by(core, mixed)))
            )
        )
        assert isinstance(reply, Refused)
        assert "several alphabets" in reply.reason
        alike = ceremony(wallet_name="treasury")
        message = encode(Announce(await signed_by(core, alike)))
        assert decode_reply(await cluster.network.handlers[ANA](CHIARA, message)) == Ack()
        page = await ana.console.ask(GetCeremonies())
        assert "can be taken for that of 'Treasury'" in page.ceremonies[0].sentence

    play(scene)


def test_a_flood_of_proposals_is_bounded_and_hides_nothing() -> None:
    """Chiara proposes without end, dated over a week; Ana's own proposal stays on top."""

    async def scene(cluster: SimulatedCluster) -> None:
        ana, core = cluster.seats[ANA], cluster.seats[CHIARA].core
        answers = []
        for number in range(4 * Counted.CEREMONY.value):
            at_ms = START_MS - (number % 3) * DAY_MS
            flood = ceremony(
                ceremony=f"kc-{number:016x}",
                wallet=f"wl-{number:016x}",
                at_ms=at_ms,
                expires_at_ms=at_ms + 60_000,
            )
            message = encode(Announce(await signed_by(core, flood)))
            data = await cluster.network.handlers[ANA](CHIARA, message)
            answers.append(decode_reply(data))
        taken = answers.count(Ack())
        assert 0 < taken <= 2 * Counted.CEREMONY.value
        assert any("in a day" in a.reason for a in answers if isinstance(a, Refused))
        await asyncio.sleep(120)
        name = await Operators(cluster).propose(ANA, "Treasury")
        assert ana.console is not None
        page = await ana.console.ask(GetCeremonies())
        assert page.total == taken + 1
        assert len(page.ceremonies) == GetCeremonies().limit
        # All of hers are over: the only one that waits comes first, whatever the dates.
        assert page.ceremonies[0].ceremony == name
        second = await ana.console.ask(GetCeremonies(offset=len(page.ceremonies)))
        shown = [c.ceremony for c in (*page.ceremonies, *second.ceremonies)]
        assert len(set(shown)) == len(shown) == page.total

    play(scene)


def test_a_member_that_shows_two_ledgers_is_found_out_by_all() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        core, node = cluster.seats[CHIARA].core, cluster.seats[CHIARA].node
        assert node is not None
        shown = {
            peer: await signed_by(
                core, LedgerHead(at_ms=START_MS, sequence=5_000, hash=peer.encode().ljust(32))
            )
            for peer in (ANA, BEN)
        }
        honest = cluster.network.handlers[CHIARA]

        async def hostile(peer: MemberId, data: bytes) -> bytes:
            if not isinstance(request := decode_request(data), Pull):
                return await honest(peer, data)
            return encode(
                Pulled(statements=(), upto=request.after, your_head=None, heads=(shown[peer],))
            )

        cluster.network.attach(CHIARA, hostile)

        def proven() -> bool | None:
            cores = [cluster.seats[m].core for m in (ANA, BEN)]
            return all(c.aggregates.members[CHIARA].forked for c in cores) or None

        await cluster.until("both hold the proof", proven)
        # Her own node is told as well, and stops: its ledger is neither of the two.
        why = await cluster.until("hers stops", lambda: node.halted_because or None)
        assert "record 5000" in why

    play(scene, halted={CHIARA})


def test_invitations_that_nobody_begins_do_not_shut_the_door() -> None:
    """Chiara invites without end, about everything that she can; nothing of it begins."""

    async def scene(cluster: SimulatedCluster) -> None:
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        core, subject = cluster.seats[CHIARA].core, f"{wallet}@0"
        for number in range(2 * MAX_OPEN_SESSIONS):
            now = core.ports.clock.now_ms()
            invitation = Invitation(
                at_ms=now,
                purpose="drill",
                subject=subject,
                terms=core.drills.terms(subject),
                participants=(BEN, CHIARA),
                nonce=number.to_bytes(32, "big"),
                deadline_ms=now + MAX_SESSION_MS,
            )
            invite = encode(Invite(await signed_by(core, invitation)))
            reply = decode_reply(await cluster.network.handlers[BEN](CHIARA, invite))
            assert isinstance(reply, Ready)
            await asyncio.sleep(0.01)
        await operators.transfer(ANA, wallet, 1)

    play(scene)


def test_a_members_own_bug_halts_it_without_quoting_a_secret() -> None:
    async def scene(cluster: SimulatedCluster) -> None:
        node = cluster.seats[CHIARA].node
        assert node is not None

        async def broken() -> None:
            raise ValueError("a secret that an exception quotes")

        node.core.spawn(broken())

        def halted() -> str | None:
            return node.halted_because or None

        why = await cluster.until("chiara halts", halted)
        assert why == "an internal error: ValueError"

    play(scene, halted={CHIARA})
