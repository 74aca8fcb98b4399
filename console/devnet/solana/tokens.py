"""Tokens of the devnet: mints of the faucet, at addresses that are always the same."""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import CreateAccountParams, create_account

MINT_BYTES: Final = 82
TOKEN_PROGRAMS: Final = {
    "token": Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"),
    "token-2022": Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
}
_ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
_HOLDING = struct.Struct("<32s32sQ")
_ACCOUNT_BYTES, _KIND, _IS_MINT, _DECIMALS = 165, 165, 1, 44
_INITIALIZE_MINT_2, _MINT_TO, _CREATE_UNLESS_THERE = 20, 7, 1


@dataclass(frozen=True, slots=True)
class TokenHolding:
    """A token account's holding, in base units."""

    mint: str
    owner: str
    amount: int


def fixed_key(name: str) -> Keypair:
    """Return a key that anyone can compute: for a devnet only."""
    return Keypair.from_seed(hashlib.sha256(f"quorate devnet {name}".encode()).digest())


def associated(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    """Return an owner's token account."""
    return Pubkey.find_program_address([bytes(owner), bytes(program), bytes(mint)], _ASSOCIATED)[0]


def mint_creation(
    faucet: Pubkey, mint: Pubkey, program: Pubkey, decimals: int, lamports: int
) -> list[Instruction]:
    """Return the instructions that create a mint; the mint signs too."""
    params = CreateAccountParams(
        from_pubkey=faucet, to_pubkey=mint, lamports=lamports, space=MINT_BYTES, owner=program
    )
    data = bytes((_INITIALIZE_MINT_2, decimals)) + bytes(faucet) + b"\0"
    return [create_account(params), Instruction(program, data, [AccountMeta(mint, False, True)])]


def minting(
    faucet: Pubkey, mint: Pubkey, program: Pubkey, owner: Pubkey, amount: int
) -> list[Instruction]:
    """Return the instructions that mint tokens to an owner."""
    account = associated(owner, mint, program)
    readable = (owner, mint, SYSTEM_PROGRAM, program)
    made = [
        AccountMeta(faucet, True, True),
        AccountMeta(account, False, True),
        *(AccountMeta(key, False, False) for key in readable),
    ]
    minted = [
        AccountMeta(mint, False, True),
        AccountMeta(account, False, True),
        AccountMeta(faucet, True, False),
    ]
    data = bytes((_MINT_TO,)) + amount.to_bytes(8, "little")
    return [
        Instruction(_ASSOCIATED, bytes((_CREATE_UNLESS_THERE,)), made),
        Instruction(program, data, minted),
    ]


def mint_decimals(account: Account | None) -> int | None:
    """Return a mint's decimals; None if the account is no mint."""
    if account is None or account.owner not in TOKEN_PROGRAMS.values():
        return None
    plain = len(account.data) == MINT_BYTES
    extended = len(account.data) > _KIND and account.data[_KIND] == _IS_MINT
    return account.data[_DECIMALS] if plain or extended else None


def holding(account: Account | None) -> TokenHolding | None:
    """Return a token account's holding; None if the account is none."""
    if account is None or account.owner not in TOKEN_PROGRAMS.values():
        return None
    if len(account.data) < _ACCOUNT_BYTES or mint_decimals(account) is not None:
        return None
    mint, owner, amount = _HOLDING.unpack_from(account.data)
    return TokenHolding(str(Pubkey(mint)), str(Pubkey(owner)), int(amount))
