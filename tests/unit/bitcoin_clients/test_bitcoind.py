"""The Core client against Bitcoin Core itself, where it is installed."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.sources import (
    FEE_TARGETS,
    BroadcastRefused,
    Standing,
)
from console.adapters.json_rpc import JsonRpc, RpcRefused
from console.application.errors import ChainUnavailable
from console.devnet.bitcoin_addresses import address_of
from console.devnet.bitcoin_index import Coin
from tests.unit.bitcoin_clients.spending import Purse, pay

BITCOIND = shutil.which("bitcoind")
START_S, STOP_S, PAUSE_S = 30, 30, 0.1
pytestmark = pytest.mark.skipif(BITCOIND is None, reason="bitcoind is not on PATH")


@pytest.fixture
async def rpc_url(tmp_path: Path) -> AsyncIterator[str]:
    """A regtest node of our own on loopback."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(BITCOIND),
        *("-regtest", f"-datadir={tmp_path}", "-server", "-listen=0", "-txindex=1"),
        *("-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", f"-rpcport={port}"),
        *("-rpcuser=u", "-rpcpassword=p", "-dbcache=16", "-printtoconsole=0"),
    )
    url = f"http://u:p@127.0.0.1:{port}/"
    try:
        async with asyncio.timeout(START_S):
            await _ready(url, process)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    rpc = JsonRpc("the Bitcoin node", url)
    try:
        while process.returncode is None:
            try:
                await rpc.call("getblockcount", [], int)
            except (ChainUnavailable, RpcRefused):
                await asyncio.sleep(PAUSE_S)
            else:
                return
        pytest.fail("bitcoind ended")
    finally:
        await rpc.close()


@pytest.mark.parametrize("kind", [0, 1], ids=["key hash", "taproot"])
async def test_a_payment_through_bitcoin_core(rpc_url: str, kind: int) -> None:
    purse, core, rpc = Purse(), CoreRpc(rpc_url), JsonRpc("the Bitcoin node", rpc_url)
    script = purse.scripts[kind]
    address = str(address_of(script))
    try:
        await rpc.call("generatetoaddress", [101, address], list[str])
        coins = await core.utxos(address)
        assert [coin.height for coin in sorted(coins, key=lambda coin: coin.height or 0)] == list(
            range(1, 102)
        )
        oldest = min(coins, key=lambda coin: coin.height or 0)
        outpoint = (bytes.fromhex(oldest.txid)[::-1], oldest.number)
        spend = purse.spend([(outpoint, Coin(pay(oldest.value, script), 1))]).serialize()
        with pytest.raises(BroadcastRefused, match="script-verify-flag"):
            await core.send(spend[:-40] + bytes([spend[-40] ^ 1]) + spend[-39:])
        txid = await core.send(spend)
        assert await core.raw_transaction(txid) == spend
        assert await core.status(txid) == Standing(None, None)
        assert oldest not in await core.utxos(address)
        (block,) = await rpc.call("generatetoaddress", [1, address], list[str])
        assert await core.status(txid) == Standing(102, block)
        assert await core.block_hash(102) == block
        assert await core.tip_height() == 102
        assert await core.status("ab" * 32) is None
        assert (await core.fee_estimates()).keys() == set(FEE_TARGETS)
    finally:
        await core.close()
        await rpc.close()
