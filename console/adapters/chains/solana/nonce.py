"""Durable nonces: transactions that stay valid until they are used (Solana docs, "Durable nonces").

A wallet's nonce accounts are derived from its key and a number: one signature creates one, and
every member finds them without a record.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    advance_nonce_account,
    create_nonce_account_with_seed,
)

from console.adapters.chains.solana.instructions import system
from console.adapters.chains.solana.instructions.decode import decode
from console.adapters.chains.solana.instructions.shape import NotUnderstood, Shape
from console.adapters.chains.solana.message import Call, ParsedMessage, parse_message
from console.adapters.chains.solana.programs import SYSTEM

NONCE_ACCOUNTS: Final = 4
"""Nonce accounts of a wallet, and so durable transactions that can wait at once."""
NONCE_BYTES: Final = 80
_SEED = "quorate-nonce-"
# Version 1, initialized, authority, value, and the fee of a signature at that time.
_STATE = struct.Struct("<II32s32sQ")
_VERSION, _INITIALIZED = 1, 1


@dataclass(frozen=True, slots=True)
class DurableNonce:
    """A nonce account and its value, which stands in place of a blockhash."""

    account: Pubkey
    authority: Pubkey
    value: Hash


def nonce_address(wallet: Pubkey, number: int) -> Pubkey:
    """Return the address of a wallet's nonce account, `number` from 0 to 3."""
    return Pubkey.create_with_seed(wallet, f"{_SEED}{number}", SYSTEM)


def creation(wallet: Pubkey, number: int, lamports: int) -> list[Instruction]:
    """Return the instructions that create a nonce account with its deposit."""
    account = nonce_address(wallet, number)
    seed = f"{_SEED}{number}"
    return list(create_nonce_account_with_seed(wallet, account, wallet, seed, wallet, lamports))


def advance(nonce: DurableNonce) -> Instruction:
    """Return the instruction that a durable transaction begins with."""
    return advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.account, authorized_pubkey=nonce.authority)
    )


def parse_nonce_account(account: Pubkey, owner: Pubkey, data: bytes) -> DurableNonce | None:
    """Return the nonce of an account's 80 bytes; None if it is not an initialized nonce account."""
    if owner != SYSTEM or len(data) != _STATE.size:
        return None
    version, state, authority, value, _ = _STATE.unpack(data)
    if (version, state) != (_VERSION, _INITIALIZED):
        return None
    return DurableNonce(account, Pubkey(authority), Hash(value))


def durable_nonce(message: ParsedMessage) -> DurableNonce | None:
    """Return the durable nonce of a message: its first instruction must advance one."""
    if not message.calls:
        return None
    found = _account(message.calls[0], system.ADVANCE_NONCE)
    if found is None or found not in message.writable:
        return None
    return DurableNonce(found, message.calls[0].accounts[-1], message.lifetime)


def consumed(data: bytes) -> frozenset[str]:
    """Return the names of what the message consumes. Raises: UnknownTransaction.

    A message with a recent blockhash consumes only itself. A nonce account can be created only
    once, so its creation is consumed too.
    """
    message = parse_message(data)
    made = (_account(call, system.INITIALIZE_NONCE) for call in message.calls)
    names = {made_name(account) for account in made if account}
    nonce = durable_nonce(message)
    if nonce:
        names.add(used_name(nonce))
    else:
        names.add(f"blockhash-message:{hashlib.sha256(data).hexdigest()}")
    return frozenset(names)


def made_name(account: Pubkey) -> str:
    """Return the name of the creation of a nonce account."""
    return f"nonce-account:{account}"


def used_name(nonce: DurableNonce) -> str:
    """Return the name of a nonce account's current value."""
    return f"nonce:{nonce.account}:{nonce.value}"


def _account(call: Call, shape: Shape) -> Pubkey | None:
    try:
        reading = decode(call)
    except NotUnderstood:
        return None
    return reading.key("Nonce account") if reading.shape is shape else None
