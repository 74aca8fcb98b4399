"""Solana messages without a node: plain bytes and texts in and out, by the real codec."""

from solders.hash import Hash, ParseHashError

from console.adapters.chains.solana import build
from console.adapters.chains.solana.address import account_of, address_of, parse_address
from console.adapters.chains.solana.describe import WalletContext, describe
from console.adapters.chains.solana.fees import DECIMALS, LAMPORTS_PER_SIGNATURE, UNIT
from console.adapters.chains.solana.message import attach_signature, parse_message
from console.application.errors import ChainUnavailable
from console.domain.transaction import TransactionDescription
from console.domain.values import Network

__all__ = [
    "DECIMALS",
    "LAMPORTS_PER_SIGNATURE",
    "UNIT",
    "address_of",
    "attach_signature",
    "build_transfer",
    "describe_message",
    "parse_address",
    "parse_message",
]


def build_transfer(
    public_key: bytes, to_address: str, lamports: int, memo: str, blockhash: str
) -> bytes:
    """Build a transfer of coins that offers nothing for being early.

    Raises: InvalidAddress, TransactionError; ChainUnavailable if the blockhash is none.
    """
    wallet, to = account_of(public_key), parse_address(to_address)
    try:
        recent = Hash.from_string(blockhash)
    except ParseHashError:  # this one is no ValueError
        raise ChainUnavailable("this is no blockhash") from None
    return build.build_transfer(wallet, to, lamports, memo, build.MessageTerms(recent))


def describe_message(data: bytes, network: Network) -> TransactionDescription:
    """Decode a message for whoever pays for it. Raises: UnknownTransaction."""
    return describe(data, WalletContext(network, parse_message(data).payer))
