"""The policy: what it demands, and the sentences in which each rule says so."""

from dataclasses import replace

import pytest

from console.domain.errors import InvalidQuorum, PolicyViolation
from console.domain.policy import Policy, enforce, evaluate, may_approve
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, Quorum
from tests.unit.domain.facts import ANA, BEN, DIGEST, EVE, POLICY, QUORUM

OWN, OTHER = "own address", "another address"
DESCRIPTION = TransactionDescription(
    chain=Chain.SOLANA,
    network=Network.DEVNET,
    action="Transfer",
    amount=Amount(5, "SOL", 9),
    from_address=OWN,
    to_address=OTHER,
    fee=Amount(5_000, "SOL", 9),
    fields=(),
    red_flags=(),
    digest=DIGEST,
)


def test_a_policy_can_be_reached_by_others_than_who_asks() -> None:
    for needed in (1, 2):
        assert Policy(1, QUORUM, needed).approvals_needed == needed
    for needed in (0, 3):
        with pytest.raises(InvalidQuorum, match="cannot be reached: 2 custodians"):
            Policy(1, QUORUM, needed)


def test_where_who_asks_may_approve_one_person_alone_does_not_move_the_funds() -> None:
    for needed in (2, 3):
        Policy(1, QUORUM, needed, initiator_may_approve=True)
    with pytest.raises(InvalidQuorum, match="one person alone"):
        Policy(1, QUORUM, 1, initiator_may_approve=True)
    with pytest.raises(InvalidQuorum, match="3 custodians"):
        Policy(1, QUORUM, 4, initiator_may_approve=True)
    assert Policy(1, Quorum(2, (ANA, BEN)), 1)


def test_every_rule_says_in_words_how_it_judged() -> None:
    good = evaluate(DESCRIPTION, own_address=OWN, fee_ceiling=5_000)
    assert [(r.rule, r.passed) for r in good] == [
        ("Own account", True),
        ("Fee limit", True),
        ("Fully decoded", True),
    ]
    assert good[0].explanation == "Pays from this wallet's own account"
    assert "0.000\u2009005\u2009000 SOL" in good[1].explanation
    assert good[2].explanation == "Every instruction is understood"
    enforce(good)
    flagged = replace(DESCRIPTION, from_address=OTHER, red_flags=("two", "flags"))
    bad = evaluate(flagged, own_address=OWN, fee_ceiling=4_999)
    assert [r.passed for r in bad] == [False] * 3
    assert bad[0].explanation == "Pays from an account that is not this wallet's"
    assert bad[2].explanation == "two; flags"
    with pytest.raises(PolicyViolation) as refused:
        enforce(bad)
    for rule in ("Own account", "Fee limit", "Fully decoded"):
        assert f"{rule}: " in str(refused.value)


def test_who_may_approve() -> None:
    assert may_approve(POLICY, BEN, ANA) == ""
    assert "another custodian must" in may_approve(POLICY, ANA, ANA)
    assert "Only custodians" in may_approve(POLICY, EVE, ANA)
    own = Policy(1, QUORUM, 2, initiator_may_approve=True)
    assert may_approve(own, ANA, ANA) == ""
