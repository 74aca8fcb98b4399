"""A Solana node that knows what a test tells it, without sockets."""

from dataclasses import dataclass, field

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from console.adapters.chains.solana import adapter as adapter_module
from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import SolanaAdapter
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Asset
from console.domain.values import Network
from tests.unit.solana.messages import RECENT

LAMPORTS_PER_BYTE, OVERHEAD_BYTES = 6_960, 128


def minimum(size: int = 0) -> int:
    """The rent-exempt minimum of an account: 890,880 lamports of one without data."""
    return LAMPORTS_PER_BYTE * (OVERHEAD_BYTES + size)


@dataclass
class KnownAccounts:
    """Takes the place of `SolanaNode`: accounts as (program, data), and lamports of the wallet."""

    accounts_there: dict[Pubkey, tuple[Pubkey, bytes]] = field(default_factory=dict)
    lamports: int = 10**12
    prices: int = 0

    async def account(self, key: Pubkey) -> tuple[Pubkey, bytes] | None:
        return self.accounts_there.get(key)

    async def balance(self, _key: Pubkey) -> int:
        return self.lamports

    async def deposit(self, size: int) -> int:
        return minimum(size)

    async def blockhash(self) -> Hash:
        return RECENT

    async def unit_price(self, *_: object) -> int:
        return self.prices

    async def accounts(self, _keys: object) -> object:
        raise ChainUnavailable("no simulation here")


def holding(mint: Pubkey, owner: Pubkey, amount: int = 0) -> bytes:
    """Return a token account's data."""
    return bytes(mint) + bytes(owner) + amount.to_bytes(8, "little") + bytes(36) + b"\1" + bytes(56)


def mint(decimals: int = 6, extensions: bytes = b"") -> bytes:
    """Return a mint's data, with Token-2022's extensions if there are any."""
    plain = bytes(44) + bytes([decimals, 1]) + bytes(36)
    return plain + bytes(165 - len(plain)) + b"\1" + extensions if extensions else plain


def adapter_over(node: KnownAccounts, *assets: Asset) -> SolanaAdapter:
    """Return the adapter of a node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter_module, "SolanaNode", lambda *_: node)
        return SolanaAdapter(Network.DEVNET, ("http://127.0.0.1:1",), assets)


SYSTEM_OWNED = (programs.SYSTEM, b"")
