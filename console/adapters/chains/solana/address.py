"""Addresses: of keys, of a wallet's token accounts, and as people write them."""

import hashlib

from solders.pubkey import Pubkey

from console.adapters.chains.solana.programs import ASSOCIATED_TOKEN, KEYLESS
from console.application.errors import InvalidAddress

_MAX_ADDRESS = 44
_PROGRAM_DERIVED = b"ProgramDerivedAddress"


def account_of(public_key: bytes) -> Pubkey:
    """Return the account of a 32-byte Ed25519 key. Raises: InvalidAddress."""
    try:
        return Pubkey(public_key)
    except ValueError:
        raise InvalidAddress("a Solana account's key has 32 bytes") from None


def address_of(public_key: bytes) -> str:
    """Return the base58 address of a 32-byte Ed25519 key. Raises: InvalidAddress."""
    return str(account_of(public_key))


def parse_any_address(text: str) -> Pubkey:
    """Return the account of an address, also a program's or a mint's. Raises: InvalidAddress."""
    if not 32 <= len(text) <= _MAX_ADDRESS:
        raise InvalidAddress("a Solana address has 32 to 44 base58 characters")
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise InvalidAddress("this is not a Solana address") from None


def parse_address(text: str) -> Pubkey:
    """Return the account of an address that can be paid. Raises: InvalidAddress.

    It may be a program's own account, such as the vault of a multisig: its program moves what it
    holds. A program itself and the cluster's variables never can.
    """
    key = parse_any_address(text)
    if key in KEYLESS:
        raise InvalidAddress(
            "this is a program or a part of the cluster; nobody can move coins there"
        )
    return key


def token_account(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    """Return the one account that holds `owner`'s tokens of `mint` (Associated Token Account)."""
    seeds = [bytes(owner), bytes(program), bytes(mint)]
    return Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN)[0]


def derived_account(base: Pubkey, seed: str, program: Pubkey) -> Pubkey | None:
    """Return the account that `program` may own, derived from `base` and a seed.

    None for programs whose ids end with the marker of program-derived addresses. Computed here,
    because the library refuses those with an error that cannot be imported.
    """
    if bytes(program).endswith(_PROGRAM_DERIVED):
        return None
    return Pubkey(hashlib.sha256(bytes(base) + seed.encode() + bytes(program)).digest())
