"""For each chain of the product: a real runtime on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, web

from console.application.ports.chain import Asset
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from console.devnet.tokens import ETHEREUM_DOLLAR, SOLANA_DOLLAR, make_tokens
from console.domain.values import Chain


@dataclass(frozen=True)
class Runtime:
    """A chain that runs: where it answers, and how its time passes."""

    url: str
    smallest_amount: int
    foreign_addresses: tuple[str, ...]
    memo: bool = True
    """Whether a transfer carries a memo."""
    expires: bool = True
    """Whether a transaction becomes too old by itself."""
    dust: bool = True
    """Whether the chain has a smallest amount."""
    token: Asset | None = None
    """A token that is there from the start."""
    history: bool = True
    """Whether a node tells an account's history."""
    simulates: bool = True
    """Whether a node foresees what a transaction would do."""
    coins: bool = False
    """Whether there are coins, each spent whole; else there are accounts with a balance."""
    counts_tokens: bool = True
    """Whether a transfer of more tokens than there are is refused as it is built."""

    async def expire(self) -> None:
        """Make every transaction that was built so far too old."""
        async with (
            ClientSession() as session,
            session.post(f"{self.url}/expire-blockhash") as answer,
        ):
            assert answer.status == 200


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free port of loopback; yield the address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def solana() -> AsyncIterator[Runtime]:
    chain = SolanaDevnet()
    make_tokens(chain)
    async with served(build_app(chain, EthereumDevnet())) as url:
        yield Runtime(
            f"{url}/solana",
            smallest_amount=1_000_000,
            token=Asset(SOLANA_DOLLAR, "SUSD", 6),
            counts_tokens=False,
            foreign_addresses=(
                "",
                "0x52908400098527886E0F7030069857D2E4169EE7",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr0",
            ),
        )


@asynccontextmanager
async def ethereum() -> AsyncIterator[Runtime]:
    async with served(build_app(SolanaDevnet(), EthereumDevnet())) as url:
        yield Runtime(
            f"{url}/ethereum",
            smallest_amount=10**16,
            foreign_addresses=(
                "",
                "vitalik.eth",
                "0x52908400098527886E0F7030069857D2E4169Ee7",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "7xKXtg2CWzDPnoq9sVJrT5bQ8mEyLhU4aRfG1Zk3NwYu",
            ),
            memo=False,
            expires=False,
            dust=False,
            token=Asset(ETHEREUM_DOLLAR, "DUSD", 6),
            history=False,
        )


@asynccontextmanager
async def bitcoin() -> AsyncIterator[Runtime]:
    async with served(build_app(SolanaDevnet(), EthereumDevnet(), BitcoinDevnet())) as url:
        yield Runtime(
            f"{url}/bitcoin",
            smallest_amount=1_000_000,
            foreign_addresses=(
                "",
                "0x52908400098527886E0F7030069857D2E4169EE7",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
                "7xKXtg2CWzDPnoq9sVJrT5bQ8mEyLhU4aRfG1Zk3NwYu",
            ),
            memo=False,
            expires=False,
            simulates=False,
            coins=True,
        )


RUNTIMES: dict[Chain, Callable[[], AbstractAsyncContextManager[Runtime]]] = {
    Chain.SOLANA: solana,
    Chain.ETHEREUM: ethereum,
    Chain.BITCOIN: bitcoin,
}
