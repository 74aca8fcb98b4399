"""Accounts of mints and of tokens, in the layout of the token programs' `state` modules."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana.programs import TOKEN_2022, TOKEN_PROGRAMS
from console.application.errors import ChainUnavailable

MINT_BYTES: Final = 82
TOKEN_ACCOUNT_BYTES: Final = 165
EXTENDED_ACCOUNT_BYTES: Final = 300
"""An upper bound for token accounts of Token-2022 with today's extensions."""
_DECIMALS, _MINT_READY = 44, 45
_HOLDING = struct.Struct("<32s32sQ")
_STATE, _READY_STATES = 108, frozenset({1, 2})
# After the first 165 bytes: the account's kind, then extensions with type and length.
_KIND, _MINT, _FIRST = 165, 1, 166
_ENTRY = struct.Struct("<HH")
_TRANSFER_FEE, _NON_TRANSFERABLE, _PERMANENT_DELEGATE, _TRANSFER_HOOK = 1, 9, 12, 14
_FEE_POINTS = (88, 106)
"""Offsets of the older and the newer fee, in hundredths of a percent, in the fee's extension."""
_HOOK_PROGRAM = slice(32, 64)
MAX_EXTENSIONS: Final = 64
"""Extensions of a mint that are read; Token-2022 has fewer kinds, and each stands there once."""
_TOO_MANY = "The token has more extensions than are read: what its transfers do is not known"


@dataclass(frozen=True, slots=True)
class Mint:
    """A mint's decimals, and `dangers`, each once: what its transfers do beside moving tokens."""

    decimals: int
    dangers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """A token account's balance: `amount` base units of `mint`."""

    mint: Pubkey
    owner: Pubkey
    amount: int


def parse_mint(program: Pubkey, data: bytes) -> Mint:
    """Return the mint of an account. Raises: ChainUnavailable if it is none."""
    extended = program == TOKEN_2022 and len(data) > _FIRST and data[_KIND] == _MINT
    plain = len(data) == MINT_BYTES
    if program not in TOKEN_PROGRAMS or not (plain or extended) or data[_MINT_READY] != 1:
        raise ChainUnavailable("the listed token is no mint of this cluster")
    dangers: dict[str, None] = {}
    for number, (kind, value) in enumerate(_extensions(data)):
        if number >= MAX_EXTENSIONS:
            dangers[_TOO_MANY] = None
            break
        if danger := _danger(kind, value):
            dangers[danger] = None
    return Mint(data[_DECIMALS], tuple(dangers))


def parse_holding(program: Pubkey, data: bytes) -> Holding | None:
    """Return the balance of a token account; None if the account is none."""
    if program not in TOKEN_PROGRAMS or len(data) < TOKEN_ACCOUNT_BYTES:
        return None
    if data[_STATE] not in _READY_STATES or (len(data) > _KIND and data[_KIND] == _MINT):
        return None
    mint, owner, amount = _HOLDING.unpack_from(data)
    return Holding(Pubkey(mint), Pubkey(owner), int(amount))


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = _FIRST
    while at + _ENTRY.size <= len(data):
        kind, length = _ENTRY.unpack_from(data, at)
        if not kind:
            return
        at += _ENTRY.size
        yield kind, data[at : at + length]
        at += length


def _danger(kind: int, value: bytes) -> str:
    """Return what an extension does to a plain transfer, "" if nothing."""
    if kind == _TRANSFER_FEE and any(any(value[at : at + 2]) for at in _FEE_POINTS):
        return "The token withholds a fee from each transfer: less arrives than is sent"
    if kind == _TRANSFER_HOOK and any(value[_HOOK_PROGRAM]):
        return "The token runs another program on each transfer"
    if kind == _PERMANENT_DELEGATE and any(value):
        return "The token's issuer may take it from any account at any time (permanent delegate)"
    if kind == _NON_TRANSFERABLE:
        return "The token cannot be transferred"
    return ""
