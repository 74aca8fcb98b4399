"""What a call means in words, and what the wallet's own settings say of tokens and contracts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.address import ZERO, checksummed
from console.domain.transaction import CoinFlow
from console.domain.values import Amount

COIN_DECIMALS = 18
TO_ITSELF = "Move to own account"
"""The action of a transfer to the account that it comes from: nobody is paid."""
NOT_KNOWN = "base units"
"""The unit of a token whose decimals are not known."""


class TokenStandard(StrEnum):
    """How a token contract counts."""

    ERC20 = "ERC-20"
    ERC721 = "ERC-721"
    ERC1155 = "ERC-1155"


@dataclass(frozen=True, slots=True)
class TokenUnit:
    """A token of the wallet's list; the list is signed settings, never a node's answer."""

    symbol: str
    decimals: int
    standard: TokenStandard = TokenStandard.ERC20


@dataclass(frozen=True, slots=True)
class Known:
    """Contracts that the wallet's owners endorse, by their 20 bytes.

    `spenders` may be given allowances, `accounts` are Safes and other smart accounts that the
    wallet has a part in; any other one is a red flag.
    """

    coin: str = "ETH"
    tokens: Mapping[bytes, TokenUnit] = field(default_factory=dict)
    spenders: frozenset[bytes] = frozenset()
    accounts: frozenset[bytes] = frozenset()

    def coins(self, wei: int) -> Amount:
        """Return an amount of the chain's own coin."""
        return Amount(wei, self.coin, COIN_DECIMALS)

    def amount(self, contract: bytes, base_units: int) -> Amount:
        """Return an amount of a token; base units when its decimals are not known."""
        token = self.tokens.get(contract)
        if token is None or token.standard is not TokenStandard.ERC20:
            return Amount(base_units, token.symbol if token else NOT_KNOWN, 0)
        return Amount(base_units, token.symbol, token.decimals)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract or account; with `delegate`, foreign code with the sender's rights."""

    sender: bytes
    to: bytes
    value: int
    data: bytes
    delegate: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """A call in words. What `to` and `amount` do not say stands in `fields`; dangers in `flags`.

    `to` is empty when there is no destination. `fee` in wei is what the signed content itself lets
    somebody charge, beside the fee of a transaction; `flow` is what it moves of the signer's coins,
    None if it is no transaction and moves nothing.
    """

    action: str
    to: bytes
    amount: Amount
    fields: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    fee: int = 0
    flow: CoinFlow | None = None

    def with_more(
        self, fields: tuple[tuple[str, str], ...] = (), flags: tuple[str, ...] = ()
    ) -> "Meaning":
        """Return the same with further facts at the end."""
        return replace(self, fields=self.fields + fields, flags=self.flags + flags)


def written(amount: Amount) -> str:
    """Return an amount with its unit."""
    return f"{amount.text()} {amount.unit}"


def destination_flags(destination: bytes, what: str) -> tuple[str, ...]:
    """Return a warning of a destination that nobody can move anything from."""
    if destination == ZERO:
        return (f"The {what} go to the zero address, from which nobody can move them",)
    return ()


def shown_bytes(data: bytes, limit: int = 256) -> str:
    """Return bytes as hexadecimal; of many their size, beginning and hash."""
    if len(data) <= limit:
        return f"0x{data.hex()}"
    return f"{len(data)} bytes from 0x{data[:32].hex()} on, Keccak-256 0x{keccak(data).hex()}"


def shown_text(text: str) -> str:
    """Return text without invisible characters and direction marks."""
    return text if text.isprintable() else ascii(text)[1:-1]


def shown_address(address: bytes) -> str:
    """Return an address as EIP-55 text."""
    return checksummed(address)
