"""The builder: coins chosen, change placed, limits kept."""

import pytest

from console.adapters.chains.bitcoin.accounts import ACCOUNTS, SEGWIT, TAPROOT, Place
from console.adapters.chains.bitcoin.build import Draft, OwnCoin, Wallet
from console.adapters.chains.bitcoin.psbt import MAX_PSBT_BYTES, parse_psbt
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import Transaction, TxOut
from console.application.errors import InsufficientFunds, InvalidAddress, TransactionError
from console.application.ports.chain import Account
from tests.unit.bitcoin.wallets import FRIEND, KEYS, NETWORK, coin, described, draft, signed

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


@each_account
def test_the_fee_is_the_rate_times_the_largest_size(account: Account) -> None:
    for rate in (1, 999, 1_000, 12_345):
        data = draft(account).rate(rate).pay(FRIEND, 30_000).spend(coin(99_000, account))
        spending = parse_spending(data.build(Place(1, 0)))
        assert spending.fee == -(-signed_vsize(spending) * rate // 1000)


@each_account
def test_signed_sizes_are_as_estimated(account: Account) -> None:
    data = draft(account).pay(FRIEND, 30_000).spend(coin(99_000, account)).build(Place(1, 0))
    estimate = signed_vsize(parse_spending(data))
    assert estimate - 1 <= signed(data).vsize <= estimate


def test_coins_are_chosen_from_what_is_offered() -> None:
    have = [coin(20_000 + 1_000 * number, salt=number) for number in range(30)]
    data = draft().pay(FRIEND, 60_000).offer(*have).seed(3).build(Place(1, 0))
    again = draft().pay(FRIEND, 60_000).offer(*have).seed(3).build(Place(1, 0))
    assert data == again
    assert not described(data).red_flags
    assert 2 <= len(parse_psbt(data).inputs) <= 5


def test_the_change_stands_anywhere() -> None:
    places = set()
    for seed in range(20):
        data = draft().pay(FRIEND, 30_000).spend(coin(99_000)).seed(seed).build(Place(1, 0))
        places.add([bool(fields) for fields in parse_psbt(data).outputs].index(True))
    assert places == {0, 1}


def test_everything_ordinary_about_it() -> None:
    psbt = parse_psbt(draft().at(812_345).pay(FRIEND, 9_000).spend(coin(99_000)).build(Place(1, 0)))
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
        draft().pay(FRIEND, 10_000).build(Place(1, 0))
    with pytest.raises(InsufficientFunds):
        draft().pay(FRIEND, 10_000).offer(coin(10_000)).build(Place(1, 0))
    with pytest.raises(TransactionError, match="all coins"):
        draft().pay(FRIEND, 1 << 64)
    odd = (draft().at(500_000_000), draft().at(-1), draft().rate(0), draft().rate(500_001))
    for wrong in odd:
        with pytest.raises(TransactionError, match=r"no sense|fee rate must be"):
            wrong.pay(FRIEND, 10_000).spend(coin(99_000)).build(Place(1, 0))


def test_there_is_room_for_so_many_payments() -> None:
    full = Draft(Wallet(SEGWIT, KEYS, NETWORK), payments=(TxOut(1_000, b"\x51"),) * 99)
    assert len(parse_psbt(full.spend(coin(999_000)).build(Place(1, 0))).outputs) == 100
    with pytest.raises(TransactionError, match="at most 99"):
        full.pay(FRIEND, 1_000).spend(coin(999_000)).build(Place(1, 0))


def test_coins_that_a_node_made_up_are_refused() -> None:
    honest = coin(99_000)
    for index in (-1, 2):
        with pytest.raises(TransactionError, match="does not have"):
            OwnCoin(honest.previous, index, honest.place)
    for elsewhere in (OwnCoin(honest.previous, 0, honest.place), coin(99_000, TAPROOT)):
        with pytest.raises(TransactionError, match="not at the place"):
            draft().pay(FRIEND, 3_000).spend(elsewhere, coin(50_000, salt=1)).build(Place(1, 0))


def test_coins_from_large_transactions_are_too_much_to_prove() -> None:
    previous = coin(99_000).previous
    padding = (TxOut(1_000, bytes(1_000)),) * (MAX_PSBT_BYTES // 1_000)
    large = Transaction(2, previous.inputs, (*previous.outputs, *padding))
    heavy = OwnCoin(large, 1, Place(0, 0))
    with pytest.raises(TransactionError, match="too large"):
        draft().pay(FRIEND, 10_000).spend(heavy).build(Place(1, 0))
