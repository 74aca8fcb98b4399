"""What is said and offered when signing ended without a signature that may exist (faults, 42)."""

from dataclasses import replace

import pytest

from console.application.queries.requests import request_view
from console.application.queries.sentences import NodeFacts
from console.application.views import RequestView
from console.domain.policy import Policy
from console.domain.request_commands import Deny, RecordConfirmation, Withdraw
from console.domain.request_doubt import Doubt, doubt
from console.domain.signing_request import SigningRequest
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, Quorum
from tests.fakes.chain import FakeChain, FakeCluster
from tests.unit.application.test_chains_that_are_away import facts, here, transactions
from tests.unit.application.test_reservations import RELEASED, SENT
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    CUSTODIANS,
    END,
    EVE,
    QUORUM,
    START,
    WALLET,
    approve,
    fail,
    request_after,
    said,
    start,
)

ENDS = {
    "expired": (),
    "denied": (Deny(member=BEN, reason="no", at_ms=START, evidence=said(BEN)),),
    "withdrawn": (Withdraw(ANA, START, said(ANA)),),
    "outdated": (),
}
ALL_NEEDED = Policy(1, Quorum(3, CUSTODIANS), 2)
PAYMENT = TransactionDescription(
    chain=Chain.SOLANA,
    network=Network.DEVNET,
    action="Transfer",
    from_address="us",
    to_address="them",
    amount=Amount(5, "SOL", 9),
    fee=Amount(1, "SOL", 9),
    fields=(),
    red_flags=(),
    digest=bytes(32),
)
ASIDE = (*APPROVED, start(), fail())
"""This member took part in a session that failed before it gave a share."""


class Nonces(FakeChain):
    """A chain on which everything uses one nonce and can be replaced, unless it expires."""

    replaceable = True

    def consumes(self, _data: bytes) -> frozenset[str]:
        return frozenset({"nonce:7"})

    def can_be_replaced(self, _data: bytes) -> bool:
        return self.replaceable


def seen(
    request: SigningRequest,
    end: str,
    *others: SigningRequest,
    chain: FakeChain | None = None,
    me=ANA,
    known: NodeFacts = NodeFacts(),  # noqa: B008
) -> RequestView:
    aggregates = facts()
    wallet = aggregates.wallets[WALLET]
    wallet.quorum, wallet.epoch = QUORUM, 1 if end == "outdated" else 0
    aggregates.requests = {each.proposal.request: each for each in (request, *others)}
    chains = {Chain.SOLANA: chain or Nonces(FakeCluster())}
    now = END if end == "expired" else START
    place = here(aggregates, chains, transactions(aggregates, chains), me, now)
    return request_view(request, place, known)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (RELEASED, "this member gave its share"),
        ((*RELEASED, fail()), "this member gave its share"),
        (APPROVED, "the others can sign without this member"),
        (ASIDE, "the others can sign without this member"),
    ],
)
def test_a_signature_that_may_exist_is_said_to(end, commands, words):
    view = seen(request_after(*commands, *ENDS[end]), end)
    assert "A signature may exist: " in view.sentence
    assert words in view.sentence
    assert "othing was signed" not in view.sentence
    assert "only one of the two" in view.sentence
    assert (view.may_be_signed, view.can_remake) == (True, True)
    assert view.timeline[-1].title.endswith(": a signature may exist")


@pytest.mark.parametrize("end", ENDS)
def test_without_the_approvals_nothing_is_signed_as_far_as_is_known(end):
    view = seen(request_after(approve(BEN), *ENDS[end]), end)
    if end == "denied":
        assert view.sentence.endswith("denied: no")
    else:
        assert "Nothing was signed, as far as is known here" in view.sentence
    # Nobody is told to make again what a member did not want.
    assert ("propose it again" in view.sentence) is (end in {"expired", "outdated"})
    assert (view.may_be_signed, view.can_remake) == (False, False)
    assert view.timeline[-1].title.endswith(": nothing was signed")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("commands", [APPROVED, ASIDE])
def test_where_every_share_is_needed_a_member_that_gave_none_has_the_proof(end, commands):
    request = replace(request_after(*commands, *ENDS[end]), policy=ALL_NEEDED)
    view = seen(request, end)
    proof = "Nothing was signed: each signature needs this member's share"
    assert (proof in view.sentence) is (end != "denied")
    assert not view.may_be_signed


def test_who_is_no_custodian_has_no_proof():
    request = replace(request_after(*APPROVED), policy=ALL_NEEDED)
    assert doubt(request, EVE) is Doubt.POSSIBLE
    view = seen(request, "expired", me=EVE)
    assert (view.may_be_signed, view.can_remake) == (True, False)


def test_what_expires_on_the_chain_is_not_offered_again_with_the_same_nonce():
    chain = Nonces(FakeCluster())
    chain.replaceable = False
    view = seen(request_after(*RELEASED), "expired", chain=chain)
    assert "expire by itself" in view.sentence
    assert not view.can_remake
    chain.lets_expire = False
    assert (
        "next request uses the same nonce"
        in seen(request_after(*RELEASED), "expired", chain=chain).sentence
    )


def test_what_the_chain_no_longer_executes_is_free_and_says_so():
    view = seen(request_after(*RELEASED), "expired", known=NodeFacts(used_up=True))
    assert "The chain no longer executes it" in view.sentence
    assert "look at the account's history" in view.sentence
    assert (view.may_be_signed, view.can_remake) == (True, False)


def test_another_in_its_place_ends_the_doubt():
    second = request_after(*SENT, RecordConfirmation("transaction-id", 9, START))
    second = replace(second, proposal=replace(second.proposal, request="rq-2"))
    view = seen(request_after(*RELEASED), "expired", second)
    assert "confirmed another request in its place" in view.sentence
    assert not view.can_remake


@pytest.mark.parametrize(("nonce", "told"), [("nonce:7", False), ("nonce:8", True)])
def test_those_who_decide_on_a_second_payment_are_told_of_the_first(nonce, told):
    """One that uses the same nonce cannot be executed beside it."""

    class Same(Nonces):
        def consumes(self, data: bytes) -> frozenset[str]:
            return frozenset({"nonce:7" if data == b"transaction" else nonce})

        def describe(self, _data, _keys):
            return PAYMENT

    first = request_after(*RELEASED)
    first = replace(first, proposal=replace(first.proposal, expires_at_ms=START))
    second = request_after(approve(BEN))
    second = replace(
        second, proposal=replace(second.proposal, request="rq-2", transaction=b"another")
    )
    view = seen(second, "open", first, chain=Same(FakeCluster()))
    unpaid = [check for check in view.checks if check.rule == "Paid once"]
    assert bool(unpaid) is told
    if told:
        assert not unpaid[0].passed
        assert first.proposal.request in unpaid[0].explanation
