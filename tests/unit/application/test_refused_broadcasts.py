"""A chain's node that refuses what was signed: what ends, and what stays open."""

from dataclasses import dataclass

import pytest

from console.application.errors import (
    BlockhashExpired,
    CoinSpent,
    FeeTooLow,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import Inclusion, InclusionState
from console.domain.ids import RequestId
from console.domain.signing_request import OVER, RequestState
from console.domain.values import Network
from tests.unit.application.following import LIMITS, Watched, follow
from tests.unit.application.test_reservations import FIRST_BYTES, SIGNED
from tests.unit.domain.facts import START

REQUEST = RequestId("rq-1")
MIXED = (*[NonceConflict("taken")] * 3, FeeTooLow("low"))


@dataclass
class Refusing:
    """A chain whose node refuses so many times, then takes it, then confirms it."""

    refusal: TransactionError | None
    times: int
    replaceable: bool | None = True
    network: Network = Network.DEVNET
    lets_expire: bool = False
    offered: int = 0
    has_it: bool = False

    def can_be_replaced(self, transaction: bytes) -> bool:
        assert transaction == FIRST_BYTES
        if self.replaceable is None:
            raise UnknownTransaction("not these bytes")
        return self.replaceable

    async def status(self, transaction_id: str) -> Inclusion:
        assert transaction_id
        return Inclusion(InclusionState.CONFIRMED if self.has_it else InclusionState.UNKNOWN, 9)

    async def broadcast(self, _signed: object) -> None:
        self.offered += 1
        if self.offered <= self.times:
            raise self.refusal or MIXED[self.offered % len(MIXED)]
        self.has_it = True


async def offer(chain: Refusing, now_ms: int = START) -> Watched:
    ledger = Watched()
    ledger.add(REQUEST, FIRST_BYTES, *SIGNED)
    return await follow(ledger, chain, now_ms=now_ms)


OPEN = [FeeTooLow("low"), InsufficientFunds("poor"), TransactionRejected("why")]
ENDED = [NonceConflict("taken"), CoinSpent("gone"), BlockhashExpired("old")]


@pytest.mark.parametrize("refusal", OPEN, ids=lambda refusal: type(refusal).__name__)
async def test_what_could_still_be_executed_stays_open_and_is_offered_again(refusal):
    chain = Refusing(refusal, times=10)
    ledger = await offer(chain)
    assert ledger.states == [
        RequestState.REFUSED,
        RequestState.BROADCAST,
        RequestState.BROADCAST,
        RequestState.CONFIRMED,
    ]
    assert ledger.requests[REQUEST].refused is None
    assert chain.offered == 11


@pytest.mark.parametrize("refusal", OPEN, ids=lambda refusal: type(refusal).__name__)
async def test_what_is_refused_for_ever_is_never_said_to_be_over(refusal):
    ledger = await offer(Refusing(refusal, times=1_000))
    request = ledger.requests[REQUEST]
    assert request.state not in OVER
    assert request.refused.reason == str(refusal)
    assert ledger.held()


@pytest.mark.parametrize("refusal", ENDED, ids=lambda refusal: type(refusal).__name__)
async def test_what_can_never_be_executed_has_failed_after_four_refusals(refusal):
    chain = Refusing(refusal, times=1_000)
    ledger = await offer(chain)
    assert ledger.states == [RequestState.FAILED]
    assert ledger.requests[REQUEST].failed.reason == str(refusal)
    assert chain.offered == LIMITS.refusals


async def test_reasons_that_change_decide_nothing():
    ledger = await offer(Refusing(None, times=1_000))
    assert ledger.states == []


async def test_what_cannot_be_replaced_ends_at_a_refusal_when_it_has_had_its_time():
    chain = Refusing(FeeTooLow("low"), times=1_000, replaceable=False)
    early = await offer(chain, now_ms=START + LIMITS.expiring_ms - 1)
    assert set(early.states) == {RequestState.REFUSED}
    late = await offer(Refusing(FeeTooLow("low"), 1_000, False), now_ms=START + LIMITS.expiring_ms)
    assert late.states == [RequestState.FAILED]


async def test_what_expires_by_itself_is_ended_by_no_refusal_however_late():
    """A node that is behind refuses what the cluster may have executed."""
    chain = Refusing(FeeTooLow("low"), times=1_000, replaceable=False, lets_expire=True)
    ledger = await offer(chain, now_ms=START + 10 * LIMITS.expiring_ms)
    assert set(ledger.states) == {RequestState.REFUSED}


async def test_what_this_version_cannot_read_is_not_judged():
    chain = Refusing(FeeTooLow("low"), times=1_000, replaceable=None)
    ledger = await offer(chain, now_ms=START + LIMITS.expiring_ms)
    assert set(ledger.states) == {RequestState.REFUSED}


@pytest.mark.parametrize("refusal", [*OPEN, *ENDED], ids=lambda refusal: type(refusal).__name__)
async def test_a_node_that_lags_behind_has_not_refused(refusal):
    ledger = await offer(Refusing(refusal, times=LIMITS.refusals - 1))
    assert ledger.states == [
        RequestState.BROADCAST,
        RequestState.BROADCAST,
        RequestState.CONFIRMED,
    ]
