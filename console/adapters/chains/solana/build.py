"""Builders of messages: transfers of coins and tokens, and nonce accounts."""

from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.memo import encode_memo
from console.adapters.chains.solana.nonce import DurableNonce, advance, creation
from console.adapters.chains.solana.programs import ASSOCIATED_TOKEN, MEMO, SYSTEM
from console.application.errors import TransactionError

COIN_UNITS = 3_000
"""Compute units for coins: a System instruction takes 150, and there are at most five."""
MEMO_UNITS = 60_000
"""For a memo of 180 bytes, with the older builds of the program."""
TOKEN_UNITS = 150_000
"""For creating a token account and one transfer; the search for its address varies."""
_CREATE_UNLESS_THERE, _TRANSFER_CHECKED = b"\1", 12


@dataclass(frozen=True, slots=True)
class MessageTerms:
    """The lifetime of a message, by a recent blockhash or a nonce, and its price.

    `unit_price` is in millionths of a lamport for each compute unit; 0 offers nothing. `variant`
    makes otherwise identical messages different, because a cluster accepts each only once: it
    requests that many more compute units.
    """

    lifetime: Hash | DurableNonce
    unit_price: int = 0
    variant: int = 0


@dataclass(frozen=True, slots=True)
class MintFacts:
    """A mint, its program and its decimals, as the chain reports them."""

    mint: Pubkey
    program: Pubkey
    decimals: int


def build_transfer(
    wallet: Pubkey, to: Pubkey, lamports: int, memo: str, terms: MessageTerms
) -> bytes:
    """Return a legacy message that transfers coins. Raises: TransactionError."""
    _check_amount(lamports)
    paid = transfer(TransferParams(from_pubkey=wallet, to_pubkey=to, lamports=lamports))
    return _message(wallet, [paid], COIN_UNITS, memo, terms)


def build_token_transfer(
    wallet: Pubkey, to: Pubkey, amount: int, memo: str, token: MintFacts, terms: MessageTerms
) -> bytes:
    """Return a legacy message that transfers tokens to the token account of `to`.

    It always creates that account unless it exists, so that the signed bytes name its owner.
    Raises: TransactionError.
    """
    _check_amount(amount)
    source, destination = (token_account(who, token.mint, token.program) for who in (wallet, to))
    made = Instruction(
        ASSOCIATED_TOKEN,
        _CREATE_UNLESS_THERE,
        [
            AccountMeta(wallet, is_signer=True, is_writable=True),
            AccountMeta(destination, is_signer=False, is_writable=True),
            *(
                AccountMeta(key, is_signer=False, is_writable=False)
                for key in (to, token.mint, SYSTEM, token.program)
            ),
        ],
    )
    moved = Instruction(
        token.program,
        bytes((_TRANSFER_CHECKED,)) + amount.to_bytes(8, "little") + bytes((token.decimals,)),
        [
            AccountMeta(source, is_signer=False, is_writable=True),
            AccountMeta(token.mint, is_signer=False, is_writable=False),
            AccountMeta(destination, is_signer=False, is_writable=True),
            AccountMeta(wallet, is_signer=True, is_writable=False),
        ],
    )
    return _message(wallet, [made, moved], TOKEN_UNITS, memo, terms)


def build_nonce_account(wallet: Pubkey, number: int, lamports: int, terms: MessageTerms) -> bytes:
    """Return a legacy message that creates the wallet's nonce account `number`."""
    return _message(wallet, creation(wallet, number, lamports), COIN_UNITS, "", terms)


def _message(
    wallet: Pubkey, moves: list[Instruction], units: int, memo: str, terms: MessageTerms
) -> bytes:
    instructions = []
    lifetime = terms.lifetime
    if isinstance(lifetime, DurableNonce):
        # Only as the first instruction it makes the message durable.
        instructions.append(advance(lifetime))
        lifetime = lifetime.value
    if terms.unit_price or terms.variant:
        limit = units + (MEMO_UNITS if memo else 0) + terms.variant
        instructions.append(set_compute_unit_limit(limit))
    if terms.unit_price:
        instructions.append(set_compute_unit_price(terms.unit_price))
    instructions += moves
    if memo:
        signer = AccountMeta(wallet, is_signer=True, is_writable=False)
        instructions.append(Instruction(MEMO, encode_memo(memo), [signer]))
    return bytes(Message.new_with_blockhash(instructions, wallet, lifetime))


def _check_amount(amount: int) -> None:
    if not 0 < amount < 1 << 64:
        raise TransactionError("the amount must be above 0 and below 2^64 base units")
