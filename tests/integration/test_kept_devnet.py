"""A devnet that is kept: the same chains after a restart, and new ones if that cannot be."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from console.devnet.kept import KeptOrders
from console.devnet.server import build_app
from console.devnet.tokens import ETHEREUM_DOLLAR
from console.set_up.trial_answers import has_devnet
from tests.contract.chains import served

PAYER = Keypair.from_seed(bytes([7]) * 32)
OTHER = str(Pubkey(bytes([9]) * 32))
ETHER_TO = "0x52908400098527886E0F7030069857D2E4169EE7"
BITCOIN_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


class Devnet:
    """A served devnet."""

    def __init__(self, session: ClientSession, url: str, *, anew: bool) -> None:
        self._session = session
        self._url = url
        self.anew = anew
        self.port = int(url.rpartition(":")[2])

    async def call(self, chain: str, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(f"{self._url}/{chain}", json=body) as response:
            return (await response.json()).get("result")

    async def get(self, path: str) -> Any:
        async with self._session.get(f"{self._url}/bitcoin{path}") as response:
            return json.loads(await response.text())

    async def post(self, path: str, body: object) -> int:
        async with self._session.post(f"{self._url}{path}", json=body) as response:
            return response.status

    async def facts(self) -> list[object]:
        """Return what must be the same after a restart."""
        return [
            await self.call("solana", "getBalance", str(PAYER.pubkey())),
            await self.call("solana", "getLatestBlockhash"),
            await self.call("ethereum", "eth_getBalance", ETHER_TO, "latest"),
            await self.call("ethereum", "eth_blockNumber"),
            await self.get("/blocks/tip/height"),
            [coin["txid"] for coin in await self.get(f"/address/{BITCOIN_TO}/utxo")],
        ]


@asynccontextmanager
async def devnet(path: Path) -> AsyncIterator[Devnet]:
    orders = KeptOrders(path)
    chains, anew = orders.restore()
    app = build_app(chains.solana, chains.ethereum, chains.bitcoin)
    app.middlewares.append(orders.middleware)
    async with served(app) as url, ClientSession() as session:
        yield Devnet(session, url, anew=anew)


async def use(chain: Devnet) -> None:
    """Fund accounts, and pay with one."""
    await chain.call("solana", "requestAirdrop", str(PAYER.pubkey()), 10**9)
    told = await chain.call("solana", "getLatestBlockhash")
    ask = transfer(
        TransferParams(
            from_pubkey=PAYER.pubkey(), to_pubkey=Pubkey.from_string(OTHER), lamports=10**8
        )
    )
    message = Message.new_with_blockhash(
        [ask], PAYER.pubkey(), Hash.from_string(told["value"]["blockhash"])
    )
    signed = Transaction([PAYER], message, message.recent_blockhash)
    encoded = base64.b64encode(bytes(signed)).decode()
    assert await chain.call("solana", "sendTransaction", encoded, {"encoding": "base64"})
    await chain.call("ethereum", "devnet_fund", ETHER_TO, hex(10**18))
    await chain.call("ethereum", "devnet_fundToken", ETHEREUM_DOLLAR, ETHER_TO, hex(10**6))
    assert await chain.post("/bitcoin/devnet/fund", {"address": BITCOIN_TO, "sats": 10**6}) == 200


async def test_what_happened_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    async with devnet(path) as chain:
        await use(chain)
        before = await chain.facts()
    async with devnet(path) as chain:
        assert not chain.anew
        assert await chain.facts() == before
        await use(chain)
        before = await chain.facts()
    async with devnet(path) as chain:
        assert await chain.facts() == before


async def test_questions_and_refused_orders_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    async with devnet(path) as chain:
        await chain.facts()
        await chain.call("solana", "requestAirdrop", "nobody", 1)
        await chain.call("ethereum", "eth_sendRawTransaction", "0x00")
        assert await chain.post("/bitcoin/devnet/fund", {"address": "nobody", "sats": 1}) == 400
    assert not path.exists()


async def test_a_last_order_that_is_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "orders"
    async with devnet(path) as chain:
        await use(chain)
        before = await chain.facts()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    async with devnet(path) as chain:
        assert await chain.facts() == before
        await use(chain)
        before = await chain.facts()
    async with devnet(path) as chain:
        assert not chain.anew
        assert await chain.facts() == before


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b'["/bitcoin/tx", "00"]\n',
        b'["/solana", "{\\"method\\":\\"sendTransaction\\",\\"params\\":[\\"AA\\"]}"]\n',
    ],
)
async def test_what_cannot_be_done_again_begins_anew(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "orders"
    path.write_bytes(line)
    async with devnet(path) as chain:
        assert chain.anew
        await use(chain)
        before = await chain.facts()
    assert (tmp_path / "orders.unusable").read_bytes() == line
    async with devnet(path) as chain:
        assert not chain.anew
        assert await chain.facts() == before


async def test_another_program_is_not_taken_for_a_devnet(tmp_path: Path) -> None:
    async with devnet(tmp_path / "orders") as chain:
        assert await has_devnet(chain.port)
    assert not await has_devnet(chain.port)
    async with served(web.Application()) as url:
        assert not await has_devnet(int(url.rpartition(":")[2]))
