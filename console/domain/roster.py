"""Roster: a quorum decides who leaves the vault, and who admits machines and decides next.

Decisions form a chain. What is in force follows from the set of signatures alone, never from the
order in which they arrived, so that all ledgers that hold the same ones agree.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import Event, RosterDecisionSigned
from console.domain.ids import MemberId, SessionId
from console.domain.short_code import short_code

NO_DECISION = bytes(32)
MAX_DECISIONS = 1_000
MAX_ROSTER = 100
"""The most members that a decision names."""
MAX_SIGNED = 20
"""Decisions with one number and one before that an elector signs; more only to carry them."""

_PAIR = 2
_DOMAIN = b"quorate/roster/v1"


def majority(electors: int) -> int:
    """Return how many of so many electors decide: more than half."""
    return electors // 2 + 1


@dataclass(frozen=True)
class Decision:
    """What electors sign: decision `number`, which follows the one with the digest `prior`."""

    number: int
    prior: bytes
    retires: tuple[MemberId, ...]
    electors: tuple[MemberId, ...]

    def __post_init__(self) -> None:
        for names in (self.retires, self.electors):
            if list(names) != sorted(set(names)):
                raise Conflict("the members of a decision ascend, each once")
        if not self.electors or set(self.electors) & set(self.retires):
            raise Conflict("somebody who stays decides next")
        if not 1 <= self.number <= MAX_DECISIONS or len(self.prior) != len(NO_DECISION):
            raise Conflict("a decision has a number, and the digest of the one before")

    @cached_property
    def digest(self) -> bytes:
        """Digest of all fields, 32 bytes; people compare its short code."""
        digest = hashlib.sha256(_DOMAIN + self.number.to_bytes(4, "big") + self.prior)
        for names in (self.retires, self.electors):
            digest.update(len(names).to_bytes(4, "big"))
            for name in names:
                digest.update(len(name).to_bytes(4, "big") + name.encode())
        return digest.digest()

    @property
    def code(self) -> str:
        return short_code(self.digest)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the decisions in force amount to.

    `electors` at place n decide after decision n, from the founders at 0 on. `retired` has the
    number of the decision by which each member left; `listed` the sessions that more than half
    of those who signed it had on record as certified.
    """

    electors: tuple[frozenset[MemberId], ...]
    decisions: tuple[Decision, ...] = ()
    retired: dict[MemberId, int] = field(default_factory=dict)
    listed: dict[MemberId, frozenset[SessionId]] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The number of the newest decision in force, 0 for none."""
        return len(self.decisions)

    @property
    def digest(self) -> bytes:
        """The digest of the newest decision in force, zeros for none."""
        return self.decisions[-1].digest if self.decisions else NO_DECISION

    def electors_at(self, number: int) -> frozenset[MemberId]:
        """Return who decides after decision `number`. Raises: NotYetPossible."""
        if not 0 <= number <= self.number:
            raise NotYetPossible("this decision about the roster is not known here yet")
        return self.electors[number]

    def admitting(self, member: MemberId, number: int) -> frozenset[MemberId]:
        """Return who endorses machines of `member` after decision `number`: all others."""
        return self.electors_at(number) - {member}


@dataclass(frozen=True, slots=True)
class Roster:
    """Every signed decision, in force or not."""

    signed: tuple[RosterDecisionSigned, ...] = ()

    def signatures(self, decision: Decision) -> dict[MemberId, RosterDecisionSigned]:
        """Return who signed a decision, whether it counts or not."""
        return {s.by: s for s in self.signed if decision_of(s) == decision}

    def standing(self, founders: Iterable[MemberId]) -> Standing:
        """Return what is in force, given the founders.

        Of two decisions with one number that a majority signed, the one with the smaller digest
        counts, at every member alike; only electors that signed both can bring that about.
        """
        standing, all_signed = Standing((frozenset(founders),)), self._by_decision()
        while followers := _carried(standing, all_signed):
            decision = min(followers, key=lambda d: d.digest)
            standing = _after(standing, decision, followers[decision])
        return standing

    def open_after(self, standing: Standing) -> tuple[Decision, ...]:
        """Return the signed decisions that would follow what is in force."""
        following = {
            decision_of(s)
            for s in self.signed
            if (s.number, s.prior) == (standing.number + 1, standing.digest)
        }
        return tuple(sorted(following, key=lambda d: d.digest))

    def _by_decision(self) -> "_Signatures":
        found: _Signatures = defaultdict(lambda: defaultdict(dict))
        for s in self.signed:
            found[s.number, s.prior][decision_of(s)][s.by] = s
        return found


_Signatures = dict[tuple[int, bytes], dict[Decision, dict[MemberId, RosterDecisionSigned]]]
"""Who signed what, by number and digest of the decision before."""


def _carried(
    standing: Standing, all_signed: _Signatures
) -> dict[Decision, dict[MemberId, RosterDecisionSigned]]:
    """Return which decisions more than half of the electors signed, with their signatures."""
    following = all_signed.get((standing.number + 1, standing.digest), {})
    return {d: by for d, by in following.items() if is_carried(standing, d, by)}


def _after(
    standing: Standing, decision: Decision, signatures: dict[MemberId, RosterDecisionSigned]
) -> Standing:
    counted = [signatures[name] for name in deciding_on(standing, decision) & set(signatures)]
    sessions = {session for s in counted for session in s.certified}
    listed = frozenset(
        session
        for session in sessions
        if sum(session in s.certified for s in counted) > len(counted) // 2
    )
    return replace(
        standing,
        electors=(*standing.electors, frozenset(decision.electors)),
        decisions=(*standing.decisions, decision),
        retired=standing.retired | dict.fromkeys(decision.retires, decision.number),
        listed=standing.listed | dict.fromkeys(decision.retires, listed),
    )


def deciding_on(standing: Standing, decision: Decision) -> frozenset[MemberId]:
    """Return the electors whose signatures count: nobody decides about its own leaving."""
    return standing.electors_at(decision.number - 1) - set(decision.retires)


def signatures_needed(standing: Standing, decision: Decision) -> int:
    """Return how many have to sign: more than half of all electors, also of those who leave.

    Otherwise one elector could let all others leave. Only of two may one decide about the other.
    """
    electors = standing.electors_at(decision.number - 1)
    if electors & set(decision.retires) and len(electors) == _PAIR:
        return 1
    return majority(len(electors))


def is_carried(standing: Standing, decision: Decision, signers: Iterable[MemberId]) -> bool:
    """Return whether these signatures bring a decision into force."""
    counted = deciding_on(standing, decision).intersection(signers)
    return len(counted) >= signatures_needed(standing, decision)


def decision_of(signed: RosterDecisionSigned) -> Decision:
    """Return the decision that a member signed."""
    return Decision(signed.number, signed.prior, signed.retires, signed.electors)


def decide(
    roster: Roster, standing: Standing, signed: RosterDecisionSigned
) -> tuple[RosterDecisionSigned, ...]:
    """Return what to record of a signed decision; the caller has verified its evidence.

    Raises: Conflict if it is none or its signer does not decide; NotYetPossible if it follows
    what is not in force here, or if its signer has signed enough that nobody else wants.
    """
    decision = decision_of(signed)
    if decision.number > standing.number + 1:
        raise NotYetPossible("an earlier decision about the roster is not known here yet")
    before = standing.decisions[decision.number - 2].digest if decision.number > 1 else NO_DECISION
    if decision.prior != before:
        raise NotYetPossible("a decision about the roster follows one that is not in force here")
    if signed.by not in deciding_on(standing, decision):
        raise Conflict(f"{signed.by} does not decide about the roster")
    signers = roster.signatures(decision).keys()
    if signed.by in signers:
        return ()
    alike = sum(
        (s.by, s.number, s.prior) == (signed.by, signed.number, signed.prior) for s in roster.signed
    )
    # Not by dates: a ledger that refused it for good would not agree with one that took it.
    if alike >= MAX_SIGNED and not is_carried(standing, decision, {*signers, signed.by}):
        raise NotYetPossible(f"{signed.by} has signed {MAX_SIGNED} decisions with this number")
    return (signed,)


def evolve(roster: Roster, event: Event) -> Roster:
    """Return the state after one event of the roster's stream."""
    if isinstance(event, RosterDecisionSigned):
        return Roster((*roster.signed, event))
    return roster
