"""Messages: bound to an address of the wallet, shown whole, signed as BIP 322 says."""

import base64
from dataclasses import replace

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import ACCOUNTS, RECEIVE, KeyPosition, script_at
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.message import (
    MAX_MESSAGE_BYTES,
    OWN_PLACES,
    SIMPLE,
    build_message,
    parse_message,
    to_sign,
)
from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.wire import Reader
from console.application.errors import InvalidAddress, TransactionError, UnknownTransaction
from console.application.ports.chain import MESSAGE_ID, Account
from console.domain.values import Network
from tests.unit.bitcoin.wallets import (
    FRIEND,
    KEYS,
    NETWORK,
    OTHER_KEYS,
    SingleKeys,
    core_accepts,
    described,
    flagged,
    signatures,
    transfer,
    with_flipped_bit,
)

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def address(account: Account, index: int = 0) -> str:
    found = address_of(script_at(account, KEYS, KeyPosition(RECEIVE, index)), NETWORK)
    assert found is not None
    return found


@each_account
@pytest.mark.parametrize("index", [0, OWN_PLACES - 1])
def test_bitcoin_core_accepts_the_signature(account: Account, index: int) -> None:
    text, owner = "Grüße\nan alle", address(account, index)
    data = build_message(owner, text, NETWORK)
    made = signable.attach(data, signatures(data), KEYS, NETWORK)
    assert made.transaction_id.startswith(MESSAGE_ID)
    assert made.transaction.startswith(SIMPLE)
    encoded = made.transaction.removeprefix(SIMPLE)
    witness = Reader(base64.b64decode(encoded, validate=True), "witness").stack()
    script = script_at(account, KEYS, KeyPosition(RECEIVE, index))
    unsigned = to_sign(text, script)
    complete = replace(unsigned, inputs=(replace(unsigned.inputs[0], witness=witness),))
    spent = (TxOut(0, script),)
    assert core_accepts(complete, spent)
    assert not core_accepts(with_flipped_bit(complete, 200), spent)
    other = to_sign(text + " ", script)
    moved = replace(other, inputs=(replace(other.inputs[0], witness=witness),))
    assert not core_accepts(moved, spent)


@each_account
def test_it_is_shown_whole(account: Account) -> None:
    description = described(build_message(address(account), 'Say "yes"\nor \\no', NETWORK))
    assert description.action == "Sign message"
    assert description.from_address == address(account)
    assert description.amount.base_units == description.fee.base_units == 0
    assert dict(description.fields)["Message"] == 'Say "yes"\nor \\\\no'
    assert not description.red_flags


def test_characters_that_cannot_be_seen_are_written_out_and_flagged() -> None:
    description = described(build_message(address(ACCOUNTS[0]), "pay\u202egnihton\0", NETWORK))
    assert dict(description.fields)["Message"] == "pay\\u202egnihton\\x00"
    assert flagged(description, "cannot be seen")


def test_a_long_one_is_flagged() -> None:
    description = described(build_message(address(ACCOUNTS[0]), "x" * 5000, NETWORK))
    assert flagged(description, "Only the first")


def test_nothing_is_signed_for_an_address_of_others() -> None:
    for foreign in (FRIEND, address(ACCOUNTS[0], OWN_PLACES)):
        data = build_message(foreign, "mine", NETWORK)
        assert flagged(described(data), "not of this wallet")
        with pytest.raises(UnknownTransaction, match="not this wallet's"):
            signable.payloads(data, KEYS, NETWORK)
    mine = build_message(address(ACCOUNTS[0]), "mine", NETWORK)
    with pytest.raises(UnknownTransaction):
        signable.attach(mine, signatures(mine), OTHER_KEYS, NETWORK)


def test_a_wallet_may_have_keys_of_one_kind_only() -> None:
    segwit, taproot = ACCOUNTS
    keys = SingleKeys(kinds=frozenset({taproot.kind}))
    for account, found in ((taproot, True), (segwit, False)):
        description = described(build_message(address(account), "text", NETWORK), keys)
        assert flagged(description, "not of this wallet") is not found


def test_exactly_one_signature_and_of_this_text() -> None:
    data = build_message(address(ACCOUNTS[0]), "one", NETWORK)
    other = signatures(build_message(address(ACCOUNTS[0]), "two", NETWORK))
    for wrong in ((), other, other * 2):
        with pytest.raises(TransactionError):
            signable.attach(data, wrong, KEYS, NETWORK)


@pytest.mark.parametrize("text", ["", "x" * (MAX_MESSAGE_BYTES + 1), "\udc80"])
def test_what_is_no_message_is_not_built(text: str) -> None:
    with pytest.raises(TransactionError):
        build_message(FRIEND, text, NETWORK)
    with pytest.raises(InvalidAddress):
        build_message("bcrt1qqqq", "text", NETWORK)


@pytest.mark.parametrize(
    "data",
    [
        b"BIP322\0",
        b"BIP322\0" + FRIEND.encode(),
        b"BIP322\0" + FRIEND.encode() + b"\0",
        b"BIP322\0\0text",
        b"BIP322\0" + FRIEND.upper().encode() + b"\0text",
        b"BIP322\0 " + FRIEND.encode() + b"\0text",
        b"BIP322\0" + FRIEND.encode() + b"\0\xff",
        b"BIP322\0\xff\0text",
        b"BIP322\0" + FRIEND.encode() + b"\0" + b"x" * (MAX_MESSAGE_BYTES + 1),
        b"BIP322\0" + b"x" * 100_000,
        b"BIP323\0" + FRIEND.encode() + b"\0text",
    ],
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_message(data, NETWORK)
    with pytest.raises(UnknownTransaction):
        described(data)


def test_it_is_of_one_network() -> None:
    with pytest.raises(UnknownTransaction):
        parse_message(build_message(FRIEND, "text", NETWORK), Network.MAINNET)


def test_it_spends_nothing_and_takes_no_place() -> None:
    data = build_message(FRIEND, "text", NETWORK)
    assert signable.consumes(data, NETWORK) == frozenset()
    assert signable.may_replace(data, transfer())
    assert signable.may_replace(transfer(), data)
    with pytest.raises(UnknownTransaction):
        signable.consumes(b"BIP322\0nothing", NETWORK)


@each_account
def test_each_form_is_exported_as_other_programs_read_it(account: Account) -> None:
    payment = transfer(account)
    assert base64.b64decode(signable.exported(payment)) == payment
    sent = signable.attach(payment, signatures(payment), KEYS, NETWORK).transaction
    assert bytes.fromhex(signable.exported(sent)) == sent
    data = build_message(address(account), "hello", NETWORK)
    assert bytes.fromhex(signable.exported(data)) == data
    signature = signable.attach(data, signatures(data), KEYS, NETWORK).transaction
    assert signable.exported(signature) == signature.decode()
    for odd in (b"", SIMPLE + b"\xff", SIMPLE + b"!", b"AAAA"):
        assert signable.exported(odd) == odd.hex()
