"""What we build and sign against btcd, where it is on PATH: another implementation of Bitcoin."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accelerating import accelerate, weighed
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    CHANGE,
    RECEIVE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.build import OwnCoin, SpendingDraft, Wallet
from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.sources import BroadcastRefused
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import Transaction, parse_transaction
from console.adapters.rpc.json_rpc import JsonRpc, RpcRefused
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Account
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.bitcoin.wallets import with_flipped_bit

BTCD = shutil.which("btcd")
START_S, STOP_S, PAUSE_S = 60, 30, 0.05
MATURITY = 100
"""Blocks until what a block pays its miner can be spent."""
SPENDABLE = 4
HOME, NEXT = KeyPosition(RECEIVE, 0), KeyPosition(CHANGE, 0)
COIN = 10**8
pytestmark = pytest.mark.skipif(BTCD is None, reason="btcd is not on PATH")
each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


class Block(msgspec.Struct, frozen=True):
    tx: tuple[str, ...]


class Waits(msgspec.Struct, frozen=True):
    """Of a line of the pool, what btcd has computed: its own size, and a fee in bitcoin."""

    vsize: int
    fee: float


@dataclass
class Btcd:
    """A node that mines for our SegWit account when it is told, and coins that are ripe."""

    rpc: JsonRpc
    core: CoreRpc
    keys: SigningKey
    ripe: list[OwnCoin] = field(default_factory=list)

    def script(self, account: Account, place: KeyPosition = HOME) -> bytes:
        return script_at(account, self.keys, place)

    def address(self, account: Account, place: KeyPosition = HOME) -> str:
        return str(address_of(self.script(account, place), Network.DEVNET))

    def draft(self, account: Account) -> SpendingDraft:
        return SpendingDraft(Wallet(account, self.keys, Network.DEVNET)).rate(2_000)

    def sign(self, data: bytes) -> Transaction:
        payloads = signable.payloads(data, self.keys, Network.DEVNET)
        signatures = tuple(self.keys.sign(payload) for payload in payloads)
        signed = signable.attach(data, signatures, self.keys, Network.DEVNET)
        return parse_transaction(signed.transaction)

    def coin(
        self, transaction: Transaction, account: Account, place: KeyPosition = HOME
    ) -> OwnCoin:
        """Return the output of a transaction that stands at a place."""
        scripts = [output.script for output in transaction.outputs]
        return OwnCoin(transaction, scripts.index(self.script(account, place)), place)

    async def send(self, transaction: Transaction) -> None:
        assert await self.core.send(transaction.encode()) == transaction.txid

    async def refuses(self, transaction: Transaction, *reasons: str) -> None:
        with pytest.raises(BroadcastRefused) as refused:
            await self.core.send(transaction.encode())
        assert any(reason in str(refused.value) for reason in reasons), refused.value

    async def waiting(self) -> dict[str, Waits]:
        return await self.rpc.call("getrawmempool", [True], dict[str, Waits])

    async def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Mine; return what the last block holds beside its coinbase."""
        hashes = await self.rpc.call("generate", [blocks], list[str])
        assert len(hashes) == blocks
        return (await self.rpc.call("getblock", [hashes[-1]], Block)).tx[1:]

    async def coinbase(self, height: int) -> OwnCoin:
        name = await self.rpc.call("getblockhash", [height], str)
        block = await self.rpc.call("getblock", [name], Block)
        raw = await self.rpc.call("getrawtransaction", [block.tx[0], 0], str)
        return self.coin(parse_transaction(bytes.fromhex(raw)), SEGWIT)

    async def funded(self, account: Account) -> OwnCoin:
        """Return a coin of the account in a block; a Taproot one is moved there before."""
        ripe = self.ripe.pop()
        if account is SEGWIT:
            return ripe
        data = self.draft(SEGWIT).spend(ripe).sweep(self.address(TAPROOT)).build(NEXT)
        moved = self.sign(data)
        await self.send(moved)
        assert await self.mine() == (moved.txid,)
        return self.coin(moved, TAPROOT)


@pytest.fixture
async def btcd(tmp_path: Path) -> AsyncIterator[Btcd]:
    keys = SigningKey()
    miner = str(address_of(script_at(SEGWIT, keys, HOME), Network.DEVNET))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Without one of its own, it would write one into the home folder.
    (tmp_path / "btcd.conf").touch()
    process = await asyncio.create_subprocess_exec(
        str(BTCD),
        *("--regtest", "--nolisten", "--nodnsseed", "--txindex", f"--miningaddr={miner}"),
        *("--notls", f"--rpclisten=127.0.0.1:{port}", "--rpcuser=u", "--rpcpass=p"),
        *(f"--configfile={tmp_path / 'btcd.conf'}", f"--datadir={tmp_path / 'data'}"),
        *(f"--logdir={tmp_path / 'logs'}", "--utxocachemaxsize=16"),
        stdout=asyncio.subprocess.DEVNULL,
        env={"HOME": str(tmp_path)},
    )
    url = f"http://u:p@127.0.0.1:{port}/"
    bench = Btcd(JsonRpc("btcd", url, START_S), CoreRpc(url), keys)
    try:
        async with asyncio.timeout(START_S):
            await _ready(bench.rpc, process)
            await bench.mine(MATURITY + SPENDABLE)
        bench.ripe = [await bench.coinbase(height) for height in range(1, SPENDABLE + 1)]
        yield bench
    finally:
        await bench.rpc.close()
        await bench.core.close()
        await _stop(process)


async def _ready(rpc: JsonRpc, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            await rpc.call("getblockcount", [], int)
        except (ChainUnavailable, RpcRefused):
            await asyncio.sleep(PAUSE_S)
        else:
            return
    pytest.fail("btcd ended")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def test_the_upgrades_are_active(btcd: Btcd) -> None:
    forks = (await btcd.rpc.call("getblockchaininfo", [], dict[str, Any]))["bip9_softforks"]
    assert {forks[name]["status"] for name in ("segwit", "taproot")} == {"active"}


@each_account
async def test_a_payment_to_the_other_kind_of_account_is_mined(
    btcd: Btcd, account: Account
) -> None:
    other = TAPROOT if account is SEGWIT else SEGWIT
    own = await btcd.funded(account)
    draft = btcd.draft(account).spend(own).pay(btcd.address(other), COIN)
    data = draft.at(await btcd.core.tip_height()).build(NEXT)
    signed = btcd.sign(data)
    await btcd.send(signed)
    waits = (await btcd.waiting())[signed.txid]
    assert waits.vsize == signed.vsize
    assert round(waits.fee * COIN) == parse_spending(data).fee
    assert await btcd.mine() == (signed.txid,)
    assert btcd.coin(signed, other).output.amount == COIN
    change = btcd.coin(signed, account, NEXT)
    assert change.output.amount == own.output.amount - COIN - parse_spending(data).fee


@each_account
async def test_change_and_several_inputs_are_spent(btcd: Btcd, account: Account) -> None:
    own = await btcd.funded(account)
    payments = btcd.draft(account).pay(btcd.address(account, KeyPosition(RECEIVE, 7)), COIN)
    first = btcd.sign(payments.spend(own).build(NEXT))
    await btcd.send(first)
    await btcd.mine()
    places = (KeyPosition(RECEIVE, 7), NEXT)
    coins = [btcd.coin(first, account, place) for place in places]
    second = btcd.sign(btcd.draft(account).offer(*coins).sweep(btcd.address(SEGWIT)).build(NEXT))
    assert len(second.inputs) == 2
    await btcd.send(second)
    assert await btcd.mine() == (second.txid,)


@each_account
async def test_no_flipped_bit_of_a_signature_is_accepted(btcd: Btcd, account: Account) -> None:
    draft = btcd.draft(account).spend(await btcd.funded(account))
    signed = btcd.sign(draft.pay(btcd.address(SEGWIT), COIN).build(NEXT))
    for place in range(8 * len(signed.inputs[0].witness[0])):
        await btcd.refuses(with_flipped_bit(signed, place), "failed to validate input")
    assert not await btcd.waiting()
    await btcd.send(signed)
    assert await btcd.mine() == (signed.txid,)


@each_account
async def test_a_coin_is_not_spent_twice(btcd: Btcd, account: Account) -> None:
    draft = btcd.draft(account).spend(await btcd.funded(account))
    first = btcd.sign(draft.pay(btcd.address(SEGWIT), COIN).build(NEXT))
    second = btcd.sign(draft.pay(btcd.address(TAPROOT, NEXT), COIN).build(NEXT))
    await btcd.send(first)
    await btcd.refuses(second, "insufficient")
    assert await btcd.mine() == (first.txid,)
    await btcd.refuses(second, "orphan", "spent")


async def test_what_was_mined_too_lately_is_not_spent(btcd: Btcd) -> None:
    swept = btcd.draft(SEGWIT).sweep(btcd.address(TAPROOT))
    # The next block is the hundredth after the first of these two.
    old, young = [await btcd.coinbase(height) for height in (SPENDABLE + 1, SPENDABLE + 2)]
    await btcd.refuses(btcd.sign(swept.spend(young).build(NEXT)), "maturity")
    await btcd.send(btcd.sign(swept.spend(old).build(NEXT)))


@each_account
async def test_a_replacement_is_taken_and_a_lower_one_is_not(btcd: Btcd, account: Account) -> None:
    paying = btcd.draft(account).spend(await btcd.funded(account)).pay(btcd.address(SEGWIT), COIN)
    old = paying.build(NEXT)
    first, spending = btcd.sign(old), parse_spending(old)
    await btcd.send(first)
    new = paying.outbid(spending.fee, signed_vsize(spending)).build(NEXT)
    # One satoshi too few, and two for the bytes that an ECDSA signature may be shorter.
    low = paying.outbid(spending.fee - 3, signed_vsize(spending)).build(NEXT)
    assert parse_spending(new).fee - parse_spending(low).fee == 3
    assert signable.may_replace(old, new) == ""
    assert signable.may_replace(old, low)
    await btcd.refuses(btcd.sign(low), "insufficient absolute fee")
    second = btcd.sign(new)
    await btcd.send(second)
    assert set(await btcd.waiting()) == {second.txid}
    assert await btcd.mine() == (second.txid,)


@each_account
async def test_a_child_pays_for_its_parent(btcd: Btcd, account: Account) -> None:
    own = await btcd.funded(account)
    paying = btcd.draft(account).rate(1_000).spend(own).pay(btcd.address(SEGWIT), COIN)
    parent = btcd.sign(paying.build(NEXT))
    await btcd.send(parent)
    change = btcd.coin(parent, account, NEXT)
    wallet = Wallet(account, btcd.keys, Network.DEVNET)
    accelerated = accelerate(wallet, (change,), [weighed(parent, [own.previous])], 25_000)
    child = btcd.sign(accelerated.build(KeyPosition(CHANGE, 1)))
    await btcd.send(child)
    pool = await btcd.waiting()
    assert pool.keys() == {parent.txid, child.txid}
    fees = sum(round(each.fee * COIN) for each in pool.values())
    sizes = sum(each.vsize for each in pool.values())
    assert 25_000 * sizes <= fees * 1000 <= 25_000 * (sizes + 2)
    assert set(await btcd.mine()) == pool.keys()
