"""What a token's mint does beside moving tokens: every signer's node reads it and flags it."""

import struct

import pytest

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import ACCOUNT
from console.adapters.chains.solana.address import token_account
from console.application.errors import TransactionError
from console.application.ports.chain import ImportIntent, TransferIntent
from console.domain.errors import NotYetPossible
from tests.contract.keys import SigningKey
from tests.unit.solana.messages import (
    DOLLARS,
    FRIEND,
    ME,
    MINT,
    PAYER,
    STRANGER,
    account_made,
    message,
    paid,
    tokens_sent,
)
from tests.unit.solana.nodes import KnownAccounts, adapter_over, holding, mint

KEYS = SigningKey(PAYER)
T22 = programs.TOKEN_2022
TRANSFER = message(account_made(program=T22), tokens_sent(program=T22))


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value


FEE = bytes(72) + (struct.pack("<QQH", 0, 1 << 60, 25) * 2)
DANGERS = {
    "withholds a fee": extension(1, FEE),
    "runs another program": extension(14, bytes(32) + bytes(STRANGER)),
    "permanent delegate": extension(12, bytes(STRANGER)),
    "cannot be transferred": extension(9, b""),
}
QUIET = extension(1, bytes(108)) + extension(14, bytes(64)) + extension(12, bytes(32))


def node(extensions: bytes = b"") -> KnownAccounts:
    mine = token_account(ME, MINT, T22)
    return KnownAccounts({MINT: (T22, mint(6, extensions)), mine: (T22, holding(MINT, ME, 10**9))})


@pytest.mark.parametrize("words", DANGERS)
async def test_signers_see_what_a_mint_does(words: str) -> None:
    """A signer's node learns it with the balance that it shows anyway."""
    signer = adapter_over(node(QUIET + DANGERS[words]), DOLLARS)
    await signer.balance(ACCOUNT, KEYS, DOLLARS.address)
    assert any(words in flag for flag in signer.describe(TRANSFER, KEYS).red_flags)


@pytest.mark.parametrize("words", DANGERS)
async def test_a_draft_shows_it_to_its_proposer_and_no_transfer_is_built(words: str) -> None:
    proposer = adapter_over(node(DANGERS[words]), DOLLARS)
    draft = ImportIntent(ACCOUNT, TRANSFER.hex())
    built = await proposer.build_transaction(draft, KEYS)
    assert any(words in flag for flag in proposer.describe(built.transaction, KEYS).red_flags)
    transfer = TransferIntent(
        account=ACCOUNT, to_address=str(FRIEND), amount=5, asset=DOLLARS.address
    )
    with pytest.raises(TransactionError, match=words):
        await proposer.build_transaction(transfer, KEYS)


async def test_nothing_is_judged_before_the_mint_was_read() -> None:
    signer = adapter_over(node(), DOLLARS)
    with pytest.raises(NotYetPossible, match="not read"):
        signer.describe(TRANSFER, KEYS)
    assert signer.describe(message(paid()), KEYS).red_flags == ()
    old = message(account_made(), tokens_sent())
    assert signer.describe(old, KEYS).red_flags == ()
    await signer.balance(ACCOUNT, KEYS, DOLLARS.address)
    assert signer.describe(TRANSFER, KEYS).red_flags == ()


async def test_a_mint_that_changes_is_flagged_from_then_on() -> None:
    known = node(QUIET)
    signer = adapter_over(known, DOLLARS)
    await signer.balance(ACCOUNT, KEYS, DOLLARS.address)
    assert signer.describe(TRANSFER, KEYS).red_flags == ()
    known.accounts_there[MINT] = (T22, mint(6, DANGERS["withholds a fee"]))
    await signer.balance(ACCOUNT, KEYS, DOLLARS.address)
    assert signer.describe(TRANSFER, KEYS).red_flags


@pytest.mark.parametrize("program", [programs.TOKEN, T22])
async def test_a_token_that_is_not_listed_is_flagged(program: object) -> None:
    draft = message(account_made(program=program), tokens_sent(program=program))
    told = adapter_over(node()).describe(draft, KEYS)
    assert any("not on the list of tokens" in flag for flag in told.red_flags)


def test_a_transfer_to_oneself_is_called_one() -> None:
    adapter = adapter_over(node(), DOLLARS)
    own = token_account(ME, MINT, programs.TOKEN)
    for draft in (
        message(paid(to=ME)),
        message(tokens_sent(to=own)),
        message(account_made(owner=ME), tokens_sent(to=own)),
    ):
        told = adapter.describe(draft, KEYS)
        assert (told.action, told.red_flags) == ("Move to own account", ())
