"""Whom a wallet can pay: programs' own accounts, itself in wrapped coins, and token accounts."""

import hashlib
import struct

import pytest
from solders.instruction import Instruction
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import ACCOUNT, SolanaAdapter
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.importing import read_draft
from console.adapters.chains.solana.nonce import DurableNonce, advance, nonce_address
from console.adapters.chains.solana.request import MAX_OWNERS, parse_request, with_owners
from console.application.errors import InvalidAddress, TransactionError, UnknownTransaction
from console.application.ports.chain import ImportIntent, ReplaceIntent, TransferIntent
from tests.contract.keys import SigningKey
from tests.unit.solana.messages import (
    DOLLARS,
    FRIEND,
    ME,
    MINT,
    OFF_CURVE,
    PAYER,
    RECENT,
    STRANGER,
    account_made,
    called,
    described,
    message,
    paid,
    tokens_sent,
)
from tests.unit.solana.nodes import SYSTEM_OWNED, KnownAccounts, adapter_over, holding, mint

KEYS = SigningKey(PAYER)
SQUADS = Pubkey.from_string("SQDS4ep65T869zMMBKyuUq6aD6EgTu8psMjkvj52pCf")
VAULT, _ = Pubkey.find_program_address([b"multisig", bytes(STRANGER), b"vault", b"\0"], SQUADS)
FRIENDS = token_account(FRIEND, MINT, programs.TOKEN)
TOKENS = {
    MINT: (programs.TOKEN, mint()),
    token_account(ME, MINT, programs.TOKEN): (programs.TOKEN, holding(MINT, ME, 10**9)),
}


def intent(to: Pubkey, amount: int = 10**9, asset: str = "") -> TransferIntent:
    return TransferIntent(account=ACCOUNT, to_address=str(to), amount=amount, asset=asset)


async def built(node: KnownAccounts, to: Pubkey, asset: str = "") -> bytes:
    adapter = adapter_over(node, DOLLARS)
    return (await adapter.build_transaction(intent(to, asset=asset), KEYS)).transaction


@pytest.mark.parametrize("to", [VAULT, OFF_CURVE])
@pytest.mark.parametrize("there", [True, False])
async def test_a_programs_own_account_is_paid(to: Pubkey, there: bool) -> None:
    """The vault of a multisig is one: it has no key, and its program moves what it holds."""
    node = KnownAccounts({**TOKENS, **({to: SYSTEM_OWNED} if there else {})})
    assert adapter_over(node).validate_address(str(to)) == str(to)
    for asset in ("", DOLLARS.address):
        told = described(await built(node, to, asset))
        assert (told.to_address, told.red_flags) == (str(to), ())
        assert "a program's own account" in dict(told.fields)["Payee"]


@pytest.mark.parametrize("to", sorted(programs.KEYLESS, key=str))
async def test_programs_and_parts_of_the_cluster_are_not_paid(to: Pubkey) -> None:
    with pytest.raises(InvalidAddress, match="nobody can move"):
        await built(KnownAccounts(), to)
    for draft in (
        message(paid(to=to)),
        message(account_made(owner=to), tokens_sent(to=token_account(to, MINT, programs.TOKEN))),
    ):
        assert any("no key can move them" in flag for flag in described(draft).red_flags)


@pytest.mark.parametrize(
    "there", [(SQUADS, b"\1" * 100), (programs.TOKEN, holding(MINT, FRIEND)), (SQUADS, b"")]
)
async def test_an_account_with_a_programs_data_is_not_paid(there: tuple[Pubkey, bytes]) -> None:
    """The multisig itself instead of its vault, or a token account instead of its owner."""
    for to in (VAULT, FRIENDS):
        with pytest.raises(InvalidAddress, match="the multisig's vault"):
            await built(KnownAccounts({to: there}), to)


def wrapping(program: Pubkey, lamports: int = 5, made: bool = True) -> list[Instruction]:
    coin = programs.WRAPPED[program]
    account = token_account(ME, coin, program)
    parts = [account_made(owner=ME, mint=coin, program=program)] if made else []
    return [*parts, paid(to=account, lamports=lamports), called(program, b"\x11", account)]


@pytest.mark.parametrize("program", [programs.TOKEN, programs.TOKEN_2022])
@pytest.mark.parametrize("made", [True, False])
def test_coins_are_wrapped_into_ones_own_account(program: Pubkey, made: bool) -> None:
    told = described(message(*wrapping(program, made=made)))
    assert (told.action, told.to_address, told.red_flags) == ("Wrap coins", str(ME), ())
    assert (told.amount.base_units, told.amount.unit) == (5, "SOL")
    account = token_account(ME, programs.WRAPPED[program], program)
    assert dict(told.fields)["Token account"] == str(account)


def test_what_does_not_wrap_is_not_called_so() -> None:
    made, sent, counted = wrapping(programs.TOKEN)
    account = token_account(ME, programs.WRAPPED[programs.TOKEN], programs.TOKEN)
    theirs = token_account(FRIEND, programs.WRAPPED[programs.TOKEN], programs.TOKEN)
    odd = {
        "not counted": [made, sent],
        "counted before": [made, counted, sent],
        "another's account": [paid(to=theirs), called(programs.TOKEN, b"\x11", theirs)],
        "of another token": [
            paid(to=token_account(ME, MINT, programs.TOKEN)),
            called(programs.TOKEN, b"\x11", token_account(ME, MINT, programs.TOKEN)),
        ],
        "another's coins": [made, paid(source=STRANGER, to=account), counted],
    }
    for case, parts in odd.items():
        told = described(message(*parts))
        assert told.action != "Wrap coins", case
        assert case == "not counted" or told.red_flags, case
    two = described(message(*wrapping(programs.TOKEN), paid()))
    assert "It does 2 things instead of one" in two.red_flags


async def test_the_owner_of_an_account_that_exists_is_looked_up() -> None:
    draft = message(tokens_sent())
    node = KnownAccounts({FRIENDS: (programs.TOKEN, holding(MINT, FRIEND))})
    adapter = adapter_over(node, DOLLARS)
    request = (
        await adapter.build_transaction(ImportIntent(ACCOUNT, draft.hex()), KEYS)
    ).transaction
    told = adapter.describe(request, KEYS)
    assert (told.to_address, told.red_flags) == (str(FRIEND), ())
    assert told.digest == hashlib.sha256(draft).digest()
    # Only the draft is signed, byte for byte.
    (payload,) = adapter.payloads(request, KEYS)
    assert payload.message == draft
    signed = adapter.attach(request, (KEYS.sign(payload),), KEYS)
    assert VersionedTransaction.from_bytes(signed.transaction).message == from_bytes_versioned(
        draft
    )
    assert adapter.consumes(request) == adapter.consumes(draft)
    assert adapter.exported(request) == draft.hex()
    assert adapter.exported(signed.transaction) == signed.transaction.hex()
    assert adapter.may_replace(request, request) == adapter.may_replace(draft, draft)


@pytest.mark.parametrize(
    "there",
    [
        None,
        (programs.TOKEN, holding(MINT, STRANGER)),
        (programs.TOKEN, holding(STRANGER, FRIEND)),
        (SQUADS, holding(MINT, FRIEND)),
    ],
)
async def test_an_owner_that_the_address_does_not_prove_is_not_believed(
    there: tuple[Pubkey, bytes] | None,
) -> None:
    draft = message(tokens_sent())
    adapter = adapter_over(KnownAccounts({FRIENDS: there} if there else {}), DOLLARS)
    request = (
        await adapter.build_transaction(ImportIntent(ACCOUNT, draft.hex()), KEYS)
    ).transaction
    assert request == draft
    assert any("does not prove who owns" in f for f in adapter.describe(request, KEYS).red_flags)


@pytest.mark.parametrize(
    "owners",
    [
        (),
        (STRANGER,),
        (FRIEND, STRANGER),
        (FRIEND, FRIEND),
        (ME,),
        tuple(Pubkey(bytes([n]) * 32) for n in range(MAX_OWNERS + 1)),
    ],
)
def test_an_owner_that_proves_nothing_is_no_part_of_a_request(owners: tuple[Pubkey, ...]) -> None:
    """A request has one form: else one message could be requested with many digests."""
    data = bytes([0xFF, len(owners)]) + b"".join(map(bytes, owners)) + message(tokens_sent())
    with pytest.raises(UnknownTransaction):
        parse_request(data)
    named = message(account_made(), tokens_sent())
    with pytest.raises(UnknownTransaction):
        parse_request(with_owners(named, (FRIEND,)))


def test_every_cut_of_a_request_is_refused() -> None:
    data = with_owners(message(tokens_sent()), (FRIEND,))
    assert parse_request(data).owners == (FRIEND,)
    for end in range(len(data)):
        with pytest.raises(UnknownTransaction):
            parse_request(data[:end])


async def test_a_replacement_keeps_the_owners_and_a_cancellation_does_not() -> None:
    nonce = DurableNonce(nonce_address(ME, 0), ME, RECENT)
    request = with_owners(message(advance(nonce), tokens_sent()), (FRIEND,))
    node = KnownAccounts(prices=1000)
    adapter: SolanaAdapter = adapter_over(node, DOLLARS)
    for cancel in (False, True):
        asked = ReplaceIntent(account=ACCOUNT, transaction=request, cancel=cancel)
        new = (await adapter.build_transaction(asked, KEYS)).transaction
        assert parse_request(new).owners == (() if cancel else (FRIEND,))
        assert adapter.may_replace(request, new) == ""
        assert adapter.describe(new, KEYS).red_flags == ()


def _base58(data: bytes) -> str:
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = letters[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def test_drafts_in_base58_are_read() -> None:
    draft = message(paid())
    for data in (draft, b"\1" + bytes(64) + draft):
        assert read_draft(_base58(data)) == draft
    assert _base58(bytes(ME)) == str(ME)
    with pytest.raises(UnknownTransaction):
        read_draft(_base58(draft)[:-1])


def test_an_account_creation_with_seven_keys_is_read() -> None:
    six = account_made(data=b"")
    keys = [meta.pubkey for meta in six.accounts]
    seven = called(programs.ASSOCIATED_TOKEN, b"", *keys, programs.RENT)
    told = described(message(seven, tokens_sent()))
    assert (told.to_address, told.red_flags) == (str(FRIEND), ())
    other = called(programs.ASSOCIATED_TOKEN, b"", *keys, programs.CLOCK)
    eight = called(programs.ASSOCIATED_TOKEN, b"", *keys, programs.RENT, programs.RENT)
    for wrong in (other, eight):
        assert any("not understood" in flag for flag in described(message(wrong)).red_flags)


def test_a_stake_is_no_payee() -> None:
    data = b"\2\0\0\0" + struct.pack("<Q", 5)
    told = described(message(called(programs.SYSTEM, data, ME, programs.STAKE)))
    assert told.red_flags


async def test_a_draft_of_anothers_message_is_still_refused() -> None:
    with pytest.raises(TransactionError, match="another account"):
        await adapter_over(KnownAccounts()).build_transaction(
            ImportIntent(ACCOUNT, message(tokens_sent(), payer=STRANGER).hex()), KEYS
        )
