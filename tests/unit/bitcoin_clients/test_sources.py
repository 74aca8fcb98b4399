"""Several sources: facts count when all agree, a lie is found, one may be dear or refuse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from aiohttp import ClientSession, web

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import Esplora
from console.adapters.chains.bitcoin.sources import (
    BitcoinSource,
    BroadcastRefused,
    Sources,
    Standing,
    Transacted,
    Unspent,
    checked_transaction,
)
from console.application.errors import ChainUnavailable, SourcesDisagree, UnknownTransaction
from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.routes import add_bitcoin_routes
from console.devnet.faults import Faults
from tests.contract.chains import served
from tests.unit.bitcoin_clients.spending import FUNDING, SPEND, Purse, pay

T = TypeVar("T")
BLOCK, OTHER_BLOCK = "aa" * 32, "bb" * 32
OLD, NEW = Unspent("11" * 32, 0, 5, 7), Unspent("22" * 32, 1, 6, None)
TXID = "33" * 32


@dataclass
class FakeSource:
    """Tells what it was given; raises what is an exception."""

    height: int = 100
    block: str = BLOCK
    coins: tuple[Unspent, ...] = ()
    history: tuple[Transacted, ...] = ()
    raw: bytes | Exception = b""
    standing: Standing | Exception | None = None
    fees: dict[int, int] = field(default_factory=lambda: {2: 3000, 6: 2000, 144: 1000})
    taken: str | Exception = TXID
    closed: bool = False

    async def tip_height(self) -> int:
        return self.height

    async def block_hash(self, height: int) -> str:
        return self.block

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        return self.coins

    async def transactions(self, address: str) -> tuple[Transacted, ...]:
        return self.history

    async def raw_transaction(self, txid: str) -> bytes:
        return _told(self.raw)

    async def status(self, txid: str) -> Standing | None:
        return _told(self.standing)

    async def fee_estimates(self) -> dict[int, int]:
        return self.fees

    async def send(self, raw: bytes) -> str:
        return _told(self.taken)

    async def close(self) -> None:
        self.closed = True


def _told(value: T | Exception) -> T:
    if isinstance(value, Exception):
        raise value
    return value


def sources(*fakes: BitcoinSource) -> Sources:
    return Sources(fakes)


async def test_there_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Sources(())


async def test_the_lowest_tip_counts() -> None:
    assert await sources(FakeSource(height=9), FakeSource(height=7)).tip_height() == 7


async def test_another_block_is_disagreement() -> None:
    assert await sources(FakeSource(), FakeSource()).block_hash(5) == BLOCK
    with pytest.raises(SourcesDisagree):
        await sources(FakeSource(), FakeSource(block=OTHER_BLOCK)).block_hash(5)


@pytest.mark.parametrize(
    "lie", [(), (Unspent(OLD.txid, 0, 5000, 7),), (Unspent(OLD.txid, 0, 5, 8),), (OLD, OLD, NEW)]
)
async def test_coins_in_blocks_are_the_same_everywhere(lie: tuple[Unspent, ...]) -> None:
    both = sources(FakeSource(coins=(OLD,)), FakeSource(coins=lie))
    if OLD in lie:
        assert await both.utxos("x") == (OLD,)
    else:
        with pytest.raises(SourcesDisagree):
            await both.utxos("x")


async def test_waiting_coins_are_those_that_all_know() -> None:
    assert await sources(FakeSource(coins=(NEW, OLD))).utxos("x") == (OLD, NEW)
    one, two = FakeSource(coins=(OLD, NEW)), FakeSource(coins=(OLD,))
    assert await sources(one, two).utxos("x") == (OLD,)
    assert await sources(one, one).utxos("x") == (OLD, NEW)


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ((None, None), None),
        ((Standing(None, None), None), Standing(None, None)),
        ((None, Standing(None, None)), Standing(None, None)),
        ((Standing(5, BLOCK), Standing(5, BLOCK)), Standing(5, BLOCK)),
    ],
)
async def test_a_standing_that_all_tell(
    told: tuple[Standing | None, ...], result: Standing | None
) -> None:
    assert await sources(*(FakeSource(standing=each) for each in told)).status(TXID) == result


@pytest.mark.parametrize(
    "other", [None, Standing(None, None), Standing(6, BLOCK), Standing(5, OTHER_BLOCK)]
)
async def test_a_confirmation_that_one_does_not_tell_is_none(other: Standing | None) -> None:
    for pair in ((Standing(5, BLOCK), other), (other, Standing(5, BLOCK))):
        with pytest.raises(SourcesDisagree):
            await sources(*(FakeSource(standing=each) for each in pair)).status(TXID)


async def test_a_source_that_is_away_holds_facts_up() -> None:
    away = FakeSource(standing=ChainUnavailable("away"))
    with pytest.raises(ChainUnavailable, match="away"):
        await sources(FakeSource(), away).status(TXID)


async def test_bytes_come_from_whoever_has_them() -> None:
    away = FakeSource(raw=ChainUnavailable("away"))
    assert await sources(away, FakeSource(raw=b"bytes")).raw_transaction(TXID) == b"bytes"
    with pytest.raises(ChainUnavailable, match="away"):
        await sources(away, away).raw_transaction(TXID)


async def test_the_lowest_fee_of_each_target_counts() -> None:
    dear = FakeSource(fees={2: 900_000, 6: 1500, 144: 1000})
    assert await sources(FakeSource(), dear).fee_estimates() == {2: 3000, 6: 1500, 144: 1000}


async def test_one_that_takes_it_is_enough() -> None:
    refusing = FakeSource(taken=BroadcastRefused("no"))
    away = FakeSource(taken=ChainUnavailable("away"))
    for order in ((refusing, FakeSource()), (away, FakeSource()), (FakeSource(), refusing)):
        assert await sources(*order).send(SPEND) == TXID
    for order in ((refusing, away), (away, refusing)):
        with pytest.raises(BroadcastRefused):
            await sources(*order).send(SPEND)
    with pytest.raises(ChainUnavailable):
        await sources(away, away).send(SPEND)
    with pytest.raises(UnknownTransaction):
        await sources(FakeSource()).send(SPEND[:-1])


async def test_the_first_history_that_is_told_is_shown() -> None:
    seen = Transacted(TXID, 5, 7, 9)
    assert await sources(FakeSource(), FakeSource(history=(seen,))).transactions("x") == (seen,)
    assert await sources(FakeSource()).transactions("x") == ()


async def test_all_are_closed() -> None:
    fakes = FakeSource(), FakeSource()
    await sources(*fakes).close()
    assert all(fake.closed for fake in fakes)


@pytest.fixture
async def two(devnet: BitcoinDevnet) -> AsyncIterator[tuple[Sources, str]]:
    """Two Esploras over one chain, and where the second is."""
    async with AsyncExitStack() as stack:
        urls = []
        for _ in range(2):
            app = web.Application()
            add_bitcoin_routes(app.router, devnet, "/bitcoin")
            Faults().add_to(app)
            urls.append(await stack.enter_async_context(served(app)))
        made = Sources(tuple(Esplora(f"{url}/bitcoin") for url in urls))
        stack.push_async_callback(made.close)
        yield made, urls[1]


async def test_one_false_node_of_two_is_found(
    two: tuple[Sources, str], devnet: BitcoinDevnet, purse: Purse
) -> None:
    both, url = two
    address = str(address_of(purse.taproot_script))
    coin = purse.fill(devnet, purse.taproot_script)
    (found,) = await both.utxos(address)
    assert found.value == FUNDING
    genesis = await both.block_hash(0)
    async with ClientSession() as session:

        async def fault(kind: str) -> None:
            order = {"chain": "bitcoin", "kind": kind}
            async with session.post(f"{url}/devnet/faults", json=order) as switched:
                assert switched.status == 200

        await fault("lying-balance")
        with pytest.raises(SourcesDisagree):
            await both.utxos(address)
        await fault("wrong-chain")
        with pytest.raises(SourcesDisagree):
            await both.block_hash(0)
        await fault("wrong-txid")
        spend = purse.spend([coin]).serialize()
        assert await both.send(spend) == checked_transaction(spend)
        await fault("none")
        assert await both.block_hash(0) == genesis


async def test_core_and_esplora_tell_the_same(
    esplora: Esplora, core: CoreRpc, devnet: BitcoinDevnet, purse: Purse
) -> None:
    both = Sources((esplora, core))
    address = str(address_of(purse.taproot_script))
    one, two = (purse.fill(devnet, purse.taproot_script, sats) for sats in (FUNDING, 12_345))
    assert [coin.value for coin in await both.utxos(address)] == [
        coin.output.nValue for _, coin in sorted(devnet.unspent(purse.taproot_script), key=_name)
    ]
    devnet.automine = False
    change = [pay(FUNDING - 1000, purse.taproot_script)]
    txid = await both.send(purse.spend([one], change).serialize())
    # Core does not tell of coins that wait, so the change is left out.
    assert [coin.value for coin in await both.utxos(address)] == [two[1].output.nValue]
    assert await both.status(txid) == Standing(None, None)
    devnet.mine(1)
    assert {coin.value for coin in await both.utxos(address)} == {FUNDING - 1000, 12_345}
    assert await both.raw_transaction(txid)


def _name(pair: tuple[tuple[bytes, int], object]) -> tuple[str, int]:
    (txid, number), _ = pair
    return txid[::-1].hex(), number
