"""What a request offers is possible at its stage."""

from types import SimpleNamespace

import pytest

from console.adapters.chains.solana.instructions.system import INITIALIZE_NONCE
from console.application.queries.requests import request_view
from console.application.queries.sentences import NodeFacts
from console.application.queries.wallets import MAKES_DURABLE
from console.domain.request_commands import RecordBroadcast
from console.domain.values import Chain
from tests.fakes.chain import FakeChain, FakeCluster
from tests.unit.application.test_chains_that_are_away import (
    facts,
    here,
    transactions,
)
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    CUSTODIANS,
    END,
    START,
    WALLET,
    approve,
    fail,
    request_after,
    signature,
    start,
)

SENT = (*APPROVED, start(), signature(), RecordBroadcast("transaction-id", START))
STAGES = {
    "proposed": ((), {"deny", "withdraw"}),
    "approved by one": ((approve(BEN),), {"deny", "withdraw"}),
    "before the first attempt": (APPROVED, {"deny", "withdraw"}),
    "signing, its session is gone here": ((*APPROVED, start()), {"retry"}),
    "after a failed attempt": ((*APPROVED, start(), fail()), {"deny", "withdraw", "retry"}),
    "signed, not broadcast": ((*APPROVED, start(), signature()), set()),
    "broadcast": (SENT, {"replace"}),
}


class Replacing(FakeChain):
    """A chain on which everything can be replaced."""

    def can_be_replaced(self, _data):
        return True


def offered(commands, me=ANA, now=START) -> set[str]:
    aggregates = facts()
    aggregates.wallets[WALLET].quorum = SimpleNamespace(threshold=2, custodians=CUSTODIANS)
    chains = {Chain.SOLANA: Replacing(FakeCluster())}
    known = transactions(aggregates, chains)
    view = request_view(
        request_after(*commands), here(aggregates, chains, known, me, now), NodeFacts()
    )
    offers = {
        "deny": view.can_deny,
        "withdraw": view.can_withdraw,
        "retry": view.can_retry,
        "replace": view.can_replace,
        "remake": view.can_remake,
    }
    return {name for name, offer in offers.items() if offer}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_offers_what_it_allows(stage):
    commands, expected = STAGES[stage]
    assert offered(commands) == expected


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "broadcast"])
def test_an_expired_request_offers_nothing(stage):
    assert offered(STAGES[stage][0], now=END) == set()


def test_the_action_that_makes_transfers_durable_is_the_chains_own_word():
    assert INITIALIZE_NONCE.name == MAKES_DURABLE
