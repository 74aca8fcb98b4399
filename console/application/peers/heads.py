"""Ledger heads: members sign the newest records of their ledgers, and others compare them.

A member that shows two peers different ledgers signs two heads for one number. Heads travel with
every pull, so the two meet at some honest member, which keeps both as proof and tells the others.
"""

from collections import deque
from collections.abc import Callable

from console.application.aggregates import Aggregates
from console.application.errors import LedgerRolledBack
from console.application.peers.signed_statements import (
    SignedStatement,
    StatementRefused,
    Statements,
    Verified,
    signer_of,
    to_signed,
)
from console.application.peers.statements import LedgerHead, Readiness
from console.application.ports.clock import Clock
from console.application.ports.event_store import EventStore
from console.application.ports.vault import HeadAnchor
from console.domain import member
from console.domain.errors import Conflict
from console.domain.events import Evidence
from console.domain.ids import MemberId

MAX_KEPT = 64
"""Newest heads of one member that are compared with what others have seen of it."""


class Heads:
    """This member's own head, and the newest ones of the others."""

    def __init__(
        self,
        *,
        me: MemberId,
        aggregates: Aggregates,
        store: EventStore,
        statements: Statements,
        clock: Clock,
        on_fork: Callable[[MemberId], None],
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._store = store
        self._statements = statements
        self._clock = clock
        self._on_fork = on_fork
        self._own: tuple[int, SignedStatement] | None = None
        self._own_found: deque[SignedStatement] = deque(maxlen=MAX_KEPT)
        """Heads of ours that peers hold, and that this ledger contains."""
        self._checked = False
        """Whether a peer was asked what it holds of us: a ledger that was rolled back must not
        be signed before that shows."""
        self._seen: dict[tuple[MemberId, bytes], dict[int, Evidence]] = {}
        """By member and identity key, since a new machine begins a new ledger; then by number."""

    async def own(self) -> SignedStatement | None:
        """Return this ledger's signed head; None before `checked`. Raises: HsmError."""
        if not self._checked:
            return None
        if not self._store.writable:
            # What it ends with now may not be durable: nothing new is promised of it.
            return self._own[1] if self._own else None
        head = await self._store.head()
        if self._own is None or self._own[0] != head.sequence:
            statement = LedgerHead(
                at_ms=self._clock.now_ms(), sequence=head.sequence, hash=head.hash
            )
            verified = await self._statements.sign(statement)
            self._own = (head.sequence, to_signed(verified.evidence))
        return self._own[1]

    def checked(self) -> None:
        """Note that a peer holds no head of ours that this ledger does not contain."""
        self._checked = True

    def newest_of(self, member_id: MemberId) -> SignedStatement | None:
        """Return the newest head of a member's current machine that is known here."""
        state = self._aggregates.members.get(member_id)
        if state is None:
            return None
        seen = self._seen.get((member_id, state.identity_key), {})
        newest = max(seen, default=0)
        if state.head_evidence and state.head_sequence >= newest:
            return to_signed(state.head_evidence)
        return to_signed(seen[newest]) if seen else None

    def known(self) -> tuple[SignedStatement, ...]:
        """Return the newest head of every other member, and both of one that forked."""
        heads: list[SignedStatement] = []
        for name, state in self._aggregates.members.items():
            if name == self._me:
                continue
            if state.forked:
                heads += [to_signed(state.forked.first), to_signed(state.forked.second)]
            elif newest := self.newest_of(name):
                heads.append(newest)
        return tuple(heads)

    async def saw(self, verified: Verified) -> None:
        """Record the head in a peer's readiness; one that went backwards is refused.

        Raises: Conflict, also if it is a fork.
        """
        statement = verified.expect(Readiness)
        await self.compare(verified)
        command = member.RecordHead(
            member=verified.signer,
            sequence=statement.head_sequence,
            hash=statement.head_hash,
            signed_at_ms=statement.at_ms,
            evidence=verified.evidence,
        )
        await self._aggregates.record_member(verified.signer, command)

    async def take(self, signed: SignedStatement) -> None:
        """Compare a head that a peer passed on, whoever signed it.

        Raises: StatementRefused, UnknownMember, Conflict, LedgerRolledBack.
        """
        if signed.signer == self._me:
            await self._check_own(signed)
            return
        signer = signer_of(signed, self._aggregates.members)
        known = list(self._seen.get((signer.member, signer.identity_key), {}).values())
        if signer.head_evidence:
            known.append(signer.head_evidence)
        if any(signed.body == evidence.body for evidence in known):
            return
        await self.compare(self._statements.verify(signed, signer))

    async def compare(self, verified: Verified) -> None:
        """Compare a head with those known of the member; keep two that differ as proof.

        Raises: Conflict.
        """
        sequence, hash_ = _head(verified)
        state = self._aggregates.member(verified.signer)
        seen = self._seen.setdefault((verified.signer, state.identity_key), {})
        known = seen.get(sequence)
        if known is None and state.head_evidence and state.head_sequence == sequence:
            known = state.head_evidence
        if known is None:
            seen[sequence] = verified.evidence
            while len(seen) > MAX_KEPT:
                del seen[min(seen)]
            return
        if _head(self._statements.verify(to_signed(known), state))[1] == hash_:
            return
        fork = member.RecordFork(
            member=verified.signer,
            first=known,
            second=verified.evidence,
            at_ms=self._clock.now_ms(),
        )
        if await self._aggregates.record_member(verified.signer, fork):
            self._on_fork(verified.signer)
        raise Conflict(f"{verified.signer} signed two different ledger heads with one number")

    async def _check_own(self, signed: SignedStatement) -> None:
        if signed in self._own_found:
            # A ledger only grows: what it contained it contains.
            return
        # What this member's machine before this one signed says nothing of this ledger.
        if not await self._statements.is_of_this_machine(signed):
            return
        me = self._aggregates.members.get(self._me)
        if me is None:
            # Nobody knows a machine that still waits to be endorsed, not even itself.
            return
        sequence, hash_ = _head(self._statements.verify(signed, me))
        if sequence == 0:
            return
        if not await self._store.contains(HeadAnchor(sequence, hash_)):
            raise LedgerRolledBack(
                f"a peer holds our signed receipt for record {sequence}, which this ledger does "
                "not contain"
            )
        self._own_found.append(signed)


def _head(verified: Verified) -> tuple[int, bytes]:
    match verified.statement:
        case LedgerHead(sequence=sequence, hash=hash_):
            return sequence, hash_
        case Readiness(head_sequence=sequence, head_hash=hash_):
            return sequence, hash_
        case _:
            raise StatementRefused("a statement without a ledger head was passed on as one")
