"""The Core client and the adapter against Bitcoin Core itself, where it is installed."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.node import CORE_PREFIX
from console.adapters.chains.bitcoin.sources import (
    FEE_TARGETS,
    BroadcastRefused,
    Standing,
)
from console.adapters.rpc.json_rpc import JsonRpc, RpcRefused
from console.application.errors import ChainUnavailable, TransactionError
from console.application.ports.chain import (
    InclusionState,
    Intent,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.index import Coin
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.bitcoin_clients.spending import Purse, pay

BITCOIND = shutil.which("bitcoind")
COIN = 10**8
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


@pytest.mark.parametrize("place", [0, 1], ids=["segwit", "taproot"])
async def test_what_the_adapter_builds_is_judged_by_bitcoin_core(rpc_url: str, place: int) -> None:
    adapter = BitcoinAdapter(Network.DEVNET, (f"{CORE_PREFIX}{rpc_url}",))
    rpc = JsonRpc("the Bitcoin node", rpc_url)
    account, keys, stranger = adapter.accounts[place], SigningKey(), SigningKey()
    to, nobody = adapter.address(account, stranger), adapter.address(account, SigningKey())

    async def signed(intent: Intent) -> tuple[bytes, SignedTransaction]:
        data = (await adapter.build_transaction(intent, keys)).transaction
        assert adapter.describe(data, keys).red_flags == ()
        signatures = tuple(keys.sign(payload) for payload in adapter.payloads(data, keys))
        return data, adapter.attach(data, signatures, keys)

    try:
        await rpc.call("generatetoaddress", [101, adapter.address(account, keys)], list[str])
        old, sent = await signed(TransferIntent(account=account, to_address=to, amount=COIN))
        for place_of_bit in range(0, len(sent.transaction), 9):
            flipped = bytearray(sent.transaction)
            flipped[place_of_bit] ^= 1 << place_of_bit % 8
            with pytest.raises(RpcRefused):
                await rpc.call("sendrawtransaction", [flipped.hex()], str)
        await adapter.broadcast(sent)
        assert (await adapter.status(sent.transaction_id)).state is InclusionState.PENDING
        new, dearer = await signed(ReplaceIntent(account=account, transaction=old))
        assert adapter.may_replace(old, new) == ""
        await adapter.broadcast(dearer)
        with pytest.raises(TransactionError):
            await adapter.broadcast(sent)
        await rpc.call("generatetoaddress", [6, nobody], list[str])
        assert (await adapter.status(dearer.transaction_id)).state is InclusionState.CONFIRMED
        assert (await adapter.status(sent.transaction_id)).state is InclusionState.UNKNOWN
        assert (await adapter.balance(account, stranger)).base_units == COIN
    finally:
        await adapter.close()
        await rpc.close()
