"""What a PSBT does beside its first payment is never hidden behind it."""

from dataclasses import replace

from console.adapters.chains.bitcoin.accounts import TAPROOT, KeyPosition, script_at
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of
from console.adapters.chains.bitcoin.transaction import FINAL_SEQUENCE
from tests.unit.bitcoin.wallets import (
    FRIEND,
    NETWORK,
    OTHER_KEYS,
    coin,
    described,
    draft,
    transfer,
)

STRANGER = address_of(script_at(TAPROOT, OTHER_KEYS, KeyPosition(0, 0)), NETWORK) or ""


def test_a_second_payee_does_not_hide_behind_the_first() -> None:
    data = (
        draft()
        .pay(FRIEND, 1_000)
        .pay(STRANGER, 90_000)
        .spend(coin(99_000))
        .build(KeyPosition(1, 0))
    )
    description = described(data)
    assert description.action == "Transfer to 2 payees"
    assert description.to_address == STRANGER
    assert description.amount.base_units == 91_000


def test_one_payee_in_several_parts_or_with_data_is_one() -> None:
    parts = draft().pay(FRIEND, 10_000).pay(FRIEND, 20_000).memo(b"invoice 7")
    data = parts.spend(coin(99_000)).build(KeyPosition(1, 0))
    assert described(data).action == "Transfer"


def test_a_lock_that_final_sequences_switch_off_is_not_promised() -> None:
    psbt = parse_psbt(transfer())
    assert "Lock" not in dict(described(psbt.encode()).fields)
    final = tuple(replace(each, sequence=FINAL_SEQUENCE) for each in psbt.transaction.inputs)
    unlocked = psbt_of(replace(psbt.transaction, inputs=final), psbt.inputs, psbt.outputs)
    assert "switched off" in dict(described(unlocked.encode()).fields)["Lock"]
