"""One protocol session on this node: drives a session over the network and ends exactly once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import structlog

from console.application.errors import AdapterError, PeerRefused, PeerUnavailable
from console.application.peers.messages import (
    Ack,
    AnyReply,
    Refused,
    decode_reply,
    encode,
)
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.timeouts import AdaptiveTimeouts
from console.application.ports.network import NetworkPort
from console.application.sessions.signed_envelopes import SignedEnvelopes
from console.domain.errors import DomainError
from console.domain.events import SignedMessage
from console.domain.ids import MemberId, SessionId
from console.protocols.kernel.abort import AbortKind, MessageRejected, ProtocolAbort
from console.protocols.kernel.party import Party
from console.protocols.kernel.session import Envelope, Session

log = structlog.get_logger(__name__)

_FIRST_RESEND_S = 0.05
_LAST_RESEND_S = 1.0
MAX_HEARD_BYTES = 256 * 1024


ECHO = "Confirm"
"""A last round that only echoes what was broadcast; the next protocol of a session carries it."""


@dataclass(frozen=True, slots=True)
class SubProtocol:
    """One protocol of a session, with the names of its rounds for display."""

    name: str
    rounds: tuple[str, ...]


def concatenate(protocols: Sequence[SubProtocol]) -> tuple[SubProtocol, ...]:
    """Return the parts of a session that runs these protocols in sequence."""
    carried = [
        replace(part, rounds=part.rounds[:-1]) if part.rounds[-1:] == (ECHO,) else part
        for part in protocols[:-1]
    ]
    return (*carried, *protocols[-1:])


class FailureKind(StrEnum):
    """Why a session ended without an outcome."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    ABORTED = "aborted"
    CANCELLED = "cancelled"


class SessionFailed(Exception):
    """A session ended without an outcome; nothing of it can be used again.

    `unreachable` members did not answer, which is no fault; `blamed` ones failed `check`, and
    `proof` holds the signed broadcasts that show it.
    """

    def __init__(
        self,
        failure_kind: FailureKind,
        reason: str,
        unreachable: frozenset[MemberId] = frozenset(),
        blamed: frozenset[MemberId] = frozenset(),
        kind: AbortKind = AbortKind.RETRY,
        check: str = "",
        proof: tuple[SignedMessage, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.failure_kind = failure_kind
        self.reason = reason
        self.unreachable = unreachable
        self.blamed = blamed
        self.kind = kind
        self.check = check
        self.proof = proof


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What is fixed about a session. `indices` are the participants' share indices."""

    session: SessionId
    purpose: str
    subject: str
    coordinator: MemberId
    participants: tuple[MemberId, ...]
    indices: Mapping[MemberId, int]
    parts: tuple[SubProtocol, ...]
    started_ms: int
    deadline_ms: int

    @property
    def rounds(self) -> tuple[str, ...]:
        """The names of all rounds, in order."""
        return tuple(name for part in self.parts for name in part.rounds)

    def member(self, index: int) -> MemberId:
        """Return the participant with this share index."""
        return next(m for m, i in self.indices.items() if i == index)

    def members(self, indices: frozenset[int]) -> frozenset[MemberId]:
        return frozenset(self.member(i) for i in indices if i in self.indices.values())


class SessionPurpose(Protocol):
    """What a session is for; it judges, records and uses the outcome."""

    release_round: int
    """From this round on, messages leave only after `releasing` has returned."""
    patience: float
    """By how much a round may take longer than a round trip and little work would."""

    async def releasing(self, info: SessionInfo) -> None:
        """Record that secrets of this session are about to be used up. Raises: DomainError."""
        ...

    async def succeeded(self, info: SessionInfo, outcome: Any) -> None:
        """Use the outcome; what it needs to survive is durable on return."""
        ...

    async def failed(self, info: SessionInfo, failure: SessionFailed) -> None:
        """Record the failure."""
        ...


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What a session needs from the node."""

    me: MemberId
    network: NetworkPort
    timeouts: AdaptiveTimeouts
    sign_envelope: Callable[[bytes], Awaitable[bytes]]
    monotonic_s: Callable[[], float]
    checkpoint: Callable[[str], None]
    moved: Callable[[str], None]

    async def call(self, member: MemberId, message: bytes) -> AnyReply:
        """Call a peer, and learn how long it takes. Raises: PeerUnavailable, PeerRefused."""
        started = self.monotonic_s()
        try:
            reply = await self.network.call(member, message, self.timeouts.call_s(member))
        except PeerUnavailable:
            self.timeouts.missed(member, self.monotonic_s() - started)
            raise
        self.timeouts.observe(member, self.monotonic_s() - started)
        return decode_reply(reply)


@dataclass(slots=True, eq=False)
class ProtocolSession:
    """A running or ended session; ended ones are kept for display."""

    info: SessionInfo
    purpose: SessionPurpose
    tools: SessionContext
    envelopes: SignedEnvelopes
    protocol: Callable[[Party], Coroutine[Any, Any, Any]]
    session: Session[Any] = field(init=False)
    failure: SessionFailed | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _queues: dict[MemberId, "asyncio.Queue[bytes]"] = field(default_factory=dict)
    _heard: list[SignedMessage] = field(default_factory=list)
    _heard_bytes: int = 0
    _released: bool = False
    _concluded: bool = False
    _progressed_s: float = 0.0
    outcome: Any = None

    def __post_init__(self) -> None:
        """Prepare the session; nothing is sent before `drive`."""
        self.session = Session(
            session_id=bytes.fromhex(self.info.session),
            me=self.info.indices[self.tools.me],
            parties=self.info.indices.values(),
            run=self.protocol,
            signed=self._signed,
        )
        self._queues = {m: asyncio.Queue() for m in self.others}
        self._progressed_s = self.tools.monotonic_s()

    @property
    def others(self) -> tuple[MemberId, ...]:
        return tuple(m for m in self.info.participants if m != self.tools.me)

    @property
    def awaited(self) -> frozenset[MemberId]:
        """The participants whose message the current round still needs."""
        return self.info.members(self.session.awaiting)

    async def drive(self) -> None:
        """Run to the end, including the delivery of our last messages; never raises for peers."""
        async with asyncio.TaskGroup() as tasks:
            senders = [tasks.create_task(self._deliver(m)) for m in self.others]
            watch = tasks.create_task(self._watch())
            try:
                await self._step(self.session.start)
                await self.ended.wait()
                if self.failure is None or self.failure.failure_kind is FailureKind.ABORTED:
                    await self._flush()
            finally:
                self.session.close()
                for task in (*senders, watch):
                    task.cancel()

    async def receive(self, sender: MemberId, envelope: Envelope, signature: bytes) -> None:
        """Take a participant's envelope. Raises: MessageRejected, StatementRefused."""
        if self.info.indices.get(sender) != envelope.sender:
            raise MessageRejected("the envelope names another sender than its signer")
        if envelope.recipient not in {None, self.info.indices[self.tools.me]}:
            raise MessageRejected("the envelope is for another member")
        clear, signed = self.envelopes.unpack(sender, envelope, signature)
        if clear.recipient is None:
            self._remember(signed)
        await self._step(lambda: self.session.receive(clear, signed.signature))

    def _signed(self, index: int, encoded: bytes, signature: bytes) -> bool:
        """Return whether a participant signed an envelope that another one shows."""
        try:
            self.envelopes.verify_shown(self.info.member(index), encoded, signature)
        except StatementRefused:
            return False
        return True

    def _remember(self, signed: SignedMessage) -> None:
        """Keep others' signed broadcasts, within bounds: they prove who failed a check."""
        self._heard_bytes += len(signed.envelope)
        if self._heard_bytes <= MAX_HEARD_BYTES:
            self._heard.append(signed)

    async def fail(self, failure: SessionFailed) -> None:
        """End the session from outside; no effect if it has ended."""
        async with self._lock:
            await self._fail(failure)

    async def _step(self, advance: Callable[[], list[Envelope]]) -> None:
        async with self._lock:
            if self.ended.is_set():
                return
            try:
                out = advance()
                await self._dispatch(out)
            except ProtocolAbort as abort:
                unsent = list(self.session.unsent)
                await self._fail(self._verdict(abort), unsent)
                return
            except (DomainError, AdapterError) as refusal:
                await self._fail(SessionFailed(FailureKind.REFUSED, str(refusal)))
                return
            except Exception as unexpected:
                # Peers choose what is computed with here: it may end this session, nothing more.
                log.exception("session-step-unexpected", session=self.info.session[:12])
                why = f"an internal error: {type(unexpected).__name__}"
                await self._fail(SessionFailed(FailureKind.REFUSED, why))
                return
            self._progressed_s = self.tools.monotonic_s()
            self.tools.moved(self.info.subject)
            if self.session.done and not self._concluded:
                await self._succeed()

    def _verdict(self, abort: ProtocolAbort) -> SessionFailed:
        blamed = self.info.members(abort.culprits)
        shown = blamed | self.info.members(abort.witnesses)
        proof = tuple(m for m in self._heard if m.sender in shown)
        if abort.kind is AbortKind.BAN:
            proof = ()  # Proof of a ban would need our half of the pair's secrets.
        return SessionFailed(
            FailureKind.ABORTED,
            abort.reason,
            blamed=blamed,
            kind=abort.kind,
            check=abort.check,
            proof=proof,
        )

    async def _succeed(self) -> None:
        try:
            await self.purpose.succeeded(self.info, self.session.outcome)
        except (DomainError, AdapterError, StatementRefused) as refusal:
            # An outcome that cannot be used or recorded counts as a failure.
            await self._fail(SessionFailed(FailureKind.REFUSED, str(refusal)))
            return
        self._concluded = True
        self.outcome = self.session.outcome
        self.ended.set()
        self.tools.moved(self.info.subject)

    async def _dispatch(self, envelopes: list[Envelope]) -> None:
        """Sign and queue messages, after recording what they depend on."""
        for envelope in envelopes:
            self.tools.checkpoint(f"{self.info.purpose}:{envelope.round}")
            if envelope.round >= self.purpose.release_round and not self._released:
                self._released = True
                await self.purpose.releasing(self.info)
            signed, packed = await self.envelopes.pack(envelope)
            if envelope.recipient is None:
                self._heard.append(signed)
            message = encode(packed)
            for member in self.others:
                if envelope.recipient in {None, self.info.indices[member]}:
                    self._queues[member].put_nowait(message)

    async def _deliver(self, member: MemberId) -> None:
        """Send one peer its messages in order; resend the same bytes until it takes them."""
        queue = self._queues[member]
        while True:
            message = await queue.get()
            pause = _FIRST_RESEND_S
            while not await self._send_once(member, message):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_RESEND_S)
            queue.task_done()

    async def _send_once(self, member: MemberId, message: bytes) -> bool:
        try:
            reply = await self.tools.call(member, message)
        except (PeerUnavailable, PeerRefused):
            return False
        match reply:
            case Ack():
                return True
            case Refused(later=True):
                return False
            case _:
                # The peer has ended this session: nothing more can be delivered there.
                return True

    async def _flush(self) -> None:
        """Wait, within bounds, until peers have our last messages, which they need to finish."""
        patience = self.tools.timeouts.round_s(frozenset(self.others))
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(queue.join() for queue in self._queues.values()))
        except TimeoutError:
            log.info("session-last-messages-undelivered", session=self.info.session[:12])

    async def _watch(self) -> None:
        """End the session when a round takes longer than its awaited peers ever needed."""
        while True:
            awaited = self.awaited
            patience = self.tools.timeouts.round_s(awaited or frozenset(self.others))
            patience *= self.purpose.patience
            left = self._progressed_s + patience - self.tools.monotonic_s()
            if left > 0:
                await asyncio.sleep(left)
                continue
            for member in awaited:
                self.tools.timeouts.missed(member, patience)
            names = ", ".join(sorted(awaited)) or "the others"
            await self.fail(
                SessionFailed(
                    FailureKind.TIMEOUT,
                    f"no answer from {names} in round {self.session.round}",
                    unreachable=awaited,
                )
            )
            return

    async def _fail(self, failure: SessionFailed, last_words: Sequence[Envelope] = ()) -> None:
        """End the session. `last_words` are messages that let the others reach the same verdict.

        The verdict is durable, and what it requires is done, before anything is sent.
        """
        if self._concluded:
            return
        self._concluded = True
        self.failure = failure
        self.session.close()
        try:
            await self.purpose.failed(self.info, failure)
            with contextlib.suppress(DomainError, AdapterError):
                await self._dispatch(list(last_words))
        finally:
            self.ended.set()
            self.tools.moved(self.info.subject)
