"""Whatever dies when, no intent is paid twice by operators who do what their screens say.

Members that are away keep what they know to themselves, signatures too, and may hand them to the
chain at any time. Those that are here share every statement.
"""

from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.application.queries.sentences import NodeFacts, Sentences
from console.application.views import RequestStage
from console.domain import request_decisions, signing_request
from console.domain.errors import DomainError
from console.domain.ids import MemberId, RequestId, SessionId
from console.domain.policy import Policy
from console.domain.request_commands import (
    Deny,
    RecordConfirmation,
    RecordFailure,
    RecordSignature,
    RequestCommand,
    StartSession,
)
from console.domain.request_commands import ReleaseShare as Release
from console.domain.request_doubt import Doubt, has_ended_unsigned
from console.domain.signing_request import OVER, SigningRequest
from console.domain.values import Chain, Quorum
from tests.unit.application.test_reservations import GWEI, Ledger, bytes_of
from tests.unit.domain.facts import END, START, WALLET, approve, said

FIRST_NONCE = 7


@dataclass
class Member:
    name: MemberId
    ledger: Ledger

    def record(self, request: RequestId, command: RequestCommand) -> None:
        state = self.ledger.requests[request]
        for event in request_decisions.decide(state, command, state.policy):
            state = signing_request.evolve(state, event, state.policy) or state
        self.ledger.requests[request] = state


@dataclass
class World:
    """One wallet, one intent, and one chain that takes each nonce once."""

    random: Random
    size: int
    threshold: int
    now: int = START
    away: set[MemberId] = field(default_factory=set)
    executed: dict[int, RequestId] = field(default_factory=dict)
    nonces: dict[RequestId, int] = field(default_factory=dict)
    known: dict[RequestId, set[MemberId]] = field(default_factory=dict)
    sessions: int = 0

    def __post_init__(self) -> None:
        names = tuple(MemberId(f"member-{number}") for number in range(self.size))
        self.policy = Policy(1, Quorum(self.threshold, names), 1)
        self.members = {name: Member(name, Ledger(me=name)) for name in names}

    @property
    def here(self) -> list[Member]:
        return [m for name, m in self.members.items() if name not in self.away]

    def propose(self, by: Member, nonce: int, fee: int) -> None:
        request = RequestId(f"rq-{len(self.nonces)}")
        data = bytes_of(nonce, max_fee=fee * GWEI, tip=fee * GWEI)
        by.ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, data)
        self.nonces[request], self.known[request] = nonce, set()
        for member in self.members.values():
            # Whoever is away hears of it when it is back, and before it looks at anything.
            state = member.ledger.add(request, data)
            proposal = replace(
                state.proposal,
                proposer=by.name,
                proposed_at_ms=self.now,
                expires_at_ms=self.now + END - START,
            )
            member.ledger.requests[request] = replace(state, proposal=proposal, policy=self.policy)

    def approve(self, request: RequestId) -> None:
        proposer = self.members[next(iter(self.members))].ledger.requests[request].proposal.proposer
        others = [m.name for m in self.here if m.name != proposer]
        if others:
            decision = replace(approve(self.random.choice(others), self.now))
            self._tell(request, decision)

    def _tell(self, request: RequestId, command: RequestCommand) -> None:
        for member in self.here:
            try:
                member.record(request, command)
            except DomainError:
                continue

    def sign(self, request: RequestId) -> None:
        """Hold a session; anyone may die at any point of it, and the leader with the signature."""
        if len(self.here) < self.threshold:
            return
        signers = self.random.sample(self.here, self.threshold)
        self.sessions += 1
        session = SessionId(f"{self.sessions:064x}")
        names = tuple(m.name for m in signers)
        gave = 0
        for member in signers:
            try:
                member.record(
                    request,
                    StartSession(
                        session=session, signers=names, coordinator=names[0], at_ms=self.now
                    ),
                )
                member.ledger.reservations.require_first(member.ledger.requests[request])
                if self.random.random() < 0.1:
                    break
                member.record(request, Release(session, self.now))
            except DomainError:
                break
            gave += 1
        if gave == self.threshold:
            lucky = {name for name in names if self.random.random() < 0.5}
            self.known[request] |= lucky
        self.away |= {name for name in names if self.random.random() < 0.4}
        self.share()

    def share(self) -> None:
        """Members that are here tell each other all that they know."""
        present = {m.name for m in self.here}
        for request, holders in self.known.items():
            states = [m.ledger.requests[request] for m in self.here]
            for state in states:
                for approval in state.approvals:
                    self._tell(request, approve(approval.member, approval.at_ms))
                for denial in state.denials:
                    self._tell(request, deny(denial.member, denial.at_ms))
            if holders & present:
                holders.update(present)
                self._tell(request, self.signature(request))
            if self.executed.get(self.nonces[request]) == request:
                # A node that has the signature finds it in the chain.
                txid = self.signature(request).transaction_id
                self._tell(request, RecordConfirmation(txid, 9, self.now))
            elif self.nonces[request] in self.executed:
                self._tell(request, RecordFailure("the nonce is used", self.now))

    @staticmethod
    def signature(request: RequestId) -> RecordSignature:
        return RecordSignature(
            session=SessionId("11" * 32),
            signers=(),
            signatures=(b"g" * 64,),
            signed_transaction=b"signed",
            transaction_id=f"id of {request}",
            at_ms=START,
            evidence=said(MemberId("member-0")),
        )

    def broadcast(self) -> None:
        """Someone who has a signature, here or away, hands it to the chain."""
        signed = [request for request, holders in self.known.items() if holders]
        if signed:
            request = self.random.choice(signed)
            nonce = self.nonces[request]
            if nonce == FIRST_NONCE + len(self.executed):
                self.executed[nonce] = request
        self.share()

    def operate(self) -> None:
        """An operator who is here wants the intent paid once, and believes the screen."""
        if not self.here:
            return
        member = self.random.choice(self.here)
        ledger = member.ledger
        ledger.now = self.now
        requests = list(ledger.requests.values())
        open_ones = [
            r for r in requests if r.state not in OVER and not has_ended_unsigned(r, 0, self.now)
        ]
        paid = any(r.confirmed for r in requests)
        if open_ones or paid:
            return
        doubtful = [r for r in requests if ledger.reservations.in_doubt(r)]
        try:
            if doubtful:
                again = doubtful[-1].proposal.request
                assert "may exist" in self.told(member, doubtful[-1])
                self.propose(member, self.nonces[again], fee_of(len(requests)))
            elif all(self.is_free(member, r) for r in requests):
                held = ledger.held()
                nonce = FIRST_NONCE + len(self.executed)
                while f"nonce:31337:{nonce}" in held:
                    nonce += 1
                self.propose(member, nonce, fee_of(len(requests)))
        except DomainError:
            return

    def is_free(self, member: Member, request: SigningRequest) -> bool:
        """Return whether the screen tells of no signature, or says that it failed."""
        return request.failed is not None or "may exist" not in self.told(member, request)

    def told(self, member: Member, request: SigningRequest) -> str:
        tell = Sentences(
            member.name,
            None,  # type: ignore[arg-type]
            member.ledger.reservations,
            {},
            self.now,
        )
        denied = bool(request.denials)
        stage = RequestStage.DENIED if denied else RequestStage.EXPIRED
        return tell.of(request, stage, NodeFacts())

    def step(self) -> None:
        for member in self.members.values():
            member.ledger.now = self.now
        newest = RequestId(f"rq-{len(self.nonces) - 1}")
        if not self.nonces:
            self.operate()
            return
        doing = self.random.choices(
            ["operate", "approve", "sign", "wait", "deny", "broadcast", "return"],
            [4, 4, 4, 3, 0.5, 2, 3],
        )
        match doing:
            case ["operate"]:
                self.operate()
            case ["approve"]:
                self.approve(newest)
            case ["sign"]:
                self.sign(newest)
            case ["wait"]:
                self.now += self.random.choice([1, END])
            case ["deny"]:
                self._tell(newest, deny(self.random.choice(list(self.members)), self.now))
            case ["broadcast"]:
                self.broadcast()
            case _:
                self.away -= {name for name in self.away if self.random.random() < 0.4}
                self.share()


def fee_of(requests: int) -> int:
    return 10 * 2**requests


def deny(member: MemberId, at_ms: int) -> Deny:
    return Deny(member=member, reason="no", at_ms=at_ms, evidence=said(member))


def play(random: Random) -> World:
    size = random.randint(2, 4)
    world = World(random, size, random.randint(size // 2 + 1, size))
    for _ in range(120):
        world.step()
        assert len(world.executed) <= 1, world.executed
    return world


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_dies_when_no_intent_is_paid_twice(random: Random) -> None:
    play(random)


def test_the_worlds_reach_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost signatures, requests made again and payments occur; and the doubt is what holds."""
    worlds = [play(Random(seed)) for seed in range(60)]  # noqa: S311 - a schedule
    assert sum(bool(world.executed) for world in worlds) > 10
    assert sum(len(set(world.nonces.values())) < len(world.nonces) for world in worlds) > 10
    for place in ("signing.reservations", "queries.sentences"):
        monkeypatch.setattr(
            f"console.application.{place}.doubt", lambda _request, _me: Doubt.UNAPPROVED
        )
    twice = False
    for seed in range(300):
        try:
            play(Random(seed))  # noqa: S311
        except AssertionError:
            twice = True
            break
    assert twice
