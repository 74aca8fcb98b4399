"""Brings members together for a protocol session: invitation, readiness, beginning, messages.

A coordinator is trusted with liveness only. Every participant judges the invitation by its own
ledger, and starts only on signed readiness of exactly the invited members.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from console.application.errors import PeerRefused, PeerUnavailable
from console.application.peers.messages import (
    Ack,
    AnyReply,
    Begin,
    Invite,
    Ready,
    Refused,
    SessionMessage,
    encode,
)
from console.application.peers.signed_statements import (
    SignedStatement,
    StatementRefused,
    Statements,
    Verified,
    signer_of,
    to_signed,
    verify_identity,
)
from console.application.peers.statements import (
    Invitation,
    Readiness,
)
from console.application.ports.clock import Clock
from console.application.ports.event_store import EventStore
from console.application.ports.vault import IdentityPort
from console.application.sessions.handler import SessionHandler
from console.application.sessions.invitations import Invitations, Pending, require_meant
from console.application.sessions.protocol_session import (
    FailureKind,
    ProtocolSession,
    SessionContext,
    SessionFailed,
    SessionInfo,
)
from console.application.sessions.readiness import NONCE_BYTES, channel_keys, name_session
from console.application.sessions.signed_envelopes import SignedEnvelopes
from console.domain.errors import Conflict, DomainError, NotYetPossible
from console.domain.ids import MemberId, SessionId
from console.domain.member import Member
from console.protocols.kernel.abort import MessageRejected
from console.protocols.kernel.channel import ChannelKeys, ChannelRefused, PairwiseChannels
from console.protocols.kernel.session import decode_envelope
from console.protocols.kernel.wire import MalformedMessage

log = structlog.get_logger(__name__)

MAX_OPEN_SESSIONS = 64
MAX_KEPT_SESSIONS = 256
FORMER = "a member of this session has left the vault"
SUPERSEDED = "the coordinator started a new attempt"
_BEGIN_TRIES = 8
_ENVELOPE_DOMAIN = b"quorate/envelope/v1"


class SessionHost:
    """All protocol sessions of this node."""

    def __init__(
        self,
        *,
        tools: SessionContext,
        statements: Statements,
        members: Mapping[MemberId, Member],
        store: EventStore,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        saw_head: Callable[[Verified], Coroutine[Any, Any, None]],
    ) -> None:
        self._tools = tools
        self._statements = statements
        self._members = members
        self._store = store
        self._clock = clock
        self._spawn = spawn
        self._saw_head = saw_head
        self._kinds: dict[str, SessionHandler] = {}
        self._pending = Invitations()
        self.sessions: dict[SessionId, ProtocolSession] = {}

    def register(self, kind: SessionHandler) -> None:
        """Add a kind of session."""
        self._kinds[kind.name] = kind

    def of_subject(self, subject: str) -> tuple[ProtocolSession, ...]:
        """Return all kept sessions about a ceremony or request, oldest first."""
        return tuple(r for r in self.sessions.values() if r.info.subject == subject)

    async def lead(
        self, purpose: str, subject: str, participants: tuple[MemberId, ...], deadline_s: float
    ) -> Any:
        """Lead one session to its outcome. Raises: SessionFailed, DomainError, LedgerError."""
        now = self._clock.now_ms()
        invitation = Invitation(
            at_ms=now,
            purpose=purpose,
            subject=subject,
            terms=self._kind(purpose).terms(subject),
            participants=participants,
            nonce=secrets.token_bytes(NONCE_BYTES),
            deadline_ms=now + int(deadline_s * 1000),
        )
        verified = await self._statements.sign(invitation)
        mine = await self._get_ready(verified)
        others = [m for m in participants if m != self._tools.me]
        answers = await asyncio.gather(*(self._invite(m, verified) for m in others))
        failures = [answer for answer in answers if isinstance(answer, SessionFailed)]
        if failures:
            self._pending.take(verified.digest)
            raise _joined(failures)
        ready = [mine, *(answer for answer in answers if isinstance(answer, Verified))]
        begin = encode(
            Begin(to_signed(verified.evidence), tuple(to_signed(r.evidence) for r in ready))
        )
        try:
            run = await self._open(verified, {r.signer: r for r in ready})
        except StatementRefused as refused:
            raise SessionFailed(FailureKind.REFUSED, str(refused)) from None
        async with asyncio.TaskGroup() as tasks:
            for member in others:
                tasks.create_task(self._send_begin(run, member, begin))
            await run.ended.wait()
        if run.failure:
            raise run.failure
        return run.outcome

    async def on_invite(self, peer: MemberId, message: Invite) -> AnyReply:
        """Answer a peer's invitation."""
        verified = self._verify(message.invitation)
        if verified.signer != peer:
            return Refused("an invitation comes from the member who signed it")
        readiness = await self._get_ready(verified)
        return Ready(to_signed(readiness.evidence))

    async def on_begin(self, peer: MemberId, message: Begin) -> AnyReply:
        """Start a session for which all participants have signed their readiness."""
        verified = self._verify(message.invitation)
        if verified.signer != peer:
            return Refused("only the coordinator begins a session")
        if self._pending.get(verified.digest) is None:
            # Begun already, or never answered: either way the same bytes change nothing.
            return Ack()
        ready = {r.signer: r for r in map(self._verify, message.ready)}
        await self._open(verified, ready)
        return Ack()

    async def on_message(self, peer: MemberId, message: SessionMessage) -> AnyReply:
        """Take a protocol message."""
        try:
            envelope = decode_envelope(message.envelope)
        except MalformedMessage:
            return Refused("these bytes are no envelope")
        run = self.sessions.get(SessionId(envelope.session_id.hex()))
        if run is None:
            return Refused("this session has not begun here", later=True)
        if peer not in run.info.indices:
            return Refused("you do not take part in this session")
        if run.ended.is_set():
            return Refused("this session has ended here")
        try:
            await run.receive(peer, envelope, message.signature)
        except MessageRejected as rejected:
            log.info("message-rejected", peer=peer, why=str(rejected))
            return Refused("the message does not belong to this session")
        return Ack()

    async def stop_subject(self, subject: str, failure: SessionFailed) -> None:
        """End every session about a subject."""
        for run in self.of_subject(subject):
            await run.fail(failure)

    async def stop_with(self, members: frozenset[MemberId], failure: SessionFailed) -> None:
        """End every session that one of these members takes part in, or is invited to."""
        self._pending.drop(lambda invited: bool(members & set(invited.participants)))
        for run in tuple(self.sessions.values()):
            if members & set(run.info.participants):
                await run.fail(failure)

    def stop_forked(self, member: MemberId) -> None:
        """End every session with a member that shows two ledgers, as soon as the loop runs."""
        failure = SessionFailed(FailureKind.CANCELLED, f"{member} signed two different ledgers")
        self._spawn(self.stop_with(frozenset({member}), failure))

    async def stop_former(self, members: frozenset[MemberId]) -> None:
        """End every session with members that have left the vault."""
        await self.stop_with(members, SessionFailed(FailureKind.CANCELLED, FORMER))

    async def stop_where(self, about: Callable[[str], bool], failure: SessionFailed) -> None:
        """End every session about such subjects, begun or only invited to."""
        self._pending.drop(lambda invited: about(invited.subject))
        for run in tuple(self.sessions.values()):
            if about(run.info.subject):
                await run.fail(failure)

    async def stop_all(self) -> None:
        """End every session: the vault is being locked."""
        for run in tuple(self.sessions.values()):
            await run.fail(SessionFailed(FailureKind.CANCELLED, "this member's vault was locked"))
        self._pending.clear()

    def drop_all(self) -> None:
        """Close every session at once, recording nothing: the ledger may be what has failed."""
        for run in self.sessions.values():
            run.session.close()
        self._pending.clear()

    async def _get_ready(self, verified: Verified) -> Verified:
        invitation = verified.statement
        if not isinstance(invitation, Invitation):
            raise StatementRefused("this statement is no invitation")
        kind = self._kind(invitation.purpose)
        now = self._clock.now_ms()
        require_meant(invitation, verified.signer, self._tools.me, now)
        self._pending.forget_stale(now)
        open_sessions = sum(not run.ended.is_set() for run in self.sessions.values())
        if open_sessions + len(self._pending) >= MAX_OPEN_SESSIONS:
            raise NotYetPossible("too many sessions are open here")
        known = self._pending.get(verified.digest)
        if known:
            return known.readiness
        self._pending.require_newest(verified.signer, invitation)
        for run in self.of_subject(invitation.subject):
            if run.info.coordinator != verified.signer and not run.ended.is_set():
                # One that makes no progress ends by itself; until then nobody else ends it.
                raise NotYetPossible(f"a session that {run.info.coordinator} leads is under way")
        for name in map(MemberId, invitation.participants):
            if name in self._members and self._members[name].forked:
                raise Conflict(
                    f"{name} signed two different ledgers: its machine is replaced first"
                )
        if invitation.terms != kind.terms(invitation.subject):
            raise Conflict(f"{verified.signer} knows another text of this than this member")
        await kind.admit(invitation, verified.signer)
        await self.stop_subject(
            invitation.subject, SessionFailed(FailureKind.CANCELLED, SUPERSEDED)
        )
        self._pending.drop(lambda other: other.subject == invitation.subject)
        keys = ChannelKeys.generate(secrets.token_bytes)
        head = await self._store.head()
        readiness = await self._statements.sign(
            Readiness(
                at_ms=now,
                invitation=verified.digest,
                nonce=secrets.token_bytes(NONCE_BYTES),
                channel_key=keys.public,
                head_sequence=head.sequence,
                head_hash=head.hash,
            )
        )
        self._pending.keep(Pending(verified, invitation, keys, readiness))
        return readiness

    async def _invite(self, member: MemberId, verified: Verified) -> Verified | SessionFailed:
        message = encode(Invite(to_signed(verified.evidence)))
        try:
            reply = await self._tools.call(member, message)
        except PeerUnavailable as error:
            return SessionFailed(FailureKind.TIMEOUT, str(error), unreachable=frozenset({member}))
        except PeerRefused as error:
            return SessionFailed(FailureKind.REFUSED, str(error), unreachable=frozenset({member}))
        if not isinstance(reply, Ready):
            reason = reply.reason if isinstance(reply, Refused) else "an answer of another kind"
            return SessionFailed(
                FailureKind.REFUSED, f"{member}: {reason}", unreachable=frozenset({member})
            )
        try:
            answer = self._verify(reply.readiness)
        except (StatementRefused, DomainError) as refused:
            return SessionFailed(FailureKind.REFUSED, f"{member}: {refused}")
        if answer.signer != member:
            return SessionFailed(FailureKind.REFUSED, f"{member} answered for somebody else")
        return answer

    async def _send_begin(self, run: ProtocolSession, member: MemberId, begin: bytes) -> None:
        for attempt in range(_BEGIN_TRIES):
            if run.ended.is_set():
                return
            try:
                await self._tools.call(member, begin)
            except (PeerUnavailable, PeerRefused):
                await asyncio.sleep(0.05 * 2**attempt)
            else:
                return

    async def _open(
        self, verified: Verified, ready: Mapping[MemberId, Verified]
    ) -> ProtocolSession:
        invitation = verified.statement
        pending = self._pending.take(verified.digest)
        if pending is None or not isinstance(invitation, Invitation):
            raise NotYetPossible("this member has not agreed to the session")
        kind = self._kind(invitation.purpose)
        keys = {name: key for name, key in self._keys_now().items() if name in ready}
        # What was agreed to may have changed since: a ban, a freeze, a denial, an expiry.
        await kind.admit(invitation, verified.signer)
        indices = kind.indices(invitation)
        channels = channel_keys(verified, ready, indices)
        me = self._tools.me
        if ready[me].digest != pending.readiness.digest:
            raise StatementRefused("our own readiness was altered")
        session = name_session(verified, ready)
        info = SessionInfo(
            session=session,
            purpose=invitation.purpose,
            subject=invitation.subject,
            coordinator=verified.signer,
            participants=tuple(MemberId(m) for m in invitation.participants),
            indices=indices,
            parts=kind.parts(invitation),
            started_ms=self._clock.now_ms(),
            deadline_ms=invitation.deadline_ms,
        )
        for member, answer in ready.items():
            if member != me:
                await self._saw_head(answer)
        try:
            pairwise = PairwiseChannels(indices[me], pending.keys, channels, bytes.fromhex(session))
        except ChannelRefused as refused:
            raise StatementRefused(str(refused)) from None
        # Last of all: what is opened is on record as under way until its session has ended.
        protocol = await kind.open(info)
        envelopes = SignedEnvelopes(
            me,
            pairwise,
            self._tools.sign_envelope,
            lambda *signed: _verify_envelope(self._keys_now(), *signed),
            lambda *signed: _verify_envelope(keys, *signed),
        )
        run = ProtocolSession(info, kind, self._tools, envelopes, protocol)
        while len(self.sessions) >= MAX_KEPT_SESSIONS:
            self.sessions.pop(next(iter(self.sessions)))
        self.sessions[session] = run
        self._spawn(run.drive())
        return run

    def _verify(self, signed: SignedStatement) -> Verified:
        return self._statements.verify(signed, signer_of(signed, self._members))

    def _keys_now(self) -> dict[MemberId, bytes]:
        return {name: member.identity_key for name, member in self._members.items()}

    def _kind(self, purpose: str) -> SessionHandler:
        kind = self._kinds.get(purpose)
        if kind is None:
            raise NotYetPossible("this node does not know this kind of session")
        return kind


def _verify_envelope(
    keys: Mapping[MemberId, bytes], sender: MemberId, envelope: bytes, signature: bytes
) -> None:
    """Check who signed an encoded envelope. Raises: StatementRefused."""
    if sender not in keys:
        raise StatementRefused(FORMER)
    verify_identity(keys[sender], _ENVELOPE_DOMAIN + envelope, signature)


def envelope_signer(identity: IdentityPort) -> Callable[[bytes], Coroutine[Any, Any, bytes]]:
    """Return the call that signs an encoded envelope with this member's identity."""

    async def sign(envelope: bytes) -> bytes:
        return await identity.sign(_ENVELOPE_DOMAIN + envelope)

    return sign


def _joined(failures: list[SessionFailed]) -> SessionFailed:
    failure_kind = (
        FailureKind.TIMEOUT
        if any(f.failure_kind is FailureKind.TIMEOUT for f in failures)
        else FailureKind.REFUSED
    )
    return SessionFailed(
        failure_kind,
        "; ".join(f.reason for f in failures),
        unreachable=frozenset().union(*(f.unreachable for f in failures)),
    )
