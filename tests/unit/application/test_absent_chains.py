"""A transaction is followed through any absence of its chain's node (faults, 39)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from console.application.errors import ChainUnavailable, FeeTooLow, TransactionError
from console.application.ports.chain import Inclusion, InclusionState
from console.application.queries.sentences import NodeFacts, Sentences
from console.application.sagas.broadcast import BroadcastSaga
from console.application.sagas.following import PAUSES
from console.application.views import RequestStage
from console.domain.errors import NotYetPossible
from console.domain.ids import RequestId
from console.domain.request_chain import MAX_REFUSALS
from console.domain.signing_request import RequestState
from console.domain.values import Chain, Network
from tests.fakes.clock import LoopClock, run_in_virtual_time
from tests.unit.application.following import Watched
from tests.unit.application.test_reservations import CONFIRMED, FIRST_BYTES, SENT, SIGNED
from tests.unit.domain.facts import ANA, CHIARA

REQUEST = RequestId("rq-1")
HOUR = 3_600.0
WAITING = Inclusion(InclusionState.PENDING)
UNKNOWN = Inclusion(InclusionState.UNKNOWN)
DONE = Inclusion(InclusionState.CONFIRMED, 9)


@dataclass
class Scripted:
    """A chain whose node is away, or says something, as the scene has it."""

    says: Inclusion | None = None
    refuses: TransactionError | None = None
    network: Network = Network.DEVNET
    lets_expire: bool = False
    asked: list[float] = field(default_factory=list)
    sent: int = 0

    def can_be_replaced(self, _transaction: bytes) -> bool:
        return True

    async def status(self, _transaction_id: str) -> Inclusion:
        self.asked.append(asyncio.get_running_loop().time())
        if self.says is None:
            raise ChainUnavailable("the node does not answer")
        return self.says

    async def broadcast(self, _signed: object) -> None:
        self.sent += 1
        if self.refuses is not None:
            raise self.refuses


@dataclass
class Scene:
    chain: Scripted
    me: str = ANA
    commands: tuple = SENT
    moved: list[str] = field(default_factory=list)
    tasks: list[asyncio.Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Watched()
        self.ledger.add(REQUEST, FIRST_BYTES, *self.commands)
        self.clock = LoopClock(asyncio.get_running_loop())
        self.saga = BroadcastSaga(
            me=self.me,
            aggregates=self.ledger,
            chains={Chain.ETHEREUM: self.chain},
            reservations=self.ledger.reservations,
            clock=self.clock,
            spawn=lambda work: self.tasks.append(asyncio.ensure_future(work)),
            moved=self.moved.append,
        )
        self.saga.resume()

    @property
    def state(self) -> RequestState:
        return self.ledger.requests[REQUEST].state

    def told(self) -> str:
        tell = Sentences(ANA, None, self.ledger.reservations, {}, self.clock.now_ms())
        facts = NodeFacts(
            silence=self.saga.troubles.of(REQUEST),
            silent_since_ms=self.saga.silent_since_ms(REQUEST),
        )
        return tell.of(self.ledger.requests[REQUEST], RequestStage.BROADCAST, facts)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


def play(work: Callable[[], Awaitable[None]]) -> None:
    run_in_virtual_time(work())


def test_an_absence_of_twenty_hours_is_told_and_is_over_by_itself():
    async def work() -> None:
        scene = Scene(Scripted())
        await asyncio.sleep(20 * HOUR)
        assert "has not answered for 2" in scene.told()
        assert "0 h 0 min" in scene.told() or "19 h 59 min" in scene.told()
        assert "the node does not answer" in scene.told()
        assert scene.moved == [REQUEST]
        # The pause has a bound, and is not short for ever.
        gaps = [after - before for before, after in pairwise(scene.chain.asked)]
        assert PAUSES.last_s / 2 <= max(gaps) <= PAUSES.last_s <= HOUR
        assert len(scene.chain.asked) < 1_000
        scene.chain.says = DONE
        await asyncio.sleep(PAUSES.last_s)
        assert scene.state is RequestState.CONFIRMED
        assert not scene.saga.troubles.of(REQUEST)
        assert not scene.saga.follows(REQUEST)
        await scene.end()

    play(work)


def test_an_operator_has_the_chain_asked_at_once():
    async def work() -> None:
        scene = Scene(Scripted())
        await asyncio.sleep(20 * HOUR)
        scene.chain.says = WAITING
        asked = len(scene.chain.asked)
        scene.saga.try_now(REQUEST)
        await asyncio.sleep(0.01)
        assert len(scene.chain.asked) == asked + 1
        assert scene.saga.silent_since_ms(REQUEST) is None
        assert scene.told() == "Broadcast. Waiting for the chain to confirm."
        # What follows is expected soon.
        await asyncio.sleep(5)
        assert len(scene.chain.asked) > asked + 5
        await scene.end()

    play(work)


@pytest.mark.parametrize("me", [ANA, CHIARA])
def test_who_tries_now_broadcasts_whosever_turn_it_is(me):
    async def work() -> None:
        scene = Scene(Scripted(WAITING), me=me)
        await asyncio.sleep(5 * HOUR)
        scene.chain.says, sent = UNKNOWN, scene.chain.sent
        scene.saga.try_now(REQUEST)
        await asyncio.sleep(0.01)
        assert scene.chain.sent == sent + 1
        await scene.end()

    play(work)


def test_what_is_over_is_not_asked_for():
    async def work() -> None:
        scene = Scene(Scripted(DONE), commands=CONFIRMED)
        with pytest.raises(NotYetPossible, match="not asked"):
            scene.saga.try_now(REQUEST)
        assert scene.tasks == []

    play(work)


def test_a_node_that_takes_drops_and_refuses_in_turn_fills_no_ledger():
    """Sixteen refusals are recorded; from then on the newest one is shown only."""

    async def work() -> None:
        scene = Scene(Scripted(UNKNOWN), commands=SIGNED)
        for turn in range(60):
            scene.chain.says = UNKNOWN
            scene.chain.refuses = FeeTooLow(f"refused in turn {turn}")
            for _ in range(6):
                if scene.saga.follows(REQUEST):
                    scene.saga.try_now(REQUEST)
                await asyncio.sleep(0.01)
            shown = scene.told()
            scene.chain.says = WAITING
            scene.saga.try_now(REQUEST)
            await asyncio.sleep(0.01)
        assert scene.ledger.records <= 2 * MAX_REFUSALS + 2
        assert "refuses it again: refused in turn 59" in shown
        assert scene.state is RequestState.BROADCAST
        assert "refuses" not in scene.told()
        await scene.end()

    play(work)


def test_of_two_signatures_a_node_cannot_name_each_in_turn_for_ever():
    async def work() -> None:
        scene = Scene(Scripted(WAITING))
        request = scene.ledger.requests[REQUEST]
        (first,) = request.signatures
        other = SimpleNamespace(
            transaction_id="a-first", session=first.session, signed_transaction=b"signed"
        )
        scene.ledger.requests[REQUEST] = replace(request, signatures=(first, other))
        young = Inclusion(InclusionState.CONFIRMED, 9, settled=False)

        async def status(transaction_id: str) -> Inclusion:
            scene.chain.asked.append(0.0)
            named = "a-first" if len(scene.chain.asked) // 3 % 2 else first.transaction_id
            return young if transaction_id == named else UNKNOWN

        scene.chain.status = status
        await asyncio.sleep(40 * HOUR)
        assert len(scene.chain.asked) > 500
        assert scene.ledger.records <= 40
        await scene.end()

    play(work)
