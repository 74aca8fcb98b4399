"""Exchanges signed statements: announced once, pulled by whoever missed them, imported once.

Delivery is at least once and in no particular order; recording is idempotent, and a statement
that arrives before the fact it needs waits here until that fact is recorded.
"""

import asyncio
from collections import ChainMap, defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine
from itertools import chain
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.errors import AdapterError, PeerRefused, PeerUnavailable, TransactionError
from console.application.peers.clocks import PeerClocks, duration
from console.application.peers.heads import Heads
from console.application.peers.lacking import LackingShares
from console.application.peers.messages import (
    MAX_HEADS,
    MAX_PULLED_STATEMENTS,
    Ack,
    Announce,
    AnyReply,
    Pull,
    Pulled,
    Refused,
    decode_reply,
    encode,
)
from console.application.peers.pages import statements_after
from console.application.peers.signed_statements import (
    SignedStatement,
    StatementRefused,
    Statements,
    Verified,
    signer_of,
    to_signed,
)
from console.application.peers.statements import (
    AnyStatement,
    RosterDecision,
)
from console.application.peers.timeouts import AdaptiveTimeouts
from console.application.ports.clock import Clock
from console.application.ports.event_store import EventStore
from console.application.ports.network import NetworkPort
from console.application.shares.share_manager import ShareManager
from console.domain.errors import Conflict, DomainError, NotYetPossible, UnknownMember
from console.domain.ids import MemberId
from console.domain.member import Member
from console.domain.text import is_plain
from console.domain.times import MAX_CLOCK_SKEW_MS
from console.version import VERSION

log = structlog.get_logger(__name__)

MAX_DEFERRED = 128
"""Statements of one signer that wait for facts they need."""
MAX_PULLS = 64
"""Pages taken from one peer in one go: a peer that never ends must not keep us from the others."""

UNACCEPTABLE = (DomainError, StatementRefused, TransactionError)
"""What a statement can be refused for; anything else is this node's own trouble."""

Handler = Callable[[Verified], Awaitable[None]]


class StatementExchange:
    """This member's side of the exchange."""

    def __init__(
        self,
        *,
        me: MemberId,
        statements: Statements,
        aggregates: Aggregates,
        store: EventStore,
        network: NetworkPort,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        heads: Heads,
        shares: ShareManager,
    ) -> None:
        self._me = me
        self._statements = statements
        self._aggregates = aggregates
        self._store = store
        self._network = network
        self._clock = clock
        self._spawn = spawn
        self._heads = heads
        self._handlers: dict[type, Handler] = {}
        self._deferred: defaultdict[MemberId, deque[tuple[bytes, Verified]]] = defaultdict(
            lambda: deque(maxlen=MAX_DEFERRED)
        )
        """What came too early, by signer: nobody can crowd out what others have signed. With the
        identity key that signed it, which may have been replaced when its time has come."""
        self._cursors: dict[MemberId, tuple[bytes, int]] = {}
        self._locked: set[MemberId] = set()
        self._timeouts = AdaptiveTimeouts()
        """How long a pull may take; a page takes longer than a session's message."""
        self._asked: set[MemberId] = set()
        """The peers that are being pulled from."""
        self.lacking = LackingShares(me, aggregates, shares)
        self.clocks = PeerClocks()
        self.versions: dict[MemberId, str] = {}
        """The programs' versions that peers told; "" for one that tells none."""

    @property
    def locked(self) -> frozenset[MemberId]:
        """The peers whose machine answers while their vault is locked: they sign nothing."""
        return frozenset(self._locked)

    @property
    def deferred(self) -> int:
        """How many statements came too early and wait."""
        return sum(map(len, self._deferred.values()))

    def handle(self, kind: type, handler: Handler) -> None:
        """Register the handler that records statements of a type."""
        self._handlers[kind] = handler

    async def publish(self, statement: AnyStatement) -> Verified:
        """Sign a statement, record it, then tell the others. Raises: DomainError, AdapterError."""
        verified = await self._statements.sign(statement)
        await self._record(verified)
        message = encode(Announce(to_signed(verified.evidence)))
        for peer in self._peers():
            self._spawn(self._announce(peer, message))
        return verified

    async def on_announce(self, message: Announce) -> AnyReply:
        """Import a peer's statement, whoever signed it; only what is on record is acknowledged.

        A signer may destroy a TLS key once all acknowledge the next one.
        """
        verified = self._verify(message.statement)
        try:
            await self._record_of_peer(verified)
        except NotYetPossible as early:
            self._defer(verified)
            return Refused(str(early), later=True)
        except UNACCEPTABLE as refusal:
            return Refused(str(refusal))
        return Ack()

    async def on_pull(self, peer: MemberId, message: Pull) -> AnyReply:
        """Answer with what this ledger has recorded after the peer's cursor, and with heads."""
        await self._take_heads((message.head,) if message.head else ())
        # Only an unlocked node pulls.
        self._locked.discard(peer)
        statements, upto = await statements_after(self._store, message.after)
        own = await self._heads.own()
        heads = (*self._heads.known(), *((own,) if own else ()))
        return Pulled(
            statements=statements,
            upto=upto,
            your_head=self._heads.newest_of(peer),
            heads=heads[-MAX_HEADS:],
            now_ms=self._clock.now_ms(),
            version=VERSION,
            lacking=self.lacking.all_own(),
        )

    async def catch_up(self, peer: MemberId) -> None:
        """Pull from one peer until there is nothing new. Raises: PeerUnavailable, PeerRefused."""
        for _ in range(MAX_PULLS):
            after = self._cursor_of(peer)
            request = encode(Pull(after, await self._heads.own()))
            sent_ms = self._clock.now_ms()
            reply = decode_reply(await self._pull(peer, request))
            if isinstance(reply, Refused) and reply.later:
                # A locked node answers all calls so; an unlocked one answers a pull.
                self._locked.add(peer)
            if not isinstance(reply, Pulled):
                raise PeerRefused(f"{peer} does not answer a pull")
            self._locked.discard(peer)
            self.clocks.observe(peer, reply.now_ms, sent_ms, self._clock.now_ms())
            self.versions[peer] = reply.version if is_plain(reply.version) else ""
            self.lacking.told(peer, reply.lacking)
            await self._take_heads((*((reply.your_head,) if reply.your_head else ()), *reply.heads))
            self._heads.checked()
            for signed in reply.statements[:MAX_PULLED_STATEMENTS]:
                await self._import_signed(signed)
            if reply.upto <= after:
                break
            self._cursors[peer] = self._machine_of(peer), reply.upto
        await self.retry_deferred()

    def _cursor_of(self, peer: MemberId) -> int:
        """Return how far a peer's ledger was read: a machine in its place begins a new one."""
        machine, upto = self._cursors.get(peer, (b"", 0))
        return upto if machine == self._machine_of(peer) else 0

    def _machine_of(self, peer: MemberId) -> bytes:
        known = self._known(peer)
        return known.identity_key if known else b""

    async def _pull(self, peer: MemberId, request: bytes) -> bytes:
        started_s = self._clock.monotonic_s()
        try:
            reply = await self._network.call(peer, request, self._timeouts.call_s(peer))
        except PeerUnavailable:
            self._timeouts.missed(peer, self._clock.monotonic_s() - started_s)
            raise
        self._timeouts.observe(peer, self._clock.monotonic_s() - started_s)
        return reply

    async def retry_deferred(self) -> None:
        """Retry statements that came too early."""
        # Taken at once: another task may try again while this one waits for the ledger.
        waiting = tuple(chain.from_iterable(self._deferred.values()))
        self._deferred.clear()
        for key, verified in waiting:
            signer = self._known(verified.signer)
            if signer and signer.identity_key == key and self._counts(verified):
                await self._import(verified)

    async def _import(self, verified: Verified) -> None:
        try:
            await self._record_of_peer(verified)
        except NotYetPossible:
            self._defer(verified)
        except UNACCEPTABLE as refusal:
            log.info("statement-refused", signer=verified.signer, why=str(refusal))

    def _defer(self, verified: Verified) -> None:
        deferred, signer = self._deferred[verified.signer], self._known(verified.signer)
        if signer and all(verified.evidence != waiting.evidence for _, waiting in deferred):
            deferred.append((signer.identity_key, verified))

    async def _import_signed(self, signed: SignedStatement) -> None:
        try:
            verified = self._verify(signed)
        except UNACCEPTABLE as refusal:
            log.info("statement-refused", signer=signed.signer, why=str(refusal))
        else:
            await self._import(verified)

    async def _record(self, verified: Verified) -> None:
        handler = self._handlers.get(type(verified.statement))
        if handler is None:
            raise StatementRefused("a statement of this kind is not kept")
        await handler(verified)

    async def _record_of_peer(self, verified: Verified) -> None:
        """Record what a peer chose to send. Raises: what it can be refused for, AdapterError."""
        if verified.statement.at_ms > self._clock.now_ms() + MAX_CLOCK_SKEW_MS:
            raise NotYetPossible("a statement from the future: a clock is wrong")
        try:
            await self._record(verified)
        except (AdapterError, *UNACCEPTABLE):
            raise
        except Exception as unexpected:
            # Whatever fails on a peer's bytes must not end a task of ours. The text of the
            # exception may quote anything, so its type alone is told.
            kind, name = verified.evidence.kind, type(unexpected).__name__
            log.exception("statement-unexpected", signer=verified.signer, kind=kind)
            raise StatementRefused(f"this {kind} could not be read: {name}") from None

    async def _announce(self, peer: MemberId, message: bytes) -> None:
        try:
            await self._network.call(peer, message, self._timeouts.call_s(peer))
        except (PeerUnavailable, PeerRefused) as trouble:
            # It will pull what it missed when it is back.
            log.info("announcement-undelivered", peer=peer, why=str(trouble))

    async def _take_heads(self, heads: tuple[SignedStatement, ...]) -> None:
        """Compare heads that a peer sent. Raises: LedgerRolledBack if one proves that of us."""
        for head in heads:
            try:
                await self._heads.take(head)
            except UNACCEPTABLE as refusal:
                log.warning("ledger-head-refused", signer=head.signer, why=str(refusal))

    def _verify(self, signed: SignedStatement) -> Verified:
        known = ChainMap(self._aggregates.members, self._aggregates.former)
        verified = self._statements.verify(signed, signer_of(signed, known))
        if not self._counts(verified):
            raise UnknownMember(f"{verified.signer} has left the vault")
        return verified

    def _known(self, name: MemberId) -> Member | None:
        return self._aggregates.members.get(name) or self._aggregates.former.get(name)

    def _counts(self, verified: Verified) -> bool:
        """Return whether a statement counts that its signer's machine of today has signed.

        Who has left still decides between the decision by which it left and another with that
        number: else which of them counts would depend on which was heard of first.
        """
        decides = isinstance(verified.statement, RosterDecision)
        return decides or verified.signer in self._aggregates.members

    def require_clock(self) -> None:
        """Refuse to date statements by a clock with which most others disagree.

        Raises: Conflict.
        """
        peers = self._peers()
        if self.clocks.is_off(peers):
            ahead = self.clocks.own_ahead_ms(peers)
            side = "ahead of" if ahead > 0 else "behind"
            raise Conflict(
                f"this machine's clock is {duration(ahead)} {side} the other members' clocks: "
                "set it, then try again"
            )

    def _peers(self) -> tuple[MemberId, ...]:
        return tuple(member for member in self._aggregates.members if member != self._me)

    async def keep_up(self, pause_s: float) -> None:
        """Poll every peer for what is missing, until cancelled; a slow one delays no other."""
        while True:
            for peer in self._peers():
                if peer not in self._asked:
                    self._asked.add(peer)
                    self._spawn(self._try_catch_up(peer))
            await asyncio.sleep(pause_s)

    async def _try_catch_up(self, peer: MemberId) -> None:
        try:
            await self.catch_up(peer)
        except (PeerUnavailable, PeerRefused) as trouble:
            log.debug("peer-not-pulled", peer=peer, why=str(trouble))
        finally:
            self._asked.discard(peer)
