"""A session ends exactly once, whatever its purpose, its peers and the network do."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from console.application.errors import HsmError, LedgerUnavailable
from console.application.peers.messages import Ack, Refused, SessionMessage, decode_request, encode
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.timeouts import AdaptiveTimeouts, TimeoutLimits
from console.application.sessions import protocol_session
from console.application.sessions.protocol_session import (
    FailureKind,
    ProtocolSession,
    SessionContext,
    SessionFailed,
    SessionInfo,
)
from console.application.sessions.signed_envelopes import SignedEnvelopes
from console.domain.errors import AlreadyDecided, NotYetPossible
from console.domain.ids import MemberId, SessionId
from console.protocols.kernel.abort import (
    AbortKind,
    MessageRejected,
    ProtocolAbort,
    ban,
    blame,
    freeze,
)
from console.protocols.kernel.channel import ChannelKeys, PairwiseChannels
from console.protocols.kernel.evidence import NotTold, Told
from console.protocols.kernel.party import Party
from console.protocols.kernel.session import decode_envelope, encode_envelope
from tests.adversary.network import SESSION_ID
from tests.adversary.talk import Shown, Whisper, Word, envelope, talk
from tests.fakes.clock import LoopClock, run_in_virtual_time
from tests.fakes.network import FakeNetwork
from tests.unit.domain.facts import ANA, BEN, CHIARA

INDICES = {ANA: 1, BEN: 2}
ROUNDS = 3


@dataclass
class Purpose:
    """Notes what happened; raises what the test wants at a step."""

    release_round: int = 2
    patience: float = 1.0
    raises: dict[str, Exception] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    async def releasing(self, _info: SessionInfo) -> None:
        self._step("releasing")

    async def succeeded(self, _info: SessionInfo, _outcome: Any) -> None:
        self._step("succeeded")

    async def failed(self, _info: SessionInfo, _failure: SessionFailed) -> None:
        self._step("failed")

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.raises:
            raise self.raises[name]


class Pair:
    """Two sessions of one session over the fake network, in virtual time."""

    def __init__(self, network: FakeNetwork | None = None) -> None:
        self.network = network or FakeNetwork()
        self.purposes = {m: Purpose() for m in INDICES}
        self.sent: list[tuple[MemberId, bytes]] = []
        keys = {m: ChannelKeys.generate(bytes([i]).__mul__) for m, i in INDICES.items()}
        public = {INDICES[m]: k.public for m, k in keys.items()}
        clock = LoopClock(asyncio.get_running_loop())
        self.runs: dict[MemberId, ProtocolSession] = {}
        for member, index in INDICES.items():
            tools = SessionContext(
                me=member,
                network=self.network.plug(member, tuple(INDICES), clock),
                timeouts=AdaptiveTimeouts(TimeoutLimits(work_s=0.1)),
                sign_envelope=signer(member),
                monotonic_s=clock.monotonic_s,
                checkpoint=lambda _name: None,
                moved=lambda _subject: None,
            )
            info = SessionInfo(
                SessionId(SESSION_ID.hex()), "talk", "kc", ANA, (ANA, BEN), INDICES, (), 0, 0
            )
            channels = PairwiseChannels(index, keys[member], public, SESSION_ID)
            envelopes = SignedEnvelopes(member, channels, tools.sign_envelope, verify, verify)
            self.runs[member] = ProtocolSession(info, self.purposes[member], tools, envelopes, talk)
            self.network.attach(member, self._receiver(member))

    def _receiver(self, member: MemberId) -> Any:
        async def receive(sender: MemberId, data: bytes) -> bytes:
            message = decode_request(data)
            assert isinstance(message, SessionMessage)
            self.sent.append((sender, message.envelope))
            try:
                envelope = decode_envelope(message.envelope)
                await self.runs[member].receive(sender, envelope, message.signature)
            except (MessageRejected, StatementRefused) as rejected:
                return encode(Refused(str(rejected)))
            return encode(Ack())

        return receive

    async def drive(self, *members: MemberId) -> None:
        chosen = members or tuple(INDICES)
        await asyncio.gather(*(self.runs[member].drive() for member in chosen))


def signature(member: MemberId, envelope: bytes) -> bytes:
    return hashlib.sha512(f"{member} signed ".encode() + envelope).digest()


def verify(member: MemberId, envelope: bytes, shown: bytes) -> None:
    if shown != signature(member, envelope):
        raise StatementRefused("the signature does not hold")


def signer(member: MemberId) -> Callable[[bytes], Awaitable[bytes]]:
    async def sign(envelope: bytes) -> bytes:
        return signature(member, envelope)

    return sign


def test_a_run_succeeds_on_both_sides() -> None:
    async def scene() -> None:
        pair = Pair()
        await pair.drive()
        for member, run in pair.runs.items():
            assert run.failure is None
            assert run.outcome
            assert pair.purposes[member].steps == ["releasing", "succeeded"]

    run_in_virtual_time(scene())


@pytest.mark.parametrize(
    "trouble",
    [
        NotYetPossible("the session was ended meanwhile"),
        HsmError("the token is gone"),
        StatementRefused("no"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_outcome_that_cannot_be_used_is_a_failure(trouble: Exception) -> None:
    async def scene() -> None:
        pair = Pair()
        pair.purposes[ANA].raises["succeeded"] = trouble
        async with asyncio.timeout(60):
            await pair.drive()
        run = pair.runs[ANA]
        assert run.failure is not None
        assert run.failure.failure_kind is FailureKind.REFUSED
        assert run.outcome is None
        assert pair.purposes[ANA].steps == ["releasing", "succeeded", "failed"]

    run_in_virtual_time(scene())


def test_a_run_ends_although_its_failure_cannot_be_recorded() -> None:
    async def scene() -> None:
        pair = Pair()
        pair.purposes[ANA].raises["failed"] = LedgerUnavailable("disk full")
        run = pair.runs[ANA]
        with pytest.raises(LedgerUnavailable):
            await run.fail(SessionFailed(FailureKind.CANCELLED, "stop"))
        assert run.ended.is_set()

    run_in_virtual_time(scene())


def test_nothing_of_the_release_round_leaves_before_it_is_recorded() -> None:
    async def scene() -> None:
        pair = Pair()
        pair.purposes[ANA].raises["releasing"] = AlreadyDecided("released before")
        await pair.drive()
        rounds = {decode_envelope(data).round for sender, data in pair.sent if sender == ANA}
        assert rounds == {1}
        assert pair.runs[ANA].failure is not None
        assert pair.purposes[ANA].steps == ["releasing", "failed"]

    run_in_virtual_time(scene())


def test_a_silent_peer_is_unreachable_and_not_blamed() -> None:
    async def scene() -> None:
        pair = Pair()
        await pair.drive(ANA)
        failure = pair.runs[ANA].failure
        assert failure is not None
        assert failure.failure_kind is FailureKind.TIMEOUT
        assert failure.unreachable == {BEN}
        assert not failure.blamed
        assert "ben" in failure.reason

    run_in_virtual_time(scene())


def test_loss_and_duplicates_are_made_good_with_the_same_bytes() -> None:
    async def scene() -> None:
        network = FakeNetwork(seed=7)
        network.faults.lose_request = network.faults.lose_reply = 0.1
        network.faults.duplicate = 0.5
        pair = Pair(network)
        for run in pair.runs.values():
            for other in INDICES:
                run.tools.timeouts.observe(other, 0.02)
        await pair.drive()
        await network.settle()
        assert all(run.failure is None for run in pair.runs.values())
        for member in INDICES:
            said = {
                (decode_envelope(d).round, decode_envelope(d).kind): d
                for s, d in pair.sent
                if s == member
            }
            assert {d for s, d in pair.sent if s == member} == set(said.values())

    run_in_virtual_time(scene())


@pytest.mark.parametrize("sender", [BEN, CHIARA])
def test_an_envelope_names_its_signer(sender: MemberId) -> None:
    async def scene() -> None:
        pair = Pair()
        await pair.drive()
        mine = next(decode_envelope(data) for who, data in pair.sent if who == ANA)
        with pytest.raises(MessageRejected, match="another sender"):
            await Pair().runs[BEN].receive(sender, mine, b"")

    run_in_virtual_time(scene())


def test_a_run_ends_once() -> None:
    async def scene() -> None:
        pair = Pair()
        run = pair.runs[ANA]
        await run.fail(SessionFailed(FailureKind.CANCELLED, "first"))
        await run.fail(SessionFailed(FailureKind.TIMEOUT, "second"))
        assert run.failure is not None
        assert run.failure.reason == "first"
        assert pair.purposes[ANA].steps == ["failed"]
        await pair.drive()
        assert pair.purposes[ANA].steps == ["failed"]

    run_in_virtual_time(scene())


def test_a_whisper_is_for_its_recipient_and_opens_for_nobody_else() -> None:
    async def scene() -> None:
        pair = Pair()
        await pair.drive()
        envelopes = [decode_envelope(data) for who, data in pair.sent if who == BEN]
        whisper = next(e for e in envelopes if e.recipient is not None)
        ana = Pair().runs[ANA]
        for spoiled, words in (
            (replace(whisper, recipient=3), "for another member"),
            (replace(whisper, payload=whisper.payload[:-1] + b"\x00"), "."),
            (replace(whisper, payload=b""), "."),
        ):
            with pytest.raises(MessageRejected, match=words):
                await ana.receive(BEN, spoiled, b"")

    run_in_virtual_time(scene())


@pytest.mark.parametrize("private", [False, True])
def test_what_its_sender_did_not_sign_is_refused(private: bool) -> None:
    async def scene() -> None:
        ana, ben = Pair().runs[ANA], Pair().runs[BEN]
        said = envelope(Whisper if private else Word)
        for other in (signature(CHIARA, encode_envelope(said)), bytes(64), b""):
            sealed, outer = said, other
            if private:
                plain = other + said.payload
                sealed, outer = (
                    replace(said, payload=ben.envelopes.channels.seal(1, plain, said.header)),
                    b"",
                )
            with pytest.raises(StatementRefused, match="does not hold"):
                await ana.receive(BEN, sealed, outer)
        assert not ana.session.rounds_received

    run_in_virtual_time(scene())


def showing(change: Callable[[Told], Told], seen: list[bool]) -> Callable[[Party], Any]:
    """Each shows all others what it was told alone; `seen` says whether that proves anything."""

    async def protocol(party: Party) -> None:
        (other,) = party.others
        await party.send(other, Whisper(b"to %d" % other))
        await party.gather(Whisper)
        await party.broadcast(Shown(change(party.told(other, Whisper))))
        shown = await party.gather(Shown)
        try:
            told = party.read(shown[other].told, other, party.me, Whisper)
        except NotTold:
            seen.append(False)
        else:
            seen.append(told.text == b"to %d" % other)

    return protocol


@pytest.mark.parametrize("forged", [False, True])
def test_what_one_was_told_alone_can_be_shown_to_others(forged: bool) -> None:
    def change(told: Told) -> Told:
        return replace(told, signature=bytes(64)) if forged else told

    async def scene() -> None:
        pair, seen = Pair(), list[bool]()
        for member, run in pair.runs.items():
            pair.runs[member] = ProtocolSession(
                run.info, run.purpose, run.tools, run.envelopes, showing(change, seen)
            )
        await pair.drive()
        assert all(run.failure is None for run in pair.runs.values())
        assert seen == [not forged] * 2

    run_in_virtual_time(scene())


def noting(pair: Pair, member: MemberId) -> ProtocolSession:
    """Give a session of that member whose protocol notes that it was closed."""
    run, steps = pair.runs[member], pair.purposes[member].steps

    async def protocol(party: Party) -> list[bytes]:
        try:
            return await talk(party)
        finally:
            steps.append("closed")

    return ProtocolSession(run.info, run.purpose, run.tools, run.envelopes, protocol)


def test_the_secrets_of_a_failed_run_are_gone_before_its_failure_is_recorded() -> None:
    async def scene() -> None:
        pair = Pair()
        run = noting(pair, ANA)
        work = asyncio.create_task(run.drive())
        await asyncio.sleep(0.01)
        await run.fail(SessionFailed(FailureKind.CANCELLED, "stop"))
        await work
        assert pair.purposes[ANA].steps == ["closed", "failed"]

    run_in_virtual_time(scene())


def test_the_secrets_of_a_run_are_gone_when_its_node_stops() -> None:
    async def scene() -> None:
        pair = Pair()
        run = noting(pair, ANA)
        work = asyncio.create_task(run.drive())
        await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait({work})
        assert pair.purposes[ANA].steps == ["closed"]

    run_in_virtual_time(scene())


def finding_fault(pair: Pair, abort: ProtocolAbort) -> ProtocolSession:
    """Give Ana's session, which hears Ben's first words and then finds fault with them."""
    run = pair.runs[ANA]

    async def protocol(party: Party) -> None:
        await party.broadcast(Word(b"word 1"))
        await party.send(2, Whisper(b"to 2"))
        await party.gather(Word)
        await party.gather(Whisper)
        raise abort

    pair.runs[ANA] = ProtocolSession(run.info, run.purpose, run.tools, run.envelopes, protocol)
    return pair.runs[ANA]


def test_a_blame_comes_with_what_the_blamed_said_to_all_and_nobody_else_s_words() -> None:
    async def scene() -> None:
        for abort, blamed in (
            (blame({2}, "word", "it is false"), {BEN}),
            (blame({1}, "word", "it is false"), {ANA}),
            (freeze("word", "it is false"), set()),
            (ban(2, "word", "it is false"), {BEN}),
        ):
            pair = Pair()
            run = finding_fault(pair, abort)
            await pair.drive()
            failure = run.failure
            assert failure is not None
            assert (failure.failure_kind, failure.kind) == (FailureKind.ABORTED, abort.kind)
            assert (failure.blamed, failure.check) == (blamed, "word")
            said = [d for who, d in pair.sent if who in blamed and not decode_envelope(d).recipient]
            # A ban is for what only two parties know: the words said to all prove nothing.
            proven = abort.kind is AbortKind.BLAME
            assert [m.envelope for m in failure.proof] == (said[:1] if proven else [])

    run_in_virtual_time(scene())


def test_a_blame_comes_with_the_words_of_those_who_showed_it() -> None:
    async def scene() -> None:
        pair = Pair()
        abort = blame({2}, "word", "Ana shows what Ben told her alone", witnesses=frozenset({1}))
        run = finding_fault(pair, abort)
        await pair.drive()
        assert run.failure is not None
        assert run.failure.blamed == {BEN}
        assert {message.sender for message in run.failure.proof} == {ANA, BEN}

    run_in_virtual_time(scene())


def test_what_is_kept_as_proof_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async def proof_of(bound: int) -> int:
        monkeypatch.setattr(protocol_session, "MAX_HEARD_BYTES", bound)
        pair = Pair()
        run = finding_fault(pair, blame({2}, "word", "it is false"))
        await pair.drive()
        assert run.failure is not None
        return sum(len(message.envelope) for message in run.failure.proof)

    async def scene() -> None:
        size = await proof_of(1 << 18)
        assert size
        assert await proof_of(size) == size
        assert await proof_of(size - 1) == 0

    assert protocol_session.MAX_HEARD_BYTES == 1 << 18
    run_in_virtual_time(scene())


def test_only_an_outcome_and_a_verdict_wait_for_their_last_messages() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()

        async def taken_by(end: SessionFailed) -> float:
            pair = Pair()
            pair.network.detach(BEN)
            run = pair.runs[ANA]
            work = asyncio.create_task(run.drive())
            await asyncio.sleep(0.01)
            begun = loop.time()
            await run.fail(end)
            await work
            return loop.time() - begun

        assert await taken_by(SessionFailed(FailureKind.CANCELLED, "stop")) < 0.01
        assert await taken_by(SessionFailed(FailureKind.ABORTED, "it is false")) > 0.1

    run_in_virtual_time(scene())
