"""A lying, broken or dead node never changes what is signed and never hangs (cases C108 to C116).

Two servers stand before the same runtime; one of them can be told to lie.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from console.application.errors import AdapterError, ChainUnavailable, SourcesDisagree
from console.application.ports.chain import (
    Account,
    ChainAdapter,
    ChainSettings,
    InclusionState,
    SignedTransaction,
    TransferIntent,
)
from console.bootstrap import CHAINS
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from console.domain.values import Chain, Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey

COINS = {Chain.SOLANA: 10**9, Chain.ETHEREUM: 10**18, Chain.BITCOIN: 10**8}
NONSENSE = ("garbage", "html", "huge", "nan", "duplicate-keys", "redirect", "error-500")
PATIENCE_S = 1.5


@dataclass
class Street:
    """An honest node and a switchable one of the same chain, and adapters to either and to both."""

    chain: Chain
    honest_url: str
    false_url: str
    session: ClientSession
    adapters: list[ChainAdapter]
    sender: SigningKey
    receiver: SigningKey

    def adapter(self, *urls: str) -> ChainAdapter:
        made = CHAINS[self.chain].from_settings(
            ChainSettings(network=Network.DEVNET, urls=urls, timeout_s=PATIENCE_S)
        )
        self.adapters.append(made)
        return made

    async def switch(self, kind: str, **more: float) -> None:
        base = self.false_url.rpartition("/")[0]
        body = {"chain": self.chain.value, "kind": kind, **more}
        async with self.session.post(f"{base}/devnet/faults", json=body) as answer:
            assert answer.status == 200

    async def trapped(self) -> int:
        base = self.false_url.rpartition("/")[0]
        async with self.session.get(f"{base}/devnet/faults") as answer:
            return (await answer.json())["trapped"]

    async def build(self, adapter: ChainAdapter) -> bytes:
        account = adapter.accounts[0]
        intent = TransferIntent(
            account=account,
            to_address=adapter.address(account, self.receiver),
            amount=COINS[self.chain] // 10,
        )
        return (await adapter.build_transaction(intent, self.sender)).transaction

    def sign(self, adapter: ChainAdapter, data: bytes) -> SignedTransaction:
        signatures = tuple(self.sender.sign(p) for p in adapter.payloads(data, self.sender))
        return adapter.attach(data, signatures, self.sender)


@pytest.fixture(params=list(CHAINS), ids=lambda chain: chain.value)
async def street(request: pytest.FixtureRequest) -> AsyncIterator[Street]:
    chain = request.param
    solana, ethereum, bitcoin = SolanaDevnet(), EthereumDevnet(), BitcoinDevnet()
    async with AsyncExitStack() as stack:
        stack.callback(bitcoin.close)
        urls = [
            await stack.enter_async_context(served(build_app(solana, ethereum, bitcoin)))
            for _ in range(2)
        ]
        session = await stack.enter_async_context(ClientSession())
        honest, false = (f"{url}/{chain.value}" for url in urls)
        made = Street(chain, honest, false, session, [], SigningKey(), SigningKey())
        adapter = made.adapter(honest)
        account = adapter.accounts[0]
        await adapter.request_faucet(adapter.address(account, made.sender), COINS[chain])
        try:
            yield made
        finally:
            for each in made.adapters:
                await each.close()


async def everything(street: Street, adapter: ChainAdapter) -> None:
    """Ask all that an adapter asks; each must end with a value or as unavailable."""
    account: Account = adapter.accounts[0]
    signed = street.sign(adapter, await street.build(street.adapter(street.honest_url)))
    for call in (
        lambda: adapter.balance(account, street.sender),
        lambda: street.build(adapter),
        lambda: adapter.status(signed.transaction_id),
        lambda: adapter.history(account, street.sender),
        lambda: adapter.broadcast(signed),
    ):
        try:
            await call()
        except AdapterError:
            continue


@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_is_an_unavailable_chain(street: Street, kind: str) -> None:
    adapter = street.adapter(street.false_url)
    account = adapter.accounts[0]
    await street.switch(kind)
    with pytest.raises(ChainUnavailable):
        await adapter.balance(account, street.sender)
    with pytest.raises(ChainUnavailable):
        await street.build(adapter)
    await everything(street, adapter)
    assert await street.trapped() == 0


@pytest.mark.parametrize("kind", ["hang", "slow"])
async def test_a_node_that_does_not_answer_is_given_up(street: Street, kind: str) -> None:
    adapter = street.adapter(street.false_url)
    await street.switch(kind, seconds=60)
    with pytest.raises(ChainUnavailable):
        await adapter.balance(adapter.accounts[0], street.sender)


async def test_a_node_that_comes_back_is_used_again(street: Street) -> None:
    adapter = street.adapter(street.false_url)
    await street.switch("error-500")
    with pytest.raises(ChainUnavailable):
        await adapter.balance(adapter.accounts[0], street.sender)
    await street.switch("none")
    assert (await adapter.balance(adapter.accounts[0], street.sender)).base_units


async def test_a_node_of_another_network_is_not_asked_twice(street: Street) -> None:
    adapter = street.adapter(street.false_url)
    await street.switch("wrong-chain")
    with pytest.raises(ChainUnavailable):
        await adapter.balance(adapter.accounts[0], street.sender)
    with pytest.raises(ChainUnavailable):
        await street.build(adapter)


@pytest.mark.parametrize("kind", ["lying-balance", "wrong-chain", *NONSENSE, "hang"])
async def test_of_two_nodes_one_that_lies_holds_everything_up(street: Street, kind: str) -> None:
    both = street.adapter(street.honest_url, street.false_url)
    account = both.accounts[0]
    await street.switch(kind)
    with pytest.raises(ChainUnavailable) as told:
        await both.balance(account, street.sender)
    if kind == "lying-balance":
        assert isinstance(told.value, SourcesDisagree)
    await street.switch("none")
    assert (await both.balance(account, street.sender)).base_units == COINS[street.chain]


async def test_a_lie_about_money_never_changes_what_is_signed(street: Street) -> None:
    adapter = street.adapter(street.false_url)
    honest = street.adapter(street.honest_url)
    await street.switch("lying-balance")
    if street.chain is Chain.BITCOIN:
        # A coin's amount is in the transaction that made it, whose hash cannot lie.
        with pytest.raises(ChainUnavailable):
            await street.build(adapter)
        pytest.skip("a lie about coins is found before anything is built")
    data = await street.build(adapter)
    told = honest.describe(data, street.sender)
    assert told.red_flags == ()
    assert told.amount.base_units == COINS[street.chain] // 10
    assert told.to_address == honest.address(honest.accounts[0], street.receiver)


async def test_another_id_than_ours_is_not_believed(street: Street) -> None:
    adapter = street.adapter(street.false_url)
    signed = street.sign(adapter, await street.build(adapter))
    await street.switch("wrong-txid")
    with pytest.raises(ChainUnavailable):
        await adapter.broadcast(signed)
    # It was taken all the same, under the id that we computed before.
    await street.switch("none")
    assert (await adapter.status(signed.transaction_id)).state is InclusionState.CONFIRMED


async def test_one_node_is_enough_to_send(street: Street) -> None:
    both = street.adapter(street.honest_url, street.false_url)
    signed = street.sign(both, await street.build(both))
    await street.switch("error-500")
    sender = street.adapter(street.honest_url)
    await sender.broadcast(signed)
    with pytest.raises(ChainUnavailable):
        await both.status(signed.transaction_id)
    await street.switch("none")
    assert (await both.status(signed.transaction_id)).state is InclusionState.CONFIRMED
