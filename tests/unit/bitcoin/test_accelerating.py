"""Child pays for parent: the package's rate is reached, and nothing is paid for strangers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.bitcoin.accelerating import (
    Waiting,
    accelerate,
    weighed,
)
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    CHANGE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    script_at,
)
from console.adapters.chains.bitcoin.build import OwnCoin, Wallet
from console.adapters.chains.bitcoin.script import p2pkh
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import Transaction, TxIn, TxOut
from console.application.errors import InsufficientFunds, TransactionError
from console.application.ports.chain import Account
from tests.properties.depth import examples
from tests.unit.bitcoin.wallets import (
    FRIEND,
    KEYS,
    NETWORK,
    coin,
    core_accepts,
    described,
    draft,
    signed,
)

PLACE, NEXT = KeyPosition(CHANGE, 0), KeyPosition(CHANGE, 1)
each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def waiting(
    account: Account = SEGWIT, rate: int = 1_000, satoshis: int = 500_000, salt: int = 1
) -> Waiting:
    """A payment of the account's, with change, that pays little."""
    paid = draft(account).pay(FRIEND, 30_000).spend(coin(satoshis, account, salt=salt))
    parent = signed(paid.rate(rate).build(PLACE))
    return weighed(parent, [coin(satoshis, account, salt=salt).previous])


def change_of(each: Waiting, account: Account = SEGWIT) -> OwnCoin:
    script = script_at(account, KEYS, PLACE)
    index = [output.script for output in each.transaction.outputs].index(script)
    return OwnCoin(each.transaction, index, PLACE)


def wallet(account: Account = SEGWIT) -> Wallet:
    return Wallet(account, KEYS, NETWORK)


def fee_of(transaction: Transaction, spent: tuple[TxOut, ...]) -> int:
    return sum(each.amount for each in spent) - sum(each.amount for each in transaction.outputs)


@each_account
@given(
    rates=st.lists(st.integers(1, 60_000), min_size=1, max_size=4),
    target=st.integers(2, 60_000),
    more=st.booleans(),
)
@examples(40)
def test_the_package_reaches_the_rate_whatever_is_mined_before(
    account: Account, rates: list[int], target: int, more: bool
) -> None:
    parents = [waiting(account, rate, salt=salt) for salt, rate in enumerate(rates, start=1)]
    coins = tuple(change_of(each, account) for each in parents)
    try:
        accelerated = accelerate(wallet(account), coins, parents, target)
    except TransactionError:
        assert all(each.fee * 1000 >= target * each.transaction.vsize for each in parents)
        return
    if more:
        accelerated = accelerated.offer(coin(400_000, account, salt=9))
    data = accelerated.build(NEXT)
    spending = parse_spending(data)
    child = signed(data)
    assert {each.outpoint for each in coins} <= {each.outpoint for each in child.inputs}
    assert core_accepts(child, spending.spent)
    # Miners take those that pay more first, so what is left must reach the rate too.
    left = [each for each in parents if each.fee * 1000 < target * each.transaction.vsize]
    fees = spending.fee + sum(each.fee for each in left)
    sizes = child.vsize + sum(each.transaction.vsize for each in left)
    assert fees * 1000 >= target * sizes
    # No more than that: a satoshi for each rounding, and a byte for each signature's size.
    assert (fees - len(left) - 1) * 1000 <= target * (sizes + len(child.inputs))


@each_account
def test_the_child_is_an_ordinary_transaction_to_the_wallet_itself(account: Account) -> None:
    parent = waiting(account)
    data = accelerate(wallet(account), (change_of(parent, account),), [parent], 20_000).build(NEXT)
    told = described(data)
    assert told.red_flags == ()
    assert told.amount.base_units == 0
    assert told.fee.base_units == parse_spending(data).fee


def test_the_fee_and_size_are_those_of_the_signed_parent() -> None:
    for account in ACCOUNTS:
        for rate in (1_000, 7_531):
            parent = waiting(account, rate)
            # The estimate that set the fee has room for the largest signature.
            assert 0 <= parent.fee * 1000 - rate * parent.transaction.vsize <= 2 * rate
            assert parent.lack(rate) == 0
            assert parent.lack(rate * 3) == -(-parent.transaction.vsize * rate * 3 // 1000) - (
                parent.fee
            )


def test_a_parent_that_waits_for_another_is_lifted_with_it() -> None:
    first = waiting()
    data = draft().pay(FRIEND, 20_000).rate(1_000).spend(change_of(first)).build(PLACE)
    second = weighed(signed(data), [first.transaction])
    accelerated = accelerate(wallet(), (change_of(second),), [first, second], 30_000)
    child = parse_spending(accelerated.build(NEXT))
    fees = child.fee + first.fee + second.fee
    sizes = (
        first.transaction.vsize + second.transaction.vsize + signed(accelerated.build(NEXT)).vsize
    )
    assert fees * 1000 >= 30_000 * sizes


def test_a_small_coin_is_helped_by_others_or_does_not_reach() -> None:
    parent = waiting(satoshis=30_000 + 1_500)
    accelerated = accelerate(wallet(), (change_of(parent),), [parent], 30_000)
    with pytest.raises(InsufficientFunds):
        accelerated.build(NEXT)
    assert len(parse_spending(accelerated.offer(coin(90_000, salt=5)).build(NEXT)).spent) == 2


def test_what_needs_no_lift_gets_none() -> None:
    parent = waiting(rate=20_000)
    for rate in (-1, 0, 1_000, 20_000):
        with pytest.raises(TransactionError, match="already"):
            accelerate(wallet(), (change_of(parent),), [parent], rate)


def test_nothing_is_paid_for_strangers() -> None:
    parent, stranger = waiting(), waiting(salt=2)
    with pytest.raises(TransactionError, match="none of the coins"):
        accelerate(wallet(), (change_of(parent),), [parent, stranger], 20_000)
    for coins in ((), (change_of(stranger),), (change_of(parent), change_of(stranger))):
        with pytest.raises(TransactionError, match="does not wait"):
            accelerate(wallet(), coins, [parent], 20_000)


def test_the_same_twice_counts_once() -> None:
    parent = waiting()
    once = accelerate(wallet(), (change_of(parent),), [parent], 20_000).build(NEXT)
    twice = accelerate(wallet(), (change_of(parent),) * 2, [parent, parent], 20_000).build(NEXT)
    assert once == twice


def test_what_nodes_would_not_pass_on_is_refused() -> None:
    parent = waiting()
    assert accelerate(wallet(), (change_of(parent),), [parent] * 24, 20_000)
    for many in ([], [parent] * 25):
        with pytest.raises(TransactionError, match="at once"):
            accelerate(wallet(), (change_of(parent),), many, 20_000)
    third = replace(parent, transaction=replace(parent.transaction, version=3))
    with pytest.raises(TransactionError, match="version 3"):
        accelerate(wallet(), (change_of(third),), [third], 20_000)


def test_a_parent_that_is_not_known_whole_is_refused() -> None:
    made = coin(500_000, salt=1).previous
    for account in ACCOUNTS:
        parent = waiting(account).transaction
        maker = coin(500_000, account, salt=1).previous
        for wrong in ([], [made] if account is TAPROOT else [coin(1, salt=3).previous]):
            with pytest.raises(TransactionError, match="not known"):
                weighed(parent, wrong)
        with pytest.raises(TransactionError, match="without its signatures"):
            weighed(parent.without_witnesses(), [maker])
    spender = waiting().transaction.inputs[0]
    for index in (2, 0xFFFF_FFFF):
        outpoint = replace(spender.outpoint, index=index)
        beyond = replace(waiting().transaction, inputs=(replace(spender, outpoint=outpoint),))
        with pytest.raises(TransactionError, match="not known"):
            weighed(beyond, [made])
    greedy = replace(waiting().transaction, outputs=(TxOut(500_001, b"\x51"),))
    with pytest.raises(TransactionError, match="pays out more"):
        weighed(greedy, [made])


def test_a_parent_from_before_segwit_has_no_witness() -> None:
    maker = Transaction(1, (TxIn(coin(1).outpoint),), (TxOut(9_000, p2pkh(bytes(20))),))
    place = KeyPosition(0, 3)
    own = TxOut(8_000, script_at(SEGWIT, KEYS, place))
    spender = TxIn(OwnCoin(maker, 0, place).outpoint, script_sig=bytes(107))
    parent = Transaction(1, (spender,), (own,))
    assert weighed(parent, [maker]) == Waiting(parent, 1_000)
    lifted = accelerate(wallet(), (OwnCoin(parent, 0, place),), [weighed(parent, [maker])], 10_000)
    child = signed(lifted.build(NEXT))
    assert fee_of(child, (own,)) + 1_000 >= 10 * (parent.vsize + child.vsize)


def test_a_parent_with_swollen_witnesses_is_not_paid_for() -> None:
    honest = waiting()
    spender = replace(honest.transaction.inputs[0], witness=(bytes(300_000),))
    swollen = replace(honest.transaction, inputs=(spender,))
    assert swollen.hash == honest.transaction.hash
    parent = weighed(swollen, [coin(500_000, salt=1).previous])
    rich = accelerate(wallet(), (change_of(honest),), [parent], 20_000).offer(coin(10**8, salt=7))
    with pytest.raises(TransactionError, match="more than 500 sat/vB"):
        rich.build(NEXT)
