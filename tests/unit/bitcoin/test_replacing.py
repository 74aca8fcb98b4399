"""Replacing: the same payments or none, a shared coin, and a fee that nodes will take."""

import pytest

from console.adapters.chains.bitcoin.accounts import ACCOUNTS, KeyPosition
from console.adapters.chains.bitcoin.signable import may_replace
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import parse_spending
from console.application.ports.chain import Account
from tests.unit.bitcoin.changes import with_sequence
from tests.unit.bitcoin.wallets import FRIEND, coin, described, draft

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def payment(account: Account = ACCOUNTS[0], rate: int = 2_000, amount: int = 20_000) -> bytes:
    return (
        draft(account)
        .rate(rate)
        .pay(FRIEND, amount)
        .spend(coin(99_000, account))
        .build(KeyPosition(1, 0))
    )


@each_account
def test_the_same_for_a_higher_fee(account: Account) -> None:
    old = parse_spending(payment(account))
    bumped = draft(account).rate(1).outbid(old.fee, signed_vsize(old)).pay(FRIEND, 20_000)
    new = bumped.spend(coin(99_000, account)).build(KeyPosition(1, 7))
    assert may_replace(payment(account), new) == ""
    assert parse_spending(new).fee == old.fee + signed_vsize(parse_spending(new))
    assert described(new).amount == described(payment(account)).amount
    assert not described(new).red_flags


@each_account
def test_nothing_at_all(account: Account) -> None:
    cancelled = draft(account).rate(4_000).spend(coin(99_000, account)).build(KeyPosition(1, 7))
    assert may_replace(payment(account), cancelled) == ""
    assert described(cancelled).action == "Move to own account"


def test_with_a_further_coin() -> None:
    richer = draft().rate(9_000).pay(FRIEND, 20_000).spend(coin(99_000), coin(50_000, salt=4))
    assert may_replace(payment(), richer.build(KeyPosition(1, 0))) == ""


def test_not_for_the_same_or_a_little_higher_fee() -> None:
    assert "fee is not high enough" in may_replace(payment(), payment())
    assert "fee is not high enough" in may_replace(payment(), payment(rate=2_900))
    assert may_replace(payment(), payment(rate=3_000)) == ""


def test_not_for_a_lower_rate() -> None:
    coins = tuple(coin(9_000, salt=number) for number in range(1, 9))
    large = draft().pay(FRIEND, 20_000).spend(coin(99_000), *coins)
    assert "rate is not higher" in may_replace(
        payment(rate=9_000), large.rate(9_000).build(KeyPosition(1, 0))
    )


@pytest.mark.parametrize("rate", [1_000, 1_001, 7_777, 9_000])
def test_outbidding_is_enough_however_many_coins_it_takes(rate: int) -> None:
    old = payment(rate=rate)
    spending = parse_spending(old)
    coins = tuple(coin(9_000, salt=number) for number in range(1, 9))
    for further in ((), coins):
        bumped = draft().rate(1).outbid(spending.fee, signed_vsize(spending))
        new = bumped.pay(FRIEND, 20_000).spend(coin(99_000), *further).build(KeyPosition(1, 0))
        assert may_replace(old, new) == ""


def test_not_for_another_payment() -> None:
    for amount in (19_999, 20_001):
        assert "neither pays the same" in may_replace(payment(), payment(rate=9_000, amount=amount))
    more = draft().rate(9_000).pay(FRIEND, 20_000).pay(FRIEND, 1_000).spend(coin(99_000))
    assert "neither pays the same" in may_replace(payment(), more.build(KeyPosition(1, 0)))
    with_memo = draft().rate(9_000).pay(FRIEND, 20_000).memo(b"x").spend(coin(99_000))
    assert "neither pays the same" in may_replace(payment(), with_memo.build(KeyPosition(1, 0)))


def test_not_with_other_coins() -> None:
    other = draft().rate(9_000).pay(FRIEND, 20_000).spend(coin(99_000, salt=9))
    assert "none of the same coins" in may_replace(payment(), other.build(KeyPosition(1, 0)))


def test_not_with_some_of_the_coins_only() -> None:
    """The second replaces the first; a third without the first's coin would pay beside it."""
    second = draft().rate(9_000).pay(FRIEND, 20_000).spend(coin(99_000), coin(50_000, salt=4))
    third = draft().rate(30_000).pay(FRIEND, 20_000).spend(coin(50_000, salt=4))
    replaced = second.build(KeyPosition(1, 0))
    assert may_replace(payment(), replaced) == ""
    assert "leaves out a coin" in may_replace(replaced, third.build(KeyPosition(1, 0)))


def test_also_what_said_that_it_is_final() -> None:
    """Bitcoin Core replaces whatever waits, by default since version 28."""
    final = with_sequence(payment(), 0xFFFF_FFFE)
    assert may_replace(final, payment(rate=9_000)) == ""
