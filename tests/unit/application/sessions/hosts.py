"""Hosts of three members over the network in memory, with a protocol of words and whispers."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.application.peers.exchange import UNACCEPTABLE
from console.application.peers.messages import (
    Ack,
    AnyReply,
    Begin,
    Invite,
    Ready,
    Refused,
    SessionMessage,
    decode_request,
    encode,
)
from console.application.peers.signed_statements import SignedStatement, Verified, to_signed
from console.application.peers.statements import AnyStatement, Invitation, Readiness
from console.application.peers.timeouts import AdaptiveTimeouts, TimeoutLimits
from console.application.sessions.host import SessionHost, envelope_signer
from console.application.sessions.protocol_session import (
    SessionContext,
    SessionFailed,
    SessionInfo,
    SubProtocol,
)
from console.domain.ids import MemberId
from console.protocols.kernel.channel import ChannelKeys
from console.protocols.kernel.party import Party
from tests.adversary.talk import talk
from tests.fakes.clock import LoopClock, run_in_virtual_time
from tests.fakes.network import FakeNetwork
from tests.unit.application.desk import Desk
from tests.unit.domain.facts import ANA, BEN, CHIARA, CUSTODIANS

INDEX = {member: at for at, member in enumerate(CUSTODIANS, 1)}
SUBJECT = "the weather"


@dataclass
class Talk:
    """Notes what it was asked; raises what a test wants at a step."""

    name: str = "talk"
    release_round: int = 2
    patience: float = 1.0
    steps: list[str] = field(default_factory=list)
    raises: dict[str, Exception] = field(default_factory=dict)

    async def admit(self, _invitation: Invitation, coordinator: MemberId) -> None:
        self._step("admitted", f"admitted {coordinator}")

    def indices(self, invitation: Invitation) -> Mapping[MemberId, int]:
        return {MemberId(m): INDEX[MemberId(m)] for m in invitation.participants}

    def terms(self, subject: str) -> bytes:
        return hashlib.sha256(subject.encode()).digest()

    def parts(self, _invitation: Invitation) -> tuple[SubProtocol, ...]:
        return (SubProtocol("Talk", ("Words", "Numbers")),)

    async def open(self, _info: SessionInfo) -> Any:
        self._step("opened")

        async def run(party: Party) -> list[bytes]:
            try:
                return await talk(party)
            finally:
                self.steps.append("closed")

        return run

    async def releasing(self, _info: SessionInfo) -> None:
        self._step("releasing")

    async def succeeded(self, _info: SessionInfo, _outcome: Any) -> None:
        self._step("succeeded")

    async def failed(self, _info: SessionInfo, _failure: SessionFailed) -> None:
        self._step("failed")

    def _step(self, name: str, text: str = "") -> None:
        self.steps.append(text or name)
        if name in self.raises:
            raise self.raises[name]


@dataclass
class Seat:
    """One member's host; `heads` are the readiness statements it saw of others."""

    desk: Desk
    kind: Talk = field(default_factory=Talk)
    heads: list[MemberId] = field(default_factory=list)
    points: list[str] = field(default_factory=list)

    def sit(self, network: FakeNetwork, clock: LoopClock, tasks: set[asyncio.Task[None]]) -> None:
        port = network.plug(self.desk.me, CUSTODIANS, clock)
        tools = SessionContext(
            me=self.desk.me,
            network=port,
            timeouts=AdaptiveTimeouts(TimeoutLimits(work_s=0.1)),
            sign_envelope=envelope_signer(self.desk.vault.identity),
            monotonic_s=clock.monotonic_s,
            checkpoint=self.points.append,
            moved=lambda _subject: None,
        )

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            tasks.add(asyncio.create_task(work))

        async def saw_head(answer: Verified) -> None:
            self.heads.append(answer.signer)

        self.host = SessionHost(
            tools=tools,
            statements=self.desk.voices[self.desk.me],
            members=self.desk.aggregates.members,
            store=self.desk.ledger,
            clock=clock,
            spawn=spawn,
            saw_head=saw_head,
        )
        self.host.register(self.kind)
        network.attach(self.desk.me, self.answer)

    async def answer(self, peer: MemberId, data: bytes) -> bytes:
        """Answer as a node does."""
        return encode(await self.ask(peer, decode_request(data)))

    async def ask(self, peer: MemberId, request: Any) -> AnyReply:
        try:
            match request:
                case Invite():
                    return await self.host.on_invite(peer, request)
                case Begin():
                    return await self.host.on_begin(peer, request)
                case SessionMessage():
                    return await self.host.on_message(peer, request)
        except UNACCEPTABLE as refusal:
            return Refused(str(refusal))
        raise AssertionError(request)


class Table:
    """Three hosts in virtual time."""

    def __init__(self) -> None:
        self.network = FakeNetwork()
        self.clock = LoopClock(asyncio.get_running_loop())
        self.tasks: set[asyncio.Task[None]] = set()
        self.seats: dict[MemberId, Seat] = {}

    async def open(self) -> "Table":
        first = await Desk().open()
        for member in CUSTODIANS:
            desk = first if member == first.me else await first.neighbour(member)
            self.seats[member] = Seat(desk)
            self.seats[member].sit(self.network, self.clock, self.tasks)
        return self

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def sign(self, member: MemberId, statement: AnyStatement) -> SignedStatement:
        signed = await self.seats[CHIARA].desk.voices[member].sign(statement)
        return to_signed(signed.evidence)

    def invitation(self, **changes: object) -> Invitation:
        facts: dict[str, object] = {
            "at_ms": self.now_ms,
            "purpose": "talk",
            "subject": SUBJECT,
            "participants": CUSTODIANS,
            "nonce": bytes(32),
            "deadline_ms": self.now_ms + 60_000,
        }
        facts |= changes
        subject = str(facts["subject"])
        facts.setdefault("terms", hashlib.sha256(subject.encode()).digest())
        return Invitation(**facts)  # type: ignore[arg-type]

    async def readiness(
        self, member: MemberId, invited_by: SignedStatement, **changes: object
    ) -> SignedStatement:
        """Sign as a member that it is ready, with a channel key of its own."""
        facts: dict[str, object] = {
            "at_ms": self.now_ms,
            "invitation": hashlib.sha256(invited_by.body).digest(),
            "nonce": bytes([INDEX.get(member, 9)]) * 32,
            "channel_key": ChannelKeys.generate(bytes([INDEX.get(member, 9)]).__mul__).public,
            "head_sequence": 0,
            "head_hash": bytes(32),
        }
        return await self.sign(member, Readiness(**(facts | changes)))  # type: ignore[arg-type]

    async def end(self) -> None:
        for seat in self.seats.values():
            await seat.host.stop_all()
        if self.tasks:
            await asyncio.wait(self.tasks)


async def invited(table: Table, member: MemberId, invitation: SignedStatement) -> SignedStatement:
    """Have a member answer an invitation that it must accept."""
    reply = await table.seats[member].ask(MemberId(invitation.signer), Invite(invitation))
    assert isinstance(reply, Ready), reply
    return reply.readiness


Scene = Callable[[Table], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    async def whole() -> None:
        table = await Table().open()
        async with asyncio.timeout(600):
            try:
                await scene(table)
            finally:
                await table.end()

    run_in_virtual_time(whole())


async def begun(table: Table, member: MemberId = BEN) -> Begin:
    """Begin a session at one member only: the others' readiness is signed for them."""
    invitation = await table.sign(ANA, table.invitation())
    own = await invited(table, member, invitation)
    others = [await table.readiness(m, invitation) for m in CUSTODIANS if m != member]
    begin = Begin(invitation, (own, *others))
    assert await table.seats[member].ask(ANA, begin) == Ack()
    assert len(table.seats[member].host.sessions) == 1
    return begin
