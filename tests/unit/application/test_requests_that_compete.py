"""What a node does when its settings changed, and when two sessions are under way at once."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from console.application.sagas.broadcast import BroadcastSaga
from console.application.signing.coordinator import SigningCoordinator
from console.application.signing.requests import RequestRecords
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain import request_decisions, signing_request
from console.domain.errors import Conflict, NotYetPossible
from console.domain.ids import RequestId
from console.domain.values import Chain, Network
from tests.unit.application.test_reservations import (
    CONFIRMED,
    FIRST_BYTES,
    OTHER,
    RELEASED,
    SENT,
    SIGNED,
    Ledger,
)
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    FIRST,
    POLICY,
    SECOND,
    START,
    WALLET,
    start,
)

IN_RUN = (*APPROVED, start())


def on(network: Network, ledger: Ledger, name: str) -> None:
    request = ledger.requests[RequestId(name)]
    ledger.requests[RequestId(name)] = replace(
        request, proposal=replace(request.proposal, network=network)
    )


def test_a_chain_that_left_the_settings_is_said_to_be_away():
    ledger = Ledger()
    request = ledger.add("rq-1", FIRST_BYTES, *APPROVED)
    ledger.chains.clear()
    assert ledger.held() == frozenset()
    for ask in (
        lambda: ledger.reservations.require_first(request),
        lambda: ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER),
    ):
        with pytest.raises(NotYetPossible, match="no connection to ethereum"):
            ask()


@pytest.mark.parametrize("commands", [APPROVED, RELEASED, SENT, CONFIRMED])
def test_a_request_for_another_network_holds_nothing_on_this_one(commands):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    on(Network.TESTNET, ledger, "rq-1")
    assert ledger.held() == frozenset()
    second = ledger.add("rq-2", OTHER, *APPROVED)
    ledger.reservations.require_first(second)
    assert ledger.reservations.successor(second) is None


def test_bytes_that_are_not_understood_any_more_stop_no_other_request():
    ledger = Ledger()
    ledger.add("rq-1", b"\xff", *SENT)
    second = ledger.add("rq-2", FIRST_BYTES, *SENT)
    assert ledger.held() == frozenset({"nonce:31337:7"})
    assert ledger.reservations.successor(second) is None
    ledger.reservations.require_first(second)


def test_what_is_not_understood_any_more_has_no_successor_and_is_not_said_to_have_failed():
    ledger = Ledger()
    first = ledger.add("rq-1", b"\xff", *SENT)
    ledger.add("rq-2", FIRST_BYTES, *CONFIRMED)
    assert ledger.reservations.successor(first) is None


def test_a_requests_bytes_are_read_once():
    ledger = Ledger()
    adapter = ledger.chains[Chain.ETHEREUM]
    asked = []

    def consumes(data: bytes) -> frozenset[str]:
        asked.append(data)
        return frozenset({"nonce:31337:7"})

    spy = SimpleNamespace(network=adapter.network, consumes=consumes)
    reservations = Reservations(
        ANA, ledger, {Chain.ETHEREUM: spy}, SimpleNamespace(now_ms=lambda: START)
    )
    ledger.add("rq-1", FIRST_BYTES, *APPROVED)
    assert [reservations.held(WALLET, Chain.ETHEREUM) for _ in range(5)] == [{"nonce:31337:7"}] * 5
    assert asked == [FIRST_BYTES]


class SlowLedger(Ledger):
    """Takes a while to write, as a disk does."""

    def request(self, name):
        return self.requests[name]

    async def record_request(self, name, _wallet, command):
        for event in request_decisions.decide(self.requests[name], command, POLICY):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            state = signing_request.evolve(self.requests[name], event, POLICY)
            self.requests[name] = replace(state, proposal=self.requests[name].proposal)


def coordinator(ledger: Ledger) -> SigningCoordinator:
    clock = SimpleNamespace(now_ms=lambda: START)
    transactions = Transactions(ledger, {}, {})
    return SigningCoordinator(
        me=ANA,
        aggregates=ledger,
        shares=None,
        schemes={},
        transactions=transactions,
        requests=RequestRecords(
            me=ANA, aggregates=ledger, transactions=transactions, schemes={}, clock=clock
        ),
        reservations=ledger.reservations,
        verdicts=SimpleNamespace(require_usable=lambda *_: None),
        clock=clock,
        publish=None,
    )


async def test_of_two_runs_that_were_both_admitted_one_gives_its_share():
    ledger = SlowLedger()
    ledger.add("rq-1", FIRST_BYTES, *IN_RUN)
    ledger.add("rq-2", OTHER, *APPROVED, start(SECOND))
    signing = coordinator(ledger)
    runs = [
        SimpleNamespace(subject="rq-1", session=FIRST, participants=()),
        SimpleNamespace(subject="rq-2", session=SECOND, participants=()),
    ]
    outcomes = await asyncio.gather(*map(signing.releasing, runs), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), Conflict]
    released = [r.attempts[0].share_released for r in ledger.requests.values()]
    assert released == [True, False]


@pytest.mark.parametrize(("network", "followed"), [(Network.DEVNET, 1), (Network.TESTNET, 0)])
def test_what_was_signed_for_another_network_is_not_handed_to_this_one(network, followed):
    ledger = SlowLedger()
    ledger.add("rq-1", FIRST_BYTES, *SIGNED)
    on(network, ledger, "rq-1")
    spawned = []
    saga = BroadcastSaga(
        me=BEN,
        aggregates=ledger,
        chains=ledger.chains,
        reservations=ledger.reservations,
        clock=SimpleNamespace(now_ms=lambda: START),
        spawn=lambda work: (spawned.append(work), work.close()),
        moved=lambda _subject: None,
    )
    saga.resume()
    assert len(spawned) == followed
