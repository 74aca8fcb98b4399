"""Mints and token accounts are read as the real programs write them."""

import struct
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.token.state import Mint, TokenAccount
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.token_state import MAX_EXTENSIONS, parse_holding, parse_mint
from console.adapters.chains.solana.token_state import Mint as Mint22
from console.application.errors import ChainUnavailable
from tests.unit.solana.messages import FRIEND, ME, MINT, PAYER, STRANGER, account_made, called

MINT_KEY = Keypair.from_seed(bytes([4]) * 32)
BOTH = pytest.mark.parametrize("program", [programs.TOKEN, programs.TOKEN_2022], ids=["1", "2022"])
T22 = programs.TOKEN_2022


def _made(
    program: Pubkey, size: int, *before: Instruction, holder: bool = True
) -> tuple[bytes, bytes]:
    """Let the machine make a mint and a token account; return their data."""
    svm = LiteSVM()
    svm.airdrop(ME, 10**12)
    params = CreateAccountParams(
        from_pubkey=ME, to_pubkey=MINT, lamports=10**10, space=size, owner=program
    )
    initialized = called(program, b"\x14\x06" + bytes(ME) + b"\0", MINT)
    account = token_account(FRIEND, MINT, program)
    minted = called(program, b"\7" + (77).to_bytes(8, "little"), MINT, account, ME)
    held = [account_made(program=program), minted] if holder else []
    instructions = [create_account(params), *before, initialized, *held]
    transaction = Transaction([PAYER, MINT_KEY], Message(instructions, ME), svm.latest_blockhash())
    result = svm.send_transaction(transaction)
    assert not isinstance(result, FailedTransactionMetadata), result
    mint, found = svm.get_account(MINT), svm.get_account(account)
    assert mint is not None
    return mint.data, found.data if found else b""


def _fee(points: int) -> Instruction:
    data = b"\x1a\0\0\0" + struct.pack("<HQ", points, 1 << 60)
    return called(T22, data, MINT)


def _hook(program: Pubkey | None) -> Instruction:
    return called(T22, b"\x24\0" + bytes(ME) + (bytes(program) if program else bytes(32)), MINT)


def dangers(mint: bytes) -> str:
    found = parse_mint(T22, mint)
    assert found.decimals == 6
    return " ".join(found.dangers)


@BOTH
def test_what_the_programs_write_is_read(program: Pubkey) -> None:
    mint, account = _made(program, 82)
    assert parse_mint(program, mint).decimals == 6 == Mint.from_bytes(mint).decimals
    holding = parse_holding(program, account)
    assert holding is not None
    theirs = TokenAccount.from_bytes(account[:165])
    assert (holding.mint, holding.owner, holding.amount) == (MINT, FRIEND, 77)
    assert (theirs.mint, theirs.owner, theirs.amount) == (MINT, FRIEND, 77)
    assert parse_holding(program, mint) is None
    with pytest.raises(ChainUnavailable):
        parse_mint(program, account)


def test_a_token_that_takes_a_fee_is_told() -> None:
    size = 165 + 1 + 4 + 108
    mint, _ = _made(T22, size, _fee(25))
    assert "withholds a fee" in dangers(mint)
    free, account = _made(T22, size, _fee(0))
    assert parse_mint(T22, free) == Mint22(6, ())
    holding = parse_holding(T22, account)
    assert holding is not None
    assert holding.amount == 77
    assert parse_holding(T22, free) is None


def test_a_token_with_a_hook_is_told() -> None:
    size = 165 + 1 + 4 + 64
    mint, _ = _made(T22, size, _hook(STRANGER))
    assert "another program" in dangers(mint)
    quiet, _ = _made(T22, size, _hook(None))
    assert parse_mint(T22, quiet) == Mint22(6, ())


def test_a_token_that_cannot_move_is_told() -> None:
    mint, _ = _made(T22, 165 + 1 + 4, called(T22, b"\x20", MINT), holder=False)
    assert "cannot be transferred" in dangers(mint)


def test_a_token_that_its_issuer_can_take_back_is_told() -> None:
    size = 165 + 1 + 4 + 32
    mint, _ = _made(T22, size, called(T22, b"\x23" + bytes(STRANGER), MINT))
    assert "permanent delegate" in dangers(mint)


@BOTH
def test_accounts_that_are_none_are_refused(program: Pubkey) -> None:
    mint, account = _made(program, 82)
    for owner, data in (
        (programs.SYSTEM, mint),
        (program, b""),
        (program, mint[:-1]),
        (program, mint + b"\0"),
        (program, bytes(82)),
        (program, bytes(170)),
        (program, bytes(165) + b"\1"),
    ):
        with pytest.raises(ChainUnavailable, match="no mint"):
            parse_mint(owner, data)
    for owner, data in (
        (programs.SYSTEM, account),
        (program, b""),
        (program, account[:164]),
        (program, bytes(165)),
    ):
        assert parse_holding(owner, data) is None


@pytest.mark.parametrize(
    "tail", [b"\1", b"\1\0", b"\1\0\xff\xff", b"\x01\0\5\0abc", b"\xff" * 40, bytes(40)]
)
def test_extensions_that_are_cut_do_not_fall_over(tail: bytes) -> None:
    mint, _ = _made(T22, 82)
    data = mint + bytes(165 - 82) + b"\1" + tail
    try:
        assert parse_mint(T22, data).decimals == 6
    except ChainUnavailable:
        return


class Sliced(bytes):
    """Bytes that count how many of them are copied."""

    copied = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(found, bytes):
            Sliced.copied += len(found)
        return Sliced(found) if isinstance(found, bytes) else found


def _extended(*entries: bytes) -> bytes:
    head = bytearray(166)
    head[44], head[45], head[165] = 6, 1, 1
    return bytes(head) + b"".join(entries)


CANNOT_MOVE, HARMLESS = struct.pack("<HH", 9, 0), struct.pack("<HH", 0xFFFF, 0)


def test_each_danger_is_told_once_and_more_extensions_than_there_are_is_one() -> None:
    few = parse_mint(T22, _extended(*[CANNOT_MOVE] * MAX_EXTENSIONS))
    assert few.dangers == ("The token cannot be transferred",)
    many = parse_mint(T22, _extended(*[HARMLESS] * MAX_EXTENSIONS, CANNOT_MOVE))
    (danger,) = many.dangers
    assert "more extensions than are read" in danger
    assert parse_mint(T22, _extended(*[HARMLESS] * MAX_EXTENSIONS)).dangers == ()
    # What comes after the end of the list is no extension.
    assert parse_mint(T22, _extended(*[HARMLESS] * MAX_EXTENSIONS, bytes(400))).dangers == ()


def test_a_mint_of_many_extensions_is_not_copied_again_for_each() -> None:
    data = Sliced(_extended(*[HARMLESS] * 2_000))
    Sliced.copied = 0
    parse_mint(T22, data)
    assert Sliced.copied <= len(data)
