"""The Bitcoin adapter over time: change, waiting coins, replacing, a reorg, and false history."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientSession

from console.adapters.chains.bitcoin.accounts import CHANGE, RECEIVE, KeyPosition, script_at
from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.node import SETTLED
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import to_v2
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import field, ordered, value_of, without
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.watching import GAP_LIMIT
from console.application.errors import (
    CoinSpent,
    InsufficientFunds,
    TransactionError,
    TransactionRejected,
)
from console.application.ports.chain import (
    AccelerateIntent,
    Account,
    FeeLevel,
    ImportIntent,
    InclusionState,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from console.domain.values import Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey

COIN = 10**8


@dataclass
class Desk:
    """One account with a coin of one bitcoin, a stranger to pay, and the devnet's levers."""

    adapter: BitcoinAdapter
    account: Account
    url: str
    session: ClientSession
    keys: SigningKey
    stranger: SigningKey

    async def order(self, path: str, **body: object) -> None:
        async with self.session.post(f"{self.url}/devnet/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def fund(self, place: KeyPosition, satoshis: int = COIN) -> None:
        address = address_of(script_at(self.account, self.keys, place), Network.DEVNET)
        assert address
        await self.adapter.request_faucet(address, satoshis)

    async def build(
        self, satoshis: int = COIN // 4, reserved: frozenset[str] = frozenset()
    ) -> bytes:
        to = self.adapter.address(self.account, self.stranger)
        intent = TransferIntent(account=self.account, to_address=to, amount=satoshis)
        return (await self.adapter.build_transaction(intent, self.keys, reserved)).transaction

    async def replacement(self, old: bytes, *, cancel: bool) -> bytes:
        intent = ReplaceIntent(account=self.account, transaction=old, cancel=cancel)
        return (await self.adapter.build_transaction(intent, self.keys)).transaction

    def sign(self, data: bytes) -> SignedTransaction:
        signatures = tuple(self.keys.sign(p) for p in self.adapter.payloads(data, self.keys))
        return self.adapter.attach(data, signatures, self.keys)

    async def send(self, data: bytes) -> SignedTransaction:
        signed = self.sign(data)
        await self.adapter.broadcast(signed)
        return signed

    async def state(self, signed: SignedTransaction) -> InclusionState:
        return (await self.adapter.status(signed.transaction_id)).state

    async def balance(self, keys: SigningKey | None = None) -> int:
        return (await self.adapter.balance(self.account, keys or self.keys)).base_units


@pytest.fixture(params=[0, 1], ids=["segwit", "taproot"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    app = build_app(SolanaDevnet(), EthereumDevnet(), BitcoinDevnet())
    async with served(app) as base, ClientSession() as session:
        url = f"{base}/bitcoin"
        adapter = BitcoinAdapter(Network.DEVNET, (url,))
        account = adapter.accounts[request.param]
        made = Desk(adapter, account, url, session, SigningKey(), SigningKey())
        await made.fund(KeyPosition(RECEIVE, 0))
        try:
            yield made
        finally:
            await adapter.close()


def change_of(desk: Desk, data: bytes) -> list[str]:
    told = desk.adapter.describe(data, desk.keys)
    return [value for label, value in told.fields if label.endswith("change")]


async def test_change_goes_to_a_fresh_place_each_time_and_can_be_spent(desk):
    spent = []
    for number in range(3):
        data = await desk.build()
        assert desk.adapter.describe(data, desk.keys).red_flags == ()
        (change,) = change_of(desk, data)
        assert change.endswith(f"({desk.account.path}/1/{number})")
        await desk.send(data)
        spent.append(parse_spending(data).fee)
    assert await desk.balance() == COIN - 3 * (COIN // 4) - sum(spent)
    assert await desk.balance(desk.stranger) == 3 * (COIN // 4)


async def test_what_comes_from_change_alone_is_still_this_accounts(desk):
    await desk.send(await desk.build())
    data = await desk.build()
    told = desk.adapter.describe(data, desk.keys)
    assert told.from_address == desk.adapter.address(desk.account, desk.keys)


async def test_a_watching_wallets_other_addresses_are_found_up_to_the_gap(desk):
    await desk.fund(KeyPosition(RECEIVE, GAP_LIMIT - 1), 2_000)
    await desk.fund(KeyPosition(RECEIVE, 2 * GAP_LIMIT - 1), 3_000)
    await desk.fund(KeyPosition(CHANGE, 5), 4_000)
    await desk.fund(KeyPosition(RECEIVE, 3 * GAP_LIMIT + 1), 5_000)
    assert await desk.balance() == COIN + 9_000


async def test_a_coin_that_is_held_is_not_spent_twice(desk):
    first = await desk.build()
    held = desk.adapter.consumes(first)
    with pytest.raises(InsufficientFunds):
        await desk.build(reserved=held)
    await desk.fund(KeyPosition(RECEIVE, 1))
    second = await desk.build(reserved=held)
    assert not held & desk.adapter.consumes(second)
    await desk.send(first)
    await desk.send(second)
    assert await desk.balance(desk.stranger) == 2 * (COIN // 4)


async def test_a_coin_spent_elsewhere_is_named_as_the_reason(desk):
    first, second = await desk.build(), await desk.build(COIN // 5)
    await desk.send(first)
    # The chain may still take the first one back.
    with pytest.raises(TransactionRejected, match="spent lately"):
        await desk.send(second)
    await desk.order("mine", blocks=SETTLED[Network.DEVNET] - 1)
    with pytest.raises(CoinSpent):
        await desk.send(second)
    assert await desk.balance(desk.stranger) == COIN // 4


async def test_waiting_change_is_spent_only_where_coins_in_blocks_do_not_reach(desk):
    await desk.order("automine", on=False)
    first = await desk.build()
    await desk.send(first)
    second = await desk.build()
    (coin,) = desk.adapter.consumes(second)
    assert coin.startswith(f"utxo:{desk.sign(first).transaction_id}")
    await desk.order("automine", on=True)
    await desk.fund(KeyPosition(RECEIVE, 1), COIN // 2)


@pytest.mark.parametrize("cancel", [False, True])
async def test_what_waits_is_replaced_by_the_same_for_more_or_by_nothing(desk, cancel):
    await desk.order("automine", on=False)
    old = await desk.build()
    first = await desk.send(old)
    assert await desk.state(first) is InclusionState.PENDING
    new = await desk.replacement(old, cancel=cancel)
    assert desk.adapter.may_replace(old, new) == ""
    assert desk.adapter.consumes(old) <= desk.adapter.consumes(new)
    told = desk.adapter.describe(new, desk.keys)
    assert told.red_flags == ()
    assert told.amount.base_units == (0 if cancel else COIN // 4)
    second = await desk.send(new)
    await desk.order("mine", blocks=1)
    assert await desk.state(second) is InclusionState.CONFIRMED
    assert await desk.state(first) is InclusionState.UNKNOWN
    assert await desk.balance(desk.stranger) == (0 if cancel else COIN // 4)


async def test_another_payment_never_takes_the_place_of_the_first(desk):
    old, other = await desk.build(), await desk.build(COIN // 5)
    assert desk.adapter.may_replace(old, other)


async def test_a_reorg_takes_a_confirmation_back(desk):
    signed = await desk.send(await desk.build())
    assert await desk.state(signed) is InclusionState.CONFIRMED
    await desk.order("automine", on=False)
    await desk.order("reorg", depth=1)
    assert await desk.state(signed) is InclusionState.PENDING
    await desk.order("mine", blocks=1)
    assert await desk.state(signed) is InclusionState.CONFIRMED


async def test_a_confirmation_is_settled_when_it_is_deep_enough(desk):
    data = await desk.build()
    assert not await desk.adapter.is_used_up(data, desk.keys)
    signed = await desk.send(data)
    for depth in range(1, SETTLED[Network.DEVNET] + 1):
        inclusion = await desk.adapter.status(signed.transaction_id)
        assert inclusion.state is InclusionState.CONFIRMED
        assert inclusion.settled is (depth == SETTLED[Network.DEVNET])
        assert await desk.adapter.is_used_up(data, desk.keys) is inclusion.settled
        await desk.order("mine", blocks=1)


async def test_every_coin_is_gathered_for_a_payment_that_needs_them(desk):
    for index in range(1, 6):
        await desk.fund(KeyPosition(RECEIVE, index), COIN // 10)
    data = await desk.build(14 * COIN // 10)
    assert len(parse_spending(data).psbt.inputs) == 6
    signed = await desk.send(data)
    assert await desk.state(signed) is InclusionState.CONFIRMED


async def test_a_payment_to_nobody_else_is_cancelled_instead_of_sped_up(desk):
    old = await desk.build()
    cancelled = await desk.replacement(old, cancel=True)
    with pytest.raises(TransactionError, match="cancel it instead"):
        await desk.replacement(cancelled, cancel=False)


async def test_the_history_counts_each_transaction_once(desk):
    signed = await desk.send(await desk.build())
    paid, received = await desk.adapter.history(desk.account, desk.keys)
    assert (paid.transaction_id, received.amount) == (signed.transaction_id, COIN)
    assert received.amount + paid.amount == await desk.balance()


async def imported(desk: Desk, data: bytes) -> bytes:
    text = base64.b64encode(data).decode()
    intent = ImportIntent(desk.account, text)
    return (await desk.adapter.build_transaction(intent, desk.keys)).transaction


@pytest.mark.parametrize("version", [0, 2])
async def test_a_psbt_of_either_version_is_imported_proven_and_accepted(desk, version):
    own = await desk.build()
    psbt = parse_psbt(own)
    foreign = to_v2(psbt) if version == 2 else psbt
    assert await imported(desk, foreign.encode()) == own
    bare = replace(
        foreign,
        inputs=tuple(
            without(each, In.NON_WITNESS_UTXO, In.WITNESS_UTXO) for each in foreign.inputs
        ),
    )
    data = await imported(desk, bare.encode())
    assert desk.adapter.describe(data, desk.keys).red_flags == ()
    assert await desk.state(await desk.send(data)) is InclusionState.CONFIRMED


async def test_an_imported_psbt_that_lies_about_its_amount_is_put_right(desk):
    psbt = parse_psbt(await desk.build())
    (fields,) = psbt.inputs
    script = parse_spending(psbt.encode()).spent[0].script
    lie = field(In.WITNESS_UTXO, TxOut(2 * COIN, script).encode())
    lying = replace(
        psbt,
        inputs=(ordered((*without(fields, In.NON_WITNESS_UTXO, In.WITNESS_UTXO), lie)),),
    )
    assert desk.adapter.describe(lying.encode(), desk.keys).red_flags
    data = await imported(desk, lying.encode())
    assert parse_spending(data).spent[0].amount == COIN


async def test_a_psbt_with_another_previous_transaction_is_not_imported(desk):
    psbt = parse_psbt(await desk.build())
    await desk.fund(KeyPosition(RECEIVE, 1))
    other = value_of(parse_psbt(await desk.build(COIN // 2)).inputs[0], In.NON_WITNESS_UTXO)
    if other == value_of(psbt.inputs[0], In.NON_WITNESS_UTXO):
        held = desk.adapter.consumes(psbt.encode())
        data = await desk.build(COIN // 2, held)
        other = value_of(parse_psbt(data).inputs[0], In.NON_WITNESS_UTXO)
    assert other
    fields = without(psbt.inputs[0], In.NON_WITNESS_UTXO)
    wrong = replace(psbt, inputs=(ordered((*fields, field(In.NON_WITNESS_UTXO, other))),))
    with pytest.raises(TransactionError, match="another transaction"):
        await imported(desk, wrong.encode())


async def test_what_is_no_psbt_is_not_imported(desk):
    data = await desk.build()
    for wrong in (b"psbt\xff", data[:-1], data + b"\0", b"\0" * 50, desk.sign(data).transaction):
        with pytest.raises(TransactionError):
            await imported(desk, wrong)


async def test_a_payment_that_waits_is_mined_for_what_spends_it(desk):
    stranger, adapter = desk.stranger, desk.adapter
    await adapter.request_faucet(adapter.address(desk.account, stranger), COIN)
    await desk.order("automine", on=False)
    to = adapter.address(desk.account, desk.keys)
    cheap = TransferIntent(
        account=desk.account, to_address=to, amount=COIN // 10, fee_level=FeeLevel.ECONOMY
    )
    paying = (await adapter.build_transaction(cheap, stranger)).transaction
    signatures = tuple(stranger.sign(p) for p in adapter.payloads(paying, stranger))
    waiting = adapter.attach(paying, signatures, stranger)
    await adapter.broadcast(waiting)
    intent = AccelerateIntent(desk.account, waiting.transaction_id)
    built = await adapter.build_transaction(intent, desk.keys)
    assert adapter.describe(built.transaction, desk.keys).action == "Move to own account"
    (spent,) = adapter.consumes(built.transaction)
    assert spent.startswith(f"utxo:{waiting.transaction_id}")
    # The child pays for itself and for what its parent lacks.
    assert built.fee_ceiling > parse_spending(paying).fee
    signed = await desk.send(built.transaction)
    await desk.order("mine", blocks=1)
    assert await desk.state(signed) is InclusionState.CONFIRMED
    assert await desk.balance() == COIN + COIN // 10 - built.fee_ceiling


async def test_what_does_not_wait_is_not_sped_up(desk):
    (line,) = await desk.adapter.history(desk.account, desk.keys)
    for txid in (line.transaction_id, "0" * 64, "nothing"):
        with pytest.raises(TransactionError, match="no coin of this account waits"):
            await desk.adapter.build_transaction(AccelerateIntent(desk.account, txid), desk.keys)
