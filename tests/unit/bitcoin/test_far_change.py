"""What is called our own is watched, however far it is, also after a restart (faults, 15)."""

from types import SimpleNamespace

import pytest

from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    CHANGE,
    MAX_INDEX,
    RECEIVE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.build import Wallet
from console.adapters.chains.bitcoin.message import build_message
from console.adapters.chains.bitcoin.sources import Sources, Unspent
from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.watching import NEAR, WHOLE_SCAN_EVERY_S, Watcher
from console.application.balances import Balances
from console.application.ports.chain import Account, TransferIntent
from console.application.ports.watching import Watches
from console.domain.ids import RequestId, WalletId
from console.domain.values import Chain
from tests.unit.bitcoin.changes import with_output
from tests.unit.bitcoin.test_lying_nodes import TIP, Node, adapter_over
from tests.unit.bitcoin.wallets import FRIEND, KEYS, NETWORK, OTHER_KEYS, transfer

WALLET = WalletId("w-1")
FAR = KeyPosition(CHANGE, 5_000)


def paying(account: Account, place: KeyPosition) -> bytes:
    """A payment whose change another program has put far away."""
    output = TxOut(500, script_at(account, KEYS, place))
    return with_output(transfer(), output, output_origin(account, KEYS, place))


def holding(node: Node, account: Account, place: KeyPosition, satoshis: int = 70_000) -> None:
    told = node.coins.setdefault(address_of(script_at(account, KEYS, place), NETWORK) or "", [])
    told.append(Unspent(f"{len(told):064x}", 0, satoshis, TIP - 9))


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)
@pytest.mark.parametrize("place", [FAR, KeyPosition(RECEIVE, MAX_INDEX), KeyPosition(CHANGE, 21)])
async def test_far_places_that_were_paid_are_found(account: Account, place: KeyPosition) -> None:
    node = Node()
    adapter = adapter_over(node)
    holding(node, account, place)
    assert (await adapter.balance(account, KEYS)).base_units == 0
    adapter.watch(paying(account, place), KEYS)
    assert (await adapter.balance(account, KEYS)).base_units == 70_000
    other = TAPROOT if account is SEGWIT else SEGWIT
    assert (await adapter.balance(other, KEYS)).base_units == 0


async def test_a_far_place_costs_no_scan_and_moves_no_change() -> None:
    node = Node()
    adapter = adapter_over(node)
    node.holds(900_000, FAR)
    adapter.watch(paying(SEGWIT, FAR), KEYS)
    await adapter.balance(SEGWIT, KEYS)
    before = node.asked
    await adapter.balance(SEGWIT, KEYS)
    assert node.asked - before < 10
    intent = TransferIntent(account=SEGWIT, to_address=FRIEND, amount=100_000)
    built = await adapter.build_transaction(intent, KEYS)
    described = adapter.describe(built.transaction, KEYS)
    assert f"({SEGWIT.path}/1/0)" in str(described.fields)
    assert f"{SEGWIT.path}/1/5000" in str(described.fields)


async def test_a_near_place_is_not_counted_twice() -> None:
    node = Node()
    adapter = adapter_over(node)
    near = KeyPosition(CHANGE, 4)
    holding(node, SEGWIT, near)
    adapter.watch(paying(SEGWIT, near), KEYS)
    assert (await adapter.balance(SEGWIT, KEYS)).base_units == 70_000


async def test_what_is_not_ours_is_not_watched() -> None:
    quiet, told = Node(), Node()
    adapter = adapter_over(told)
    adapter.watch(paying(SEGWIT, FAR), OTHER_KEYS)
    adapter.watch(build_message(FRIEND, "hello", NETWORK), KEYS)
    for each in (adapter_over(quiet), adapter):
        for keys in (KEYS, OTHER_KEYS):
            await each.balance(SEGWIT, keys)
    assert told.asked == quiet.asked > 0


async def test_after_a_restart_the_ledger_tells_what_was_paid() -> None:
    def request(name: str, *, signed: bool, **changes: object) -> SimpleNamespace:
        facts = {"request": RequestId(name), "wallet": WALLET, "chain": Chain.BITCOIN}
        facts |= {"network": NETWORK, "transaction": paying(SEGWIT, FAR)} | changes
        return SimpleNamespace(proposal=SimpleNamespace(**facts), signatures=(b"s",) * signed)

    node = Node()
    holding(node, SEGWIT, FAR)
    aggregates = SimpleNamespace(
        requests={"1": request("rq-1", signed=False), "x": request("rq-x", signed=True)},
        wallet=lambda _: SimpleNamespace(wallet=WALLET),
    )
    aggregates.requests["x"].proposal.transaction = b"not understood any more"
    transactions = SimpleNamespace(keys=lambda _: KEYS, accounts=lambda _w, _a: [(SEGWIT, "")])

    def started() -> Balances:
        chains = {Chain.BITCOIN: adapter_over(node)}
        return Balances(aggregates, transactions, chains, SimpleNamespace(now_ms=lambda: 1))

    async def seen(balances: Balances) -> int:
        await balances.refresh(WALLET)
        return balances.of(WALLET, Chain.BITCOIN, SEGWIT.path).amount.base_units

    running = started()
    assert isinstance(adapter_over(node), Watches)
    assert await seen(running) == 0
    aggregates.requests["2"] = request("rq-2", signed=True)
    assert await seen(running) == 70_000
    assert await seen(started()) == 70_000
    aggregates.requests["2"].proposal.wallet = WalletId("w-2")
    assert await seen(started()) == 0


async def test_far_places_that_are_empty_are_looked_at_on_whole_scans_only() -> None:
    now_s = [0.0]
    node = Node()
    watcher = Watcher(Sources((node,)), lambda: now_s[0])
    wallet = Wallet(SEGWIT, KEYS, NETWORK)

    async def asked() -> int:
        before = node.asked
        await watcher.coins(wallet)
        return node.asked - before

    for number in range(200):
        watcher.watch(wallet, KeyPosition(CHANGE, 9_000 + number))
    full = KeyPosition(CHANGE, 9_100)
    holding(node, SEGWIT, full)
    assert await asked() > 200
    assert await asked() == 2 * NEAR + 1
    assert [coin.place for coin in await watcher.coins(wallet)] == [full]
    # A place that empties, and one that is filled, are seen by the next whole scan.
    node.coins.clear()
    assert await watcher.coins(wallet) == ()
    assert await asked() == 2 * NEAR
    late = KeyPosition(CHANGE, 9_199)
    holding(node, SEGWIT, late)
    assert await watcher.coins(wallet) == ()
    now_s[0] += WHOLE_SCAN_EVERY_S
    assert [coin.place for coin in await watcher.coins(wallet)] == [late]
    assert await asked() == 2 * NEAR + 1
    # What is signed now is looked at again.
    again = KeyPosition(CHANGE, 9_000)
    holding(node, SEGWIT, again)
    watcher.watch(wallet, again)
    assert {coin.place for coin in await watcher.coins(wallet)} == {late, again}
