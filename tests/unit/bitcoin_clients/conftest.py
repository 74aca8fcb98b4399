"""What the clients' tests share: a chain, and both ways to ask it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import TIMEOUT_S, Esplora
from console.adapters.chains.bitcoin.sources import BitcoinSource
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.routes import add_bitcoin_routes
from console.devnet.faults import Faults
from tests.contract.chains import served
from tests.unit.bitcoin_clients.nodes import CoreDouble, HttpNode
from tests.unit.bitcoin_clients.spending import Purse

SHORT_S = 0.5
"""For nodes that never answer; an honest one may be slow on a busy machine."""


@pytest.fixture
def devnet() -> Iterator[BitcoinDevnet]:
    made = BitcoinDevnet()
    yield made
    made.close()


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
async def devnet_url(devnet: BitcoinDevnet) -> AsyncIterator[str]:
    """The devnet over HTTP, with its fault switches."""
    app = web.Application()
    add_bitcoin_routes(app.router, devnet, "/bitcoin")
    Faults().add_to(app)
    async with served(app) as url:
        yield url


@pytest.fixture
async def esplora(devnet_url: str) -> AsyncIterator[Esplora]:
    made = Esplora(f"{devnet_url}/bitcoin")
    yield made
    await made.close()


@pytest.fixture
def core_double(devnet: BitcoinDevnet) -> CoreDouble:
    return CoreDouble(devnet)


@pytest.fixture
async def core(core_double: CoreDouble) -> AsyncIterator[CoreRpc]:
    async with served(core_double.app()) as url:
        made = CoreRpc(f"{url}/")
        yield made
        await made.close()


@pytest.fixture(params=["esplora", "core"])
def source(request: pytest.FixtureRequest, esplora: Esplora, core: CoreRpc) -> BitcoinSource:
    return esplora if request.param == "esplora" else core


@pytest.fixture
async def node() -> HttpNode:
    return HttpNode()


CLIENTS: dict[str, Callable[[str, float], BitcoinSource]] = {"esplora": Esplora, "core": CoreRpc}


@asynccontextmanager
async def _client_of(kind: str, node: HttpNode, timeout_s: float) -> AsyncIterator[BitcoinSource]:
    async with served(node.app()) as url:
        made = CLIENTS[kind](url, timeout_s)
        yield made
        await made.close()


@pytest.fixture(params=CLIENTS)
async def deceived(request: pytest.FixtureRequest, node: HttpNode) -> AsyncIterator[BitcoinSource]:
    """A client whose node is false."""
    async with _client_of(request.param, node, TIMEOUT_S) as made:
        yield made


@pytest.fixture(params=CLIENTS)
async def hasty(request: pytest.FixtureRequest, node: HttpNode) -> AsyncIterator[BitcoinSource]:
    """A client that soon gives up, whose node is false."""
    async with _client_of(request.param, node, SHORT_S) as made:
        yield made
