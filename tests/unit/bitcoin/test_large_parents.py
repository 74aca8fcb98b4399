"""Coins of large transactions can be spent: payouts of pools and exchanges (docs/faults.md, 20)."""

from dataclasses import replace

import msgspec
import pytest

from console.adapters.chains.bitcoin.accounts import SEGWIT, TAPROOT, KeyPosition, script_at
from console.adapters.chains.bitcoin.build import OwnCoin
from console.adapters.chains.bitcoin.importing import ProofsTooLarge
from console.adapters.chains.bitcoin.limits import MAX_INPUTS, MAX_PSBT_BYTES, MAX_TRANSACTION_BYTES
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import field, ordered, value_of, without
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.application.actions.operators import MAX_REQUEST_BYTES
from console.application.peers.signed_statements import MAX_PROPOSAL_BYTES, MAX_STATEMENT_BYTES
from console.application.ports.chain import Account
from console.application.ports.network import MAX_MESSAGE_BYTES
from tests.unit.bitcoin.changes import with_input_field
from tests.unit.bitcoin.reports import imported, report, signed_on_mainnet, told
from tests.unit.bitcoin.wallets import FRIEND, KEYS, core_accepts, described, draft, signed

STANDARD = MAX_TRANSACTION_BYTES // 4
"""The most bytes without witnesses that nodes relay: 100 kvB."""
PLACE = KeyPosition(0, 0)


def large_coins(account: Account, *, count: int = 1, salt: int = 0) -> tuple[OwnCoin, ...]:
    """Return coins of one transaction of exactly the largest standard size."""
    own = tuple(TxOut(50_000, script_at(account, KEYS, PLACE)) for _ in range(count))
    maker = TxIn(OutPoint(salt.to_bytes(4, "big") * 8, 3), witness=(b"\x09" * 70,))
    others = (TxOut(9_999, b"\x00\x14" + bytes(20)),) * 3_400
    bare = Transaction(2, (maker,), (*own, *others))
    spare = (len(bare.encode_stripped()) - STANDARD) // len(others[0].encode()) + 1
    outputs = (*own, *others[spare:])
    left = STANDARD - len(replace(bare, outputs=outputs).encode_stripped())
    filler = TxOut(9_999, bytes(22 + left))
    previous = replace(bare, outputs=(*outputs[:-1], filler))
    assert len(previous.encode_stripped()) == STANDARD
    return tuple(OwnCoin(previous, number, PLACE) for number in range(count))


async def test_a_coin_of_a_batch_payout_is_spent() -> None:
    data = await imported(report("coin_of_batch_payout_2001_outputs"))
    assert told(data).red_flags == ()
    assert core_accepts(signed_on_mainnet(data), parse_spending(data).spent)


@pytest.mark.parametrize("account", [SEGWIT, TAPROOT], ids=lambda account: account.label)
def test_coins_of_the_largest_standard_transactions_are_spent_together(account: Account) -> None:
    coins = (*large_coins(account, salt=1), *large_coins(account, salt=2))
    data = draft(account).pay(FRIEND, 90_000).spend(*coins).build(KeyPosition(1, 0))
    assert 2 * STANDARD < len(data) <= MAX_PSBT_BYTES
    assert described(data).red_flags == ()
    assert core_accepts(signed(data), parse_spending(data).spent)


async def test_one_copy_proves_all_coins_of_a_transaction() -> None:
    coins = large_coins(SEGWIT, count=20)
    data = draft().pay(FRIEND, 900_000).spend(*coins).build(KeyPosition(1, 0))
    assert len(data) < STANDARD + 10_000
    assert described(data).red_flags == ()
    assert core_accepts(signed(data), parse_spending(data).spent)
    # Another program brings a copy for each input, with its witnesses.
    few = draft().pay(FRIEND, 90_000).spend(*coins[:4]).build(KeyPosition(1, 0))
    psbt = parse_psbt(few)
    whole = field(In.NON_WITNESS_UTXO, coins[0].previous.encode())
    copies = (ordered((whole, *without(each, In.NON_WITNESS_UTXO))) for each in psbt.inputs)
    foreign = replace(psbt, inputs=tuple(copies)).encode()
    assert len(foreign) > 4 * STANDARD
    assert await imported(foreign) == few


def test_a_copy_proves_no_coin_of_another_transaction() -> None:
    coins = (*large_coins(SEGWIT, salt=1), *large_coins(SEGWIT, salt=2))
    data = draft().pay(FRIEND, 90_000).spend(*coins).build(KeyPosition(1, 0))
    bare = with_input_field(data, In.NON_WITNESS_UTXO, None)
    assert any("is missing" in flag for flag in described(bare).red_flags)
    other = value_of(parse_psbt(data).inputs[1], In.NON_WITNESS_UTXO)
    swapped = with_input_field(data, In.NON_WITNESS_UTXO, other)
    assert any("another hash" in flag for flag in described(swapped).red_flags)


def test_taproot_needs_no_proofs() -> None:
    coins = tuple(each for salt in range(5) for each in large_coins(TAPROOT, salt=salt))
    data = draft(TAPROOT).pay(FRIEND, 200_000).spend(*coins).build(KeyPosition(1, 0))
    assert len(data) < 10_000
    assert described(data).red_flags == ()
    assert core_accepts(signed(data), parse_spending(data).spent)


def test_a_lie_about_a_taproot_coin_makes_a_signature_that_fits_nothing() -> None:
    coins = tuple(each for salt in range(3) for each in large_coins(TAPROOT, salt=salt))
    data = draft(TAPROOT).pay(FRIEND, 90_000).spend(*coins).build(KeyPosition(1, 0))
    spent = parse_spending(data).spent
    lie = replace(spent[0], amount=spent[0].amount + 20_000).encode()
    transaction = signed(with_input_field(data, In.WITNESS_UTXO, lie))
    assert not core_accepts(transaction, spent)
    for number in range(len(spent)):
        inputs = list(signed(data).inputs)
        inputs[number] = transaction.inputs[number]
        assert not core_accepts(replace(transaction, inputs=tuple(inputs)), spent)


async def test_more_than_one_request_can_carry_is_said_with_its_numbers() -> None:
    coins = tuple(each for salt in range(3) for each in large_coins(SEGWIT, salt=salt))
    with pytest.raises(ProofsTooLarge, match=r"30\d,\d{3} bytes, and at most 245,760 fit"):
        draft().pay(FRIEND, 90_000).spend(*coins).build(KeyPosition(1, 0))


def test_what_is_signed_here_travels_in_one_statement_and_one_message() -> None:
    """A proposal is encoded with names of at most some hundred bytes beside the transaction."""
    assert MAX_PSBT_BYTES <= MAX_REQUEST_BYTES <= MAX_PROPOSAL_BYTES - 8 * 1024
    assert MAX_STATEMENT_BYTES < MAX_PROPOSAL_BYTES < MAX_MESSAGE_BYTES // 2
    packed = msgspec.msgpack.encode({"transaction": bytes(MAX_REQUEST_BYTES)})
    assert len(packed) < MAX_PROPOSAL_BYTES


def test_a_large_parent_is_encoded_once_for_all_of_its_coins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = script_at(SEGWIT, KEYS, PLACE)
    outputs = (TxOut(1_000, script),) * MAX_INPUTS + (TxOut(0, b""),) * 20_000
    parent = Transaction(2, (TxIn(OutPoint(b"\1" * 32, 0)),), outputs)
    whole = field(In.NON_WITNESS_UTXO, parent.encode())
    claimed = field(In.WITNESS_UTXO, outputs[0].encode())
    spenders = tuple(TxIn(OutPoint(parent.hash, number)) for number in range(MAX_INPUTS))
    paying = Transaction(2, spenders, (TxOut(90_000, script),))
    maps = ((whole, claimed), *((claimed,),) * (MAX_INPUTS - 1))
    data = psbt_of(paying, maps, ((),)).encode()
    encoded = 0
    encode = Transaction.encode_stripped

    def counted(each: Transaction) -> bytes:
        nonlocal encoded
        found = encode(each)
        encoded += len(found)
        return found

    def never(each: Transaction) -> int:
        raise AssertionError(f"all {len(each.outputs)} outputs are hashed to compare them")

    monkeypatch.setattr(Transaction, "encode_stripped", counted)
    monkeypatch.setattr(Transaction, "__hash__", never)
    spending = parse_spending(data)
    assert spending.doubts == ()
    assert len(spending.spent) == MAX_INPUTS
    assert encoded < 2 * len(data)


def test_of_two_copies_the_one_with_signatures_is_doubted() -> None:
    coins = large_coins(SEGWIT, count=2)
    data = draft().pay(FRIEND, 40_000).spend(*coins).build(KeyPosition(1, 0))
    assert len(parse_psbt(data).inputs) == 2
    first, second = parse_psbt(data).inputs
    bare, signatures = coins[0].previous.encode_stripped(), coins[0].previous.encode()
    assert bare != signatures
    for own, others in ((bare, signatures), (signatures, bare), (bare, bare)):
        maps = tuple(
            ordered((field(In.NON_WITNESS_UTXO, copy), *without(fields, In.NON_WITNESS_UTXO)))
            for fields, copy in ((first, own), (second, others))
        )
        doubts = parse_spending(replace(parse_psbt(data), inputs=maps).encode()).doubts
        told = [number for number, copy in ((1, own), (2, others)) if copy == signatures]
        assert [doubt[:7] for doubt in doubts] == [f"Input {number}" for number in told]
