"""Confirmed is followed while the chain can take it back, and is open again then (faults, 14)."""

from dataclasses import dataclass, field, replace
from itertools import groupby

import pytest

from console.application.ports.chain import Inclusion, InclusionState
from console.domain import request_decisions
from console.domain.errors import NotYetPossible
from console.domain.ids import RequestId
from console.domain.request_chain import REPLACED
from console.domain.request_commands import (
    RecordBroadcast,
    RecordConfirmation,
    RecordFailure,
    RecordTakenBack,
)
from console.domain.signing_request import RequestState
from console.domain.values import Network
from tests.unit.application.following import LIMITS, Watched, follow
from tests.unit.application.test_reservations import FIRST_BYTES, HIGHER, SENT, SIGNED
from tests.unit.domain.facts import POLICY, START, request_after

REQUEST, OTHER = RequestId("rq-1"), RequestId("rq-2")
TXID = "transaction-id"
YOUNG = RecordConfirmation(TXID, 9, START, settled=False)
SETTLED = RecordConfirmation(TXID, 9, START)
UNKNOWN = Inclusion(InclusionState.UNKNOWN)
WAITING = Inclusion(InclusionState.PENDING)


def confirmed(block: int = 9, *, settled: bool = False) -> Inclusion:
    return Inclusion(InclusionState.CONFIRMED, block, settled=settled)


def shallow(block: int = 9) -> Inclusion:
    return Inclusion(InclusionState.PENDING, block)


@dataclass
class Told:
    """A chain that answers what a story says, its last word for ever."""

    story: dict[str, list[Inclusion]]
    network: Network = Network.DEVNET
    lets_expire: bool = False
    asked: int = 0
    sent: list[str] = field(default_factory=list)

    def can_be_replaced(self, _transaction: bytes) -> bool:
        return True

    async def status(self, transaction_id: str) -> Inclusion:
        self.asked += 1
        left = self.story[transaction_id]
        return left.pop(0) if len(left) > 1 else left[0]

    async def broadcast(self, signed) -> None:
        self.sent.append(signed.transaction_id)


def one(*commands) -> Watched:
    ledger = Watched()
    ledger.add(REQUEST, FIRST_BYTES, *commands)
    return ledger


async def test_confirmed_is_followed_until_the_chain_can_no_longer_take_it_back():
    chain = Told({TXID: [confirmed(), confirmed(), confirmed(), confirmed(settled=True)]})
    # Without a bound of polls: it ends by itself.
    ledger = await follow(one(*SENT), chain, replace(LIMITS, polls=None))
    request = ledger.requests[REQUEST]
    assert (chain.asked, request.state) == (4, RequestState.CONFIRMED)
    assert request.confirmed.settled
    again = Told({TXID: [UNKNOWN]})
    await follow(ledger, again)
    assert again.asked == 0


async def test_a_block_that_is_gone_opens_the_request_again_and_it_is_broadcast():
    gone = [UNKNOWN] * (LIMITS.refusals + 1)
    chain = Told({TXID: [confirmed(), *gone, WAITING, confirmed(12), confirmed(12, settled=True)]})
    ledger = await follow(one(*SENT), chain, replace(LIMITS, polls=None))
    kinds = [state for state, _ in groupby(ledger.states)]
    assert kinds == [RequestState.BROADCAST, RequestState.CONFIRMED] * 2
    assert chain.sent == [TXID]
    assert ledger.requests[REQUEST].confirmed.block == 12


async def test_a_restart_finds_what_was_taken_back_meanwhile():
    for story in ([UNKNOWN], [WAITING], [shallow(11)]):
        ledger = await follow(one(*SENT, YOUNG), Told({TXID: story}))
        assert ledger.requests[REQUEST].state is RequestState.BROADCAST
        assert ledger.held()


async def test_a_node_that_lags_behind_takes_nothing_back():
    few = LIMITS.refusals - 1
    for story in ([shallow(9)], [*[UNKNOWN] * few, confirmed(), *[WAITING] * few, confirmed()]):
        ledger = await follow(one(*SENT, YOUNG), Told({TXID: story}))
        assert set(ledger.states) <= {RequestState.CONFIRMED}
        assert ledger.requests[REQUEST].state is RequestState.CONFIRMED


async def test_the_block_is_told_again_once_it_is_settled():
    ledger = await follow(one(*SENT, YOUNG), Told({TXID: [confirmed(10)]}))
    assert ledger.requests[REQUEST].confirmed.block == 9
    ledger = await follow(
        one(*SENT, YOUNG), Told({TXID: [confirmed(10), confirmed(11, settled=True)]})
    )
    assert ledger.requests[REQUEST].confirmed.block == 11


@pytest.mark.parametrize(
    "words",
    [
        [confirmed(9), confirmed(10), confirmed(11)],
        [confirmed(9), UNKNOWN],
        [*[confirmed(9)] * 5, *[UNKNOWN] * 5],
        [confirmed(9), shallow(12)],
        [*[confirmed(9)] * 5, *[shallow(12)] * 5],
    ],
)
@pytest.mark.parametrize("replaced", [False, True])
async def test_a_node_that_changes_its_word_for_ever_fills_no_ledger(words, replaced):
    """What it says is recorded after several looks, and each time after twice as many."""
    ledger = pair() if replaced else one(*SENT, YOUNG)
    told = (words * 400)[:1000]
    chain = Told({TXID: told, "other": [confirmed()]})
    await follow(ledger, chain, replace(LIMITS, polls=1000))
    assert chain.asked >= 1000
    assert ledger.records <= 40


def pair(settled: bool = False) -> Watched:
    """The second request was confirmed in place of the first."""
    ledger = one(*SENT, RecordFailure(f"{REPLACED}the chain confirmed rq-2 in its place", START))
    second = ledger.add(OTHER, HIGHER, *SIGNED, RecordBroadcast(TXID, START))
    (signature,) = second.signatures
    signature = replace(signature, transaction_id="other")
    done = replace(ledger.add("x", HIGHER, *SENT, YOUNG).confirmed, settled=settled)
    del ledger.requests[RequestId("x")]
    ledger.requests[OTHER] = replace(
        second, signatures=(signature,), confirmed=replace(done, transaction_id="other")
    )
    return ledger


async def test_what_was_replaced_comes_back_with_the_block_of_its_successor():
    ledger = pair()
    story = {TXID: [UNKNOWN] * 20 + [confirmed(11)], "other": [confirmed(), UNKNOWN]}
    await follow(ledger, Told(story))
    assert ledger.requests[REQUEST].state is RequestState.CONFIRMED
    assert ledger.requests[OTHER].state is RequestState.FAILED
    assert ledger.requests[OTHER].failed.reason.startswith(REPLACED)


async def test_what_was_replaced_for_good_is_asked_for_no_more():
    chain = Told({TXID: [UNKNOWN], "other": [confirmed(settled=True)]})
    ledger = await follow(pair(settled=True), chain)
    assert (chain.asked, ledger.states) == (0, [])
    chain = Told({TXID: [UNKNOWN], "other": [confirmed(), confirmed(settled=True)]})
    ledger = await follow(pair(), chain, replace(LIMITS, polls=None))
    assert ledger.requests[REQUEST].state is RequestState.FAILED


async def test_any_other_failure_is_final():
    chain = Told({TXID: [confirmed()]})
    ledger = await follow(one(*SENT, RecordFailure("a coin is gone", START)), chain)
    assert (chain.asked, ledger.states) == (0, [])


@pytest.mark.parametrize(
    ("before", "command", "events"),
    [
        ((*SENT, YOUNG), YOUNG, 0),
        ((*SENT, YOUNG), SETTLED, 1),
        ((*SENT, YOUNG), RecordConfirmation(TXID, 10, START, settled=False), 0),
        ((*SENT, YOUNG), RecordConfirmation(TXID, 10, START, settled=True), 1),
        ((*SENT, YOUNG), RecordTakenBack("gone", START), 1),
        ((*SENT, YOUNG), RecordFailure("why", START), 0),
        ((*SENT, YOUNG), RecordBroadcast(TXID, START), 0),
        ((*SENT, SETTLED), RecordTakenBack("gone", START), 0),
        ((*SENT, SETTLED), YOUNG, 0),
        (SENT, RecordTakenBack("gone", START), 0),
        ((*SENT, RecordFailure("why", START)), RecordTakenBack("gone", START), 0),
        ((*SENT, RecordFailure(f"{REPLACED}x", START)), RecordTakenBack("gone", START), 1),
    ],
)
def test_only_what_the_chain_can_take_back_is_taken_back(before, command, events):
    found = request_decisions.decide(request_after(*before), command, POLICY)
    assert len(found) == events


def test_a_confirmation_of_another_transaction_is_none():
    with pytest.raises(NotYetPossible, match="no signature"):
        request_decisions.decide(
            request_after(*SENT, YOUNG), RecordConfirmation("else", 10, START), POLICY
        )
