"""What a chain no longer executes is believed after several answers, and asked for no more."""

from dataclasses import dataclass, field

import pytest

from console.application.errors import ChainUnavailable
from console.application.sagas.backoff import Backoff
from console.application.sagas.doubt import LOOKS, PAUSES, DoubtWatch
from console.application.signing.transactions import Transactions
from console.domain.ids import RequestId
from console.domain.values import Chain, Network
from tests.unit.application.test_requests_that_compete import SlowLedger
from tests.unit.application.test_reservations import FIRST_BYTES, RELEASED
from tests.unit.domain.facts import END, approve

REQUEST = RequestId("rq-1")


@dataclass
class Told:
    """A chain that answers what a story says, its last word for ever."""

    story: list[bool | None]
    network: Network = Network.DEVNET
    asked: int = 0

    async def is_used_up(self, transaction: bytes, keys: object) -> bool:
        assert (transaction, keys) == (FIRST_BYTES, "keys")
        self.asked += 1
        word = self.story.pop(0) if len(self.story) > 1 else self.story[0]
        if word is None:
            raise ChainUnavailable("away")
        return word


@dataclass
class Bench:
    chain: Told
    now_s: float = 0.0
    moved: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = SlowLedger(now=END)
        self.ledger.wallet = self.ledger.wallets.__getitem__
        self.ledger.add(REQUEST, FIRST_BYTES, *RELEASED)
        chains = {Chain.ETHEREUM: self.chain}
        transactions = Transactions(self.ledger, {}, chains)
        transactions.keys = lambda _wallet: "keys"
        pauses = Backoff(first_s=10.0, last_s=100.0)
        self.watch = DoubtWatch(transactions, self.ledger.reservations, self.moved.append, pauses)

    async def pass_time(self, rounds: int, each_s: float = 100.0) -> None:
        for _ in range(rounds):
            await self.watch.ask(self.now_s)
            self.now_s += each_s


async def test_several_answers_in_a_row_are_believed_and_told():
    bench = Bench(Told([True, True, True, False, True]))
    await bench.pass_time(LOOKS + LOOKS - 1)
    assert not bench.watch.is_used_up(REQUEST)
    await bench.pass_time(1)
    assert bench.watch.is_used_up(REQUEST)
    assert bench.moved == [REQUEST]
    asked = bench.chain.asked
    await bench.pass_time(10)
    assert bench.chain.asked == asked


@pytest.mark.parametrize("word", [False, None])
async def test_what_may_still_be_executed_is_asked_for_with_growing_pauses(word):
    bench = Bench(Told([word]))
    await bench.pass_time(200, each_s=5.0)
    assert not bench.watch.is_used_up(REQUEST)
    assert 10 <= bench.chain.asked <= 40
    assert PAUSES.last_s <= 3_600


async def test_only_what_is_in_doubt_is_asked_for():
    bench = Bench(Told([True]))
    bench.ledger.add(REQUEST, FIRST_BYTES, approve("ben"))
    await bench.pass_time(LOOKS)
    bench.ledger.add(REQUEST, FIRST_BYTES, *RELEASED)
    bench.ledger.now = END - 1
    await bench.pass_time(LOOKS)
    assert bench.chain.asked == 0
    bench.ledger.now, bench.chain.network = END, Network.MAINNET
    await bench.pass_time(LOOKS)
    assert bench.chain.asked == 0
