"""Signed transactions of every type run in a real EVM, and none with a flipped bit does."""

import hashlib
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_tester import EthereumTester, PyEVMBackend

from console.adapters.chains.ethereum.address import address_of, checksummed
from console.adapters.chains.ethereum.authorization import (
    SignedAuthorization,
    parse_authorization,
)
from console.adapters.chains.ethereum.build import call_data
from console.adapters.chains.ethereum.describe import ChainContext, describe
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.signable import attach, parse
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.signed import SignedBytes, parse_signed
from console.adapters.chains.ethereum.transaction import TransactionKind
from console.application.errors import UnknownTransaction
from console.domain.values import Network
from tests.unit.ethereum.drafts import Draft, build_authorization
from tests.unit.ethereum.places import CHAIN

KEY, OTHER_KEY = PrivateKey(b"\x07" * 32), PrivateKey(b"\x08" * 32)
ME, OTHER = address_of(KEY.public_key.format()), address_of(OTHER_KEY.public_key.format())
FRIEND = b"\x22" * 20
GWEI, ETHER = 10**9, 10**18

# Stores the second argument of any call under the first, as a token's ledger would:
# PUSH1 36 CALLDATALOAD PUSH1 4 CALLDATALOAD SSTORE STOP.
RUNTIME = bytes.fromhex("6024356004355500")
# PUSH1 8 PUSH1 12 PUSH1 0 CODECOPY PUSH1 8 PUSH1 0 RETURN, then the code itself.
CREATION = bytes.fromhex("6008600c60003960086000f3") + RUNTIME
BLOB_HASH = b"\x01" + hashlib.sha256(b"\xc0" + bytes(47)).digest()[1:]
"""The versioned hash (EIP-4844) of an empty blob's commitment."""


@pytest.fixture
def evm() -> EthereumTester:
    """A chain on which our account has 100 ether."""
    tester = EthereumTester(PyEVMBackend())
    rich = tester.get_accounts()[0]
    tester.send_transaction(
        {
            "from": rich,
            "to": checksummed(ME),
            "value": 100 * ETHER,
            "gas": 21_000,
            "max_fee_per_gas": 10 * GWEI,
            "max_priority_fee_per_gas": GWEI,
        }
    )
    return tester


def place(evm: EthereumTester) -> ChainContext:
    return ChainContext(CHAIN, Network.DEVNET, evm.backend.chain.chain_id)


def draft(evm: EthereumTester) -> Draft:
    base = Draft(evm.backend.chain.chain_id, evm.get_nonce(checksummed(ME)))
    return base.gas(200_000).fees(20 * GWEI, GWEI)


def signed(evm: EthereumTester, data: bytes, key: PrivateKey = KEY) -> SignedBytes:
    """Describe, sign and join, as the members of a wallet do."""
    chain_id = evm.backend.chain.chain_id
    assert describe(data, checksummed(address_of(key.public_key.format())), place(evm)).digest
    digest = parse(data, chain_id).signing_hash()
    made = key.sign_recoverable(digest, hasher=None)
    return attach(data, parse_signature(made), chain_id)


def run(evm: EthereumTester, ready: SignedBytes) -> dict[str, Any]:
    """Send and mine; the chain must know the transaction by the hash that we computed."""
    told = evm.send_raw_transaction(f"0x{ready.content.hex()}")
    assert told == f"0x{ready.transaction_hash.hex()}"
    receipt: dict[str, Any] = evm.get_transaction_receipt(told)
    assert receipt["status"] == 1
    return receipt


def authorization(evm: EthereumTester, code: bytes) -> SignedAuthorization:
    data = build_authorization(evm.backend.chain.chain_id, code, 0)
    content = parse_authorization(data)
    made = OTHER_KEY.sign_recoverable(content.signing_hash(), hasher=None)
    return SignedAuthorization(content, parse_signature(made))


def of_kind(evm: EthereumTester, kind: TransactionKind) -> Draft:
    paid = draft(evm).pay(FRIEND, 5 * GWEI)
    entry = AccessEntry(FRIEND, (b"\1" * 32,))
    match kind:
        case TransactionKind.LEGACY:
            return paid.price(20 * GWEI, legacy=True)
        case TransactionKind.ACCESS_LIST:
            return paid.price(20 * GWEI).access(entry)
        case TransactionKind.DYNAMIC_FEE:
            return paid.access(entry)
        case TransactionKind.BLOB:
            return paid.blobs(GWEI, BLOB_HASH)
        case TransactionKind.SET_CODE:
            return paid.authorize(authorization(evm, FRIEND))


@pytest.mark.parametrize("kind", TransactionKind)
def test_every_type_is_accepted_and_pays(evm: EthereumTester, kind: TransactionKind) -> None:
    data = of_kind(evm, kind).build()
    ceiling = describe(data, checksummed(ME), place(evm)).fee.base_units
    before = evm.get_balance(checksummed(ME))
    run(evm, signed(evm, data))
    assert evm.get_balance(checksummed(FRIEND)) == 5 * GWEI
    charged = before - evm.get_balance(checksummed(ME)) - 5 * GWEI
    assert 0 < charged <= ceiling


@pytest.mark.parametrize("kind", TransactionKind)
def test_a_flipped_bit_is_refused_or_names_another_sender(
    evm: EthereumTester, kind: TransactionKind
) -> None:
    ready = signed(evm, of_kind(evm, kind).build())
    bits = len(ready.content) * 8
    before = (evm.get_nonce(checksummed(ME)), evm.get_balance(checksummed(ME)))
    for bit in range(bits):
        flipped = bytearray(ready.content)
        flipped[bit // 8] ^= 1 << bit % 8
        assert _sender(bytes(flipped)) != ME, bit
        if bit % 5 == 0:
            assert not _accepted(evm, bytes(flipped)), bit
    assert (evm.get_nonce(checksummed(ME)), evm.get_balance(checksummed(ME))) == before
    assert evm.get_balance(checksummed(FRIEND)) == 0
    run(evm, ready)


def _sender(data: bytes) -> bytes | None:
    try:
        return parse_signed(data)[2].sender
    except UnknownTransaction:
        return None


def _accepted(evm: EthereumTester, data: bytes) -> bool:
    snapshot = evm.take_snapshot()
    try:
        evm.send_raw_transaction(f"0x{data.hex()}")
    # Each layer of the chain's software has a family of its own; any of them refuses.
    except Exception:  # noqa: BLE001
        # It reads an empty list as zero, and notices only after it has run the transaction.
        evm.revert_to_snapshot(snapshot)
        return False
    return True


def test_a_contract_is_created_and_called(evm: EthereumTester) -> None:
    receipt = run(evm, signed(evm, draft(evm).create(CREATION).build()))
    contract = bytes.fromhex(receipt["contract_address"][2:])
    assert evm.get_code(checksummed(contract)) == f"0x{RUNTIME.hex()}"
    data = draft(evm).invoke(contract, "transfer(address,uint256)", FRIEND, 1234).build()
    assert describe(data, checksummed(ME), place(evm)).amount.base_units == 1234
    run(evm, signed(evm, data))
    slot = f"0x{FRIEND.hex()}"
    assert int(evm.get_storage_at(checksummed(contract), slot), 16) == 1234


def test_an_authorised_account_runs_foreign_code(evm: EthereumTester) -> None:
    receipt = run(evm, signed(evm, draft(evm).create(CREATION).build()))
    contract = bytes.fromhex(receipt["contract_address"][2:])
    call = call_data("transfer(address,uint256)", FRIEND, 77)
    data = draft(evm).call(OTHER, call).authorize(authorization(evm, contract)).build()
    flags = describe(data, checksummed(ME), place(evm)).red_flags
    assert any(checksummed(OTHER) in flag and checksummed(contract) in flag for flag in flags)
    run(evm, signed(evm, data))
    assert evm.get_code(checksummed(OTHER)) == f"0xef0100{contract.hex()}"
    slot = f"0x{FRIEND.hex()}"
    assert int(evm.get_storage_at(checksummed(OTHER), slot), 16) == 77


def test_a_cancellation_uses_the_nonce_up(evm: EthereumTester) -> None:
    waiting = signed(evm, of_kind(evm, TransactionKind.DYNAMIC_FEE).build())
    run(evm, signed(evm, draft(evm).cancel(ME).build()))
    assert not _accepted(evm, waiting.content)
    assert evm.get_balance(checksummed(FRIEND)) == 0
