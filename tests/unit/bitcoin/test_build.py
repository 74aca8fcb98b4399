"""The builder: coins chosen, change placed, limits kept."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.bitcoin.accounts import ACCOUNTS, SEGWIT, TAPROOT, KeyPosition
from console.adapters.chains.bitcoin.address import script_of
from console.adapters.chains.bitcoin.build import OwnCoin, SpendingDraft, Wallet
from console.adapters.chains.bitcoin.limits import MAX_PSBT_BYTES
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import Transaction, TxOut
from console.application.errors import InsufficientFunds, InvalidAddress, TransactionError
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

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


@each_account
def test_the_fee_is_the_rate_times_the_largest_size(account: Account) -> None:
    for rate in (1, 999, 1_000, 12_345):
        data = draft(account).rate(rate).pay(FRIEND, 30_000).spend(coin(99_000, account))
        spending = parse_spending(data.build(KeyPosition(1, 0)))
        assert spending.fee == -(-signed_vsize(spending) * rate // 1000)


@each_account
def test_signed_sizes_are_as_estimated(account: Account) -> None:
    data = draft(account).pay(FRIEND, 30_000).spend(coin(99_000, account)).build(KeyPosition(1, 0))
    estimate = signed_vsize(parse_spending(data))
    assert estimate - 1 <= signed(data).vsize <= estimate


def test_coins_are_chosen_from_what_is_offered() -> None:
    have = [coin(20_000 + 1_000 * number, salt=number) for number in range(30)]
    data = draft().pay(FRIEND, 60_000).offer(*have).seed(3).build(KeyPosition(1, 0))
    again = draft().pay(FRIEND, 60_000).offer(*have).seed(3).build(KeyPosition(1, 0))
    assert data == again
    assert not described(data).red_flags
    assert 2 <= len(parse_psbt(data).inputs) <= 5


def test_the_change_stands_anywhere() -> None:
    places = set()
    for seed in range(20):
        data = draft().pay(FRIEND, 30_000).spend(coin(99_000)).seed(seed).build(KeyPosition(1, 0))
        places.add([bool(fields) for fields in parse_psbt(data).outputs].index(True))
    assert places == {0, 1}


def test_everything_ordinary_about_it() -> None:
    psbt = parse_psbt(
        draft().at(812_345).pay(FRIEND, 9_000).spend(coin(99_000)).build(KeyPosition(1, 0))
    )
    assert psbt.transaction.version == 2
    assert psbt.transaction.locktime == 812_345
    assert [each.sequence for each in psbt.transaction.inputs] == [0xFFFF_FFFD]
    assert psbt.encode() == parse_psbt(psbt.encode()).encode()


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(TransactionError, match="below 294"):
        draft().pay(FRIEND, 293)
    with pytest.raises(InvalidAddress):
        draft().pay("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 10_000)
    for memo in (b"", bytes(81)):
        with pytest.raises(TransactionError, match="memo"):
            draft().memo(memo)
    with pytest.raises(InsufficientFunds, match="no coins"):
        draft().pay(FRIEND, 10_000).build(KeyPosition(1, 0))
    with pytest.raises(InsufficientFunds):
        draft().pay(FRIEND, 10_000).offer(coin(10_000)).build(KeyPosition(1, 0))
    with pytest.raises(TransactionError, match="all coins"):
        draft().pay(FRIEND, 1 << 64)
    odd = (draft().at(500_000_000), draft().at(-1), draft().rate(0), draft().rate(500_001))
    for wrong in odd:
        with pytest.raises(TransactionError, match=r"no sense|fee rate must be"):
            wrong.pay(FRIEND, 10_000).spend(coin(99_000)).build(KeyPosition(1, 0))


def test_there_is_room_for_so_many_payments() -> None:
    full = SpendingDraft(Wallet(SEGWIT, KEYS, NETWORK), payments=(TxOut(1_000, b"\x51"),) * 99)
    assert len(parse_psbt(full.spend(coin(999_000)).build(KeyPosition(1, 0))).outputs) == 100
    with pytest.raises(TransactionError, match="at most 99"):
        full.pay(FRIEND, 1_000).spend(coin(999_000)).build(KeyPosition(1, 0))


def test_coins_that_a_node_made_up_are_refused() -> None:
    honest = coin(99_000)
    for index in (-1, 2):
        with pytest.raises(TransactionError, match="does not have"):
            OwnCoin(honest.previous, index, honest.place)
    for elsewhere in (OwnCoin(honest.previous, 0, honest.place), coin(99_000, TAPROOT)):
        with pytest.raises(TransactionError, match="not at the place"):
            draft().pay(FRIEND, 3_000).spend(elsewhere, coin(50_000, salt=1)).build(
                KeyPosition(1, 0)
            )


def test_coins_from_large_transactions_are_too_much_to_prove() -> None:
    previous = coin(99_000).previous
    padding = (TxOut(1_000, bytes(1_000)),) * (MAX_PSBT_BYTES // 1_000)
    large = Transaction(2, previous.inputs, (*previous.outputs, *padding))
    heavy = OwnCoin(large, 1, KeyPosition(0, 0))
    with pytest.raises(TransactionError, match="too large"):
        draft().pay(FRIEND, 10_000).spend(heavy).build(KeyPosition(1, 0))


def test_a_coin_that_is_named_twice_counts_once() -> None:
    for twice in (draft().spend(*[coin(20_000)] * 2), draft().offer(*[coin(20_000)] * 2)):
        with pytest.raises(InsufficientFunds):
            twice.pay(FRIEND, 30_000).build(KeyPosition(1, 0))
    data = draft().spend(coin(20_000)).offer(coin(20_000)).sweep(FRIEND).build(KeyPosition(1, 0))
    assert len(parse_psbt(data).inputs) == 1


@each_account
@given(
    amounts=st.lists(st.integers(294, 10**9), min_size=1, max_size=12),
    rate=st.integers(1, 50_000),
    seed=st.integers(0, 1 << 64),
)
@examples(40)
def test_a_sweep_loses_nothing(
    account: Account, amounts: Sequence[int], rate: int, seed: int
) -> None:
    have = [coin(amount, account, salt=number) for number, amount in enumerate(amounts)]
    half = len(have) // 2
    swept = draft(account).offer(*have[half:]).spend(*have[:half]).sweep(FRIEND)
    try:
        data = swept.rate(rate).seed(seed).build(KeyPosition(1, 0))
    except InsufficientFunds:
        # One input at its largest has 105 virtual bytes at most, all else 100.
        assert sum(amounts) < 294 + 1 + rate * (105 * len(amounts) + 100) // 1000
        return
    spending = parse_spending(data)
    (paid,) = spending.psbt.transaction.outputs
    assert paid.script == script_of(FRIEND, NETWORK)
    assert spending.fee == -(-signed_vsize(spending) * rate // 1000)
    spent = {each.outpoint for each in spending.psbt.transaction.inputs}
    left = [each for each in have if each.outpoint not in spent]
    assert not {each.outpoint for each in left} & {each.outpoint for each in have[:half]}
    # An input has from 57 to 68 virtual bytes: nothing that pays for itself is left.
    assert all(each.output.amount <= -(-68 * rate // 1000) for each in left)
    assert paid.amount + spending.fee + sum(each.output.amount for each in left) == sum(amounts)
    assert core_accepts(signed(data), spending.spent)


@each_account
def test_a_sweep_is_shown_as_one_payment_of_all(account: Account) -> None:
    data = draft(account).offer(coin(80_000, account), coin(90_000, account, 1)).sweep(FRIEND)
    told = described(data.build(KeyPosition(1, 0)))
    assert told.red_flags == ()
    assert told.amount.base_units + told.fee.base_units == 170_000
    assert not any(label.endswith("change") for label, _ in told.fields)


def test_a_sweep_leaves_coins_that_cost_more_than_they_bring() -> None:
    """Sixty coins of dust at a high rate are not burnt as a fee (docs/faults.md, 28)."""
    dust = [coin(400, salt=number) for number in range(60)]
    data = (
        draft()
        .rate(100_000)
        .offer(*dust, coin(900_000, salt=99))
        .sweep(FRIEND)
        .build(KeyPosition(1, 0))
    )
    spending = parse_spending(data)
    assert [each.amount for each in spending.spent] == [900_000]
    assert spending.fee == 100 * signed_vsize(spending)


def test_a_sweep_takes_a_coin_from_its_own_cost_on() -> None:
    cost = 68 * 5
    for amount, taken in ((cost, 1), (cost + 1, 2)):
        swept = draft().offer(coin(amount, salt=1), coin(90_000, salt=2)).sweep(FRIEND)
        assert len(parse_spending(swept.build(KeyPosition(1, 0))).spent) == taken
    fixed = draft().spend(coin(300, salt=1)).offer(coin(90_000, salt=2)).sweep(FRIEND)
    assert len(parse_spending(fixed.build(KeyPosition(1, 0))).spent) == 2


def test_a_sweep_of_dust_alone_is_refused() -> None:
    with pytest.raises(InsufficientFunds):
        draft().rate(100_000).offer(coin(400), coin(500, salt=1)).sweep(FRIEND).build(
            KeyPosition(1, 0)
        )


def test_a_sweep_that_pays_no_more_than_dust_is_refused() -> None:
    fee = -(-(4 * (10 + 41 + 31) + 2 + 108) // 4) * 5
    for left, enough in ((293, False), (294, True)):
        swept = draft().offer(coin(fee + left)).sweep(FRIEND)
        if enough:
            assert parse_spending(swept.build(KeyPosition(1, 0))).fee == fee
        else:
            with pytest.raises(InsufficientFunds, match="not worth more"):
                swept.build(KeyPosition(1, 0))
    paid_out = draft().offer(coin(fee + 30_000)).pay(FRIEND, 30_000).sweep(FRIEND)
    with pytest.raises(InsufficientFunds):
        paid_out.build(KeyPosition(1, 0))


def test_a_sweep_that_cannot_be_is_refused() -> None:
    many = [coin(10_000, salt=number) for number in range(101)]
    assert (
        len(parse_psbt(draft().offer(*many[:100]).sweep(FRIEND).build(KeyPosition(1, 0))).inputs)
        == 100
    )
    with pytest.raises(TransactionError, match="at most 100 coins"):
        draft().offer(*many).sweep(FRIEND).build(KeyPosition(1, 0))
    with pytest.raises(InsufficientFunds, match="no coins"):
        draft().sweep(FRIEND).build(KeyPosition(1, 0))
    with pytest.raises(InvalidAddress):
        draft().sweep("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")


def test_a_sweep_can_outbid() -> None:
    old = parse_spending(draft().offer(coin(90_000)).sweep(FRIEND).build(KeyPosition(1, 0)))
    outbidding = draft().offer(coin(90_000)).sweep(FRIEND).outbid(old.fee, signed_vsize(old))
    new = parse_spending(outbidding.build(KeyPosition(1, 0)))
    assert new.fee == old.fee + signed_vsize(new)


@each_account
def test_what_is_paid_for_others_is_on_top_of_the_rate(account: Account) -> None:
    plain = draft(account).pay(FRIEND, 30_000).spend(coin(99_000, account))
    fees = [
        parse_spending(each.build(KeyPosition(1, 0))).fee for each in (plain, plain.lift(1_234))
    ]
    assert fees[1] == fees[0] + 1_234


def test_nothing_is_taken_off_the_rate() -> None:
    with pytest.raises(TransactionError, match="lacks nothing"):
        draft().lift(-1)


def test_what_is_too_little_for_change_is_no_way_around_the_limit() -> None:
    fee = 500 * -(-(4 * (10 + 41 + 31) + 2 + 108) // 4)
    full = draft().rate(500_000).pay(FRIEND, 10**6)
    assert parse_spending(full.spend(coin(10**6 + fee)).build(KeyPosition(1, 0))).fee == fee
    with pytest.raises(TransactionError, match="more than 500 sat/vB"):
        full.spend(coin(10**6 + fee + 1)).build(KeyPosition(1, 0))


def test_what_is_paid_for_others_has_the_limit_of_any_fee() -> None:
    vsize = signed_vsize(parse_spending(draft().spend(coin(10**6)).build(KeyPosition(1, 0))))
    most = 500 * vsize - 5 * vsize
    assert draft().spend(coin(10**6)).lift(most).build(KeyPosition(1, 0))
    for too_much in (draft().lift(most + 1), draft().outbid(500 * vsize)):
        with pytest.raises(TransactionError, match="more than 500 sat/vB"):
            too_much.spend(coin(10**6)).build(KeyPosition(1, 0))
