"""The adapter over nodes that lie, flood, or tell of coins that are not to be spent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from console.adapters.chains.bitcoin import adapter as adapter_module
from console.adapters.chains.bitcoin import core_rpc, watching
from console.adapters.chains.bitcoin.accounts import CHANGE, RECEIVE, SEGWIT, KeyPosition, script_at
from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.build import Wallet
from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.limits import MAX_INPUTS, MAX_PSBT_BYTES, MAX_TRANSACTION_BYTES
from console.adapters.chains.bitcoin.node import GENESIS
from console.adapters.chains.bitcoin.sources import (
    FEE_TARGETS,
    BitcoinSource,
    Sources,
    Standing,
    Transacted,
    Unspent,
)
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.adapters.chains.bitcoin.watching import GAP_LIMIT, Watcher
from console.adapters.rpc.json_rpc import RpcError, RpcRefused
from console.application.errors import (
    ChainUnavailable,
    InsufficientFunds,
    TransactionError,
    TransactionRejected,
)
from console.application.ports.chain import (
    Inclusion,
    InclusionState,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from tests.unit.bitcoin.wallets import FRIEND, KEYS, NETWORK, coin, draft

TIP = 1_000
WALLET = Wallet(SEGWIT, KEYS, NETWORK)
FIRST = KeyPosition(RECEIVE, 0)
NOWHERE = OutPoint(bytes(32), 0xFFFF_FFFF)


def address_at(place: KeyPosition) -> str:
    return address_of(script_at(SEGWIT, KEYS, place), NETWORK) or ""


@dataclass
class Node:
    """Implements `BitcoinSource` from a list of coins, and counts what it is asked for."""

    coins: dict[str, list[Unspent]] = field(default_factory=dict)
    made: dict[str, bytes] = field(default_factory=dict)
    used: Callable[[str], bool] = lambda _: False
    keeps_history: bool = True
    asked: int = 0
    fetched: list[str] = field(default_factory=list)

    def holds(
        self,
        satoshis: int,
        place: KeyPosition = FIRST,
        height: int | None = TIP - 200,
        *,
        spends: OutPoint | None = None,
        burden: int = 0,
    ) -> str:
        """Add a coin; `burden` bytes make the transaction behind it large. Return its name."""
        number = len(self.made)
        source = spends or OutPoint(number.to_bytes(32, "big"), 0)
        outputs = (TxOut(satoshis, script_at(SEGWIT, KEYS, place)), TxOut(0, b"\x6a" * burden))
        marked = TxIn(source, number.to_bytes(4, "big"))
        transaction = Transaction(2, (marked,), outputs[: 2 if burden else 1])
        txid = transaction.txid
        self.made[txid] = transaction.encode()
        told = self.coins.setdefault(address_at(place), [])
        told.append(Unspent(txid, 0, satoshis, height))
        return f"utxo:{txid}:0"

    async def tip_height(self) -> int:
        return TIP

    async def block_hash(self, height: int) -> str:
        assert height == 0
        return min(GENESIS[NETWORK])

    async def utxos(self, address: str) -> tuple[Unspent, ...]:
        self.asked += 1
        assert self.asked < 1_000, "it asks without end"
        return tuple(self.coins.get(address, ()))

    async def transactions(self, address: str) -> tuple[Transacted, ...]:
        raise AssertionError("a few large transactions are more than a reply may be")

    async def was_used(self, address: str) -> bool:
        return self.used(address)

    async def raw_transaction(self, txid: str) -> bytes:
        self.fetched.append(txid)
        return self.made[txid]

    async def status(self, txid: str) -> Standing | None:
        raise AssertionError(txid)

    async def fee_estimates(self) -> dict[int, int]:
        return dict.fromkeys(FEE_TARGETS, 5_000)

    async def send(self, raw: bytes) -> str:
        raise AssertionError(raw)

    async def close(self) -> None:
        """Nothing is open."""


def adapter_over(*nodes: BitcoinSource) -> BitcoinAdapter:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter_module, "sources_at", lambda *_: Sources(nodes))
        return BitcoinAdapter(NETWORK, ("http://127.0.0.1:1",))


async def spent_for(node: Node, satoshis: int) -> frozenset[str]:
    adapter = adapter_over(node)
    built = await adapter.build_transaction(
        TransferIntent(account=SEGWIT, to_address=FRIEND, amount=satoshis), KEYS
    )
    assert adapter.describe(built.transaction, KEYS).red_flags == ()
    return adapter.consumes(built.transaction)


# Places


async def test_a_node_that_calls_every_place_used_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "MAX_PLACES", 60)
    node = Node(used=lambda _: True)
    watcher = Watcher(Sources((node,)))
    with pytest.raises(ChainUnavailable, match="more places"):
        await watcher.coins(WALLET)
    # The lie is not remembered: once the node is honest, all is as before.
    node.used = lambda _: False
    assert await watcher.coins(WALLET) == ()
    assert await watcher.next_change(WALLET) == KeyPosition(CHANGE, 0)


async def test_one_false_node_of_several_does_not_send_the_change_far_away() -> None:
    far = {address_at(KeyPosition(CHANGE, index)) for index in range(30)}
    watcher = Watcher(Sources((Node(), Node(used=far.__contains__))))
    await watcher.coins(WALLET)
    assert await watcher.next_change(WALLET) == KeyPosition(CHANGE, 0)


async def test_a_node_without_history_is_no_witness_against_the_others() -> None:
    gone = {address_at(KeyPosition(CHANGE, index)) for index in range(3)}
    silent = Node(keeps_history=False)
    watcher = Watcher(Sources((silent, Node(used=gone.__contains__))))
    await watcher.coins(WALLET)
    assert await watcher.next_change(WALLET) == KeyPosition(CHANGE, 3)


async def test_without_any_history_change_stays_where_a_restarted_node_looks() -> None:
    """Emptied places look unused there: coins further away than the gap would not be found."""
    node = Node(keeps_history=False)
    node.holds(10_000, KeyPosition(CHANGE, GAP_LIMIT - 1))
    watcher = Watcher(Sources((node,)))
    await watcher.coins(WALLET)
    change = await watcher.next_change(WALLET)
    assert change.chain == CHANGE
    assert change.index < GAP_LIMIT


# Coins


async def test_a_flood_of_coins_is_not_fetched_whole() -> None:
    node = Node()
    large = {node.holds(50_000) for _ in range(MAX_INPUTS)}
    for _ in range(500):
        node.holds(600)
    assert await spent_for(node, 2_000_000) <= large
    assert len(node.fetched) <= MAX_INPUTS


async def test_a_sweep_says_which_coins_it_leaves() -> None:
    node = Node()
    node.holds(900_000)
    intent = TransferIntent(account=SEGWIT, to_address=FRIEND, amount=0, everything=True)
    assert (await adapter_over(node).build_transaction(intent, KEYS)).notes == ()
    for _ in range(160):
        node.holds(300)
    built = await adapter_over(node).build_transaction(intent, KEYS)
    assert len(parse_spending(built.transaction).spent) == 1
    (note,) = built.notes
    assert note.startswith("160 coins stay in the account, 0.000\u2009480\u200900 BTC in all")


async def test_coins_of_young_blocks_are_left_until_they_are_ripe() -> None:
    node = Node()
    young = node.holds(900_000, height=TIP - 98, spends=NOWHERE)
    with pytest.raises(InsufficientFunds):
        await spent_for(node, 100_000)
    ripe = node.holds(800_000, height=TIP - 99, spends=NOWHERE)
    assert await spent_for(node, 100_000) == {ripe}
    assert young != ripe


async def test_what_others_have_sent_is_not_spent_before_it_is_in_a_block() -> None:
    """Its sender may still take it back, and the payment that spends it with it."""
    node = Node()
    node.holds(900_000, height=None)
    with pytest.raises(InsufficientFunds):
        await spent_for(node, 100_000)
    waiting_change = node.holds(700_000, KeyPosition(CHANGE, 0), height=None)
    assert await spent_for(node, 100_000) == {waiting_change}


@pytest.mark.parametrize("burden", [MAX_PSBT_BYTES - 400, MAX_PSBT_BYTES + 1])
async def test_a_coin_with_too_large_a_proof_does_not_block_the_others(burden: int) -> None:
    node = Node()
    heavy = node.holds(300_000, burden=burden)
    light = {node.holds(200_000) for _ in range(5)}
    assert await spent_for(node, 700_000) <= light
    with pytest.raises(TransactionError, match="too large"):
        await spent_for(node, 1_200_000)
    assert heavy not in light


async def test_a_coin_of_a_transaction_that_nodes_do_not_relay_does_not_block_the_others() -> None:
    node = Node()
    node.holds(300_000, burden=MAX_TRANSACTION_BYTES)
    light = {node.holds(200_000) for _ in range(5)}
    assert await spent_for(node, 700_000) <= light
    with pytest.raises(InsufficientFunds):
        await spent_for(node, 1_200_000)


async def test_bytes_that_are_no_proper_transaction_are_the_nodes_fault() -> None:
    node = Node()
    name = node.holds(300_000)
    txid = name.split(":")[1]
    node.made[txid] += b"\0"
    with pytest.raises(ChainUnavailable):
        await spent_for(node, 100_000)


# Fees


async def test_what_pays_the_most_already_is_not_outbid() -> None:
    node = Node()
    node.holds(90_000_000)
    old = (
        draft().rate(490_000).pay(FRIEND, 1_000_000).spend(coin(3_000_000)).build(KeyPosition(1, 0))
    )
    adapter = adapter_over(node)
    replaced = await adapter.build_transaction(ReplaceIntent(account=SEGWIT, transaction=old), KEYS)
    assert parse_spending(replaced.transaction).fee > parse_spending(old).fee
    many = replace(draft().rate(490_000), payments=draft().pay(FRIEND, 20_000).payments * 60)
    large = many.spend(coin(9_000_000)).build(KeyPosition(1, 0))
    with pytest.raises(TransactionError, match="500 sat/vB"):
        await adapter.build_transaction(
            ReplaceIntent(account=SEGWIT, transaction=large, cancel=True), KEYS
        )


# Questions with bad words in them


async def test_an_id_that_is_none_is_known_to_nobody() -> None:
    @dataclass
    class Strict(Node):
        async def status(self, txid: str) -> Standing | None:
            return await CoreRpc("http://127.0.0.1:1").status(txid)

    for odd in ("", "../tip", "AB" * 32):
        assert await adapter_over(Strict()).status(odd) == Inclusion(InclusionState.UNKNOWN)


async def test_bytes_that_are_no_transaction_are_rejected_unsent() -> None:
    for odd in (b"", b"\0", b"psbt\xff"):
        with pytest.raises(TransactionRejected):
            await adapter_over(Node()).broadcast(SignedTransaction(odd, "00" * 32))


async def test_a_transaction_under_another_id_is_rejected_unsent() -> None:
    raw = next(iter(_made().made.values()))
    with pytest.raises(TransactionRejected, match="another transaction"):
        await adapter_over(Node()).broadcast(SignedTransaction(raw, "00" * 32))


def _made() -> Node:
    node = Node()
    node.holds(1_000)
    return node


# Bitcoin Core


class OneScanAtATime:
    """Bitcoin Core refuses a second `scantxoutset` while one runs."""

    def __init__(self) -> None:
        self.running = False
        self.scans = 0

    async def call(self, method: str, _params: list[object], kind: Callable[..., object]) -> object:
        assert method == "scantxoutset"
        if self.running:
            raise RpcRefused(RpcError(-8, 'Scan already in progress, use action "abort"'))
        self.running = True
        await asyncio.sleep(0)
        self.running = False
        self.scans += 1
        return kind(success=True, unspents=[])


async def test_scans_of_a_core_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rpc = OneScanAtATime()
    monkeypatch.setattr(core_rpc, "JsonRpc", lambda *_: rpc)
    core = CoreRpc("http://127.0.0.1:1")
    assert await Watcher(Sources((core,))).coins(WALLET) == ()
    assert rpc.scans == 2 * GAP_LIMIT
