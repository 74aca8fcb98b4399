"""What every ChainAdapter promises, kept against the real runtime of each listed chain."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from console.application.errors import (
    BlockhashExpired,
    ChainUnavailable,
    InsufficientFunds,
    InvalidAddress,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import (
    Account,
    ChainAdapter,
    InclusionState,
    SignedTransaction,
    TransferIntent,
)
from console.bootstrap import CHAINS
from console.domain.values import Chain, Network
from tests.contract.chains import RUNTIMES, Runtime, SigningKey

MEMO = "Invoice 4711"


@dataclass
class Bench:
    """An adapter on its runtime, a sender with coins, and somebody to send to."""

    chain: Chain
    runtime: Runtime
    adapter: ChainAdapter
    account: Account
    sender: SigningKey
    receiver: SigningKey

    @property
    def amount(self) -> int:
        return self.runtime.smallest_amount

    async def build(self, amount: int | None = None, memo: str = "") -> bytes:
        to = self.adapter.address(self.account, self.receiver)
        amount = self.amount if amount is None else amount
        intent = TransferIntent(self.account, to, amount, memo)
        return (await self.adapter.build_transaction(intent, self.sender)).transaction

    def sign(self, transaction: bytes) -> SignedTransaction:
        signatures = tuple(
            self.sender.sign(p) for p in self.adapter.payloads(transaction, self.sender)
        )
        return self.adapter.attach(transaction, signatures, self.sender)

    async def balance_of(self, key: SigningKey) -> int:
        return (await self.adapter.balance(self.adapter.address(self.account, key))).base_units


def accounts() -> list[tuple[Chain, int]]:
    """Every account of every chain."""
    return [(chain, n) for chain, made in CHAINS.items() for n in range(len(made.accounts))]


@pytest.fixture(params=accounts(), ids=lambda param: f"{param[0].value}-{param[1]}")
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    chain, number = request.param
    async with RUNTIMES[chain]() as runtime:
        adapter = CHAINS[chain](Network.DEVNET, runtime.url)
        account = adapter.accounts[number]
        sender = SigningKey()
        try:
            await adapter.request_faucet(
                adapter.address(account, sender), 10 * runtime.smallest_amount
            )
            yield Bench(chain, runtime, adapter, account, sender, SigningKey())
        finally:
            await adapter.close()


def test_every_listed_chain_is_tested_on_a_runtime() -> None:
    assert set(RUNTIMES) == set(CHAINS)


async def test_an_address_is_valid_in_the_form_it_is_given(bench: Bench) -> None:
    address = bench.adapter.address(bench.account, bench.sender)
    assert bench.adapter.validate_address(address) == address


async def test_what_is_no_address_of_this_chain_is_refused(bench: Bench) -> None:
    address = bench.adapter.address(bench.account, bench.sender)
    for text in (*bench.runtime.foreign_addresses, address[:-9], address + "1", f" {address}"):
        with pytest.raises(InvalidAddress):
            bench.adapter.validate_address(text)


@pytest.mark.parametrize("memo", ["", MEMO])
async def test_a_transfer_goes_from_intent_to_confirmation(bench: Bench, memo: str) -> None:
    adapter = bench.adapter
    if memo and not bench.runtime.memo:
        with pytest.raises(TransactionError, match="memo"):
            await bench.build(memo=memo)
        return
    before = await bench.balance_of(bench.sender)
    to = adapter.address(bench.account, bench.receiver)
    built = await adapter.build_transaction(
        TransferIntent(bench.account, to, bench.amount, memo), bench.sender
    )
    told = adapter.describe(built.transaction, bench.sender)
    assert (told.chain, told.network) == (bench.chain, Network.DEVNET)
    assert told.from_address == adapter.address(bench.account, bench.sender)
    assert told.to_address == to
    assert told.amount.base_units == bench.amount
    assert told.fee.base_units <= built.fee_ceiling
    assert told.red_flags == ()
    assert told.digest == hashlib.sha256(built.transaction).digest()
    assert dict(told.fields).get("Memo", "") == memo
    assert [payload.kind for payload in adapter.payloads(built.transaction, bench.sender)] == [
        bench.account.kind
    ]
    signed = bench.sign(built.transaction)
    assert (await adapter.status(signed.transaction_id)).state is InclusionState.UNKNOWN
    await adapter.broadcast(signed)
    inclusion = await adapter.status(signed.transaction_id)
    assert inclusion.state is InclusionState.CONFIRMED
    assert inclusion.block > 0
    assert await bench.balance_of(bench.receiver) == bench.amount
    spent = before - await bench.balance_of(bench.sender)
    assert bench.amount < spent <= bench.amount + built.fee_ceiling


async def test_handing_over_twice_moves_the_coins_once(bench: Bench) -> None:
    signed = bench.sign(await bench.build())
    await bench.adapter.broadcast(signed)
    await bench.adapter.broadcast(signed)
    assert await bench.balance_of(bench.receiver) == bench.amount


async def test_no_flipped_bit_is_accepted(bench: Bench) -> None:
    signed = bench.sign(await bench.build())
    before = await bench.balance_of(bench.sender)
    for place in range(0, len(signed.transaction), 5):
        changed = bytearray(signed.transaction)
        changed[place] ^= 1 << place % 8
        with pytest.raises((TransactionError, ChainUnavailable)):
            await bench.adapter.broadcast(SignedTransaction(bytes(changed), signed.transaction_id))
    assert await bench.balance_of(bench.sender) == before
    assert await bench.balance_of(bench.receiver) == 0


async def test_anothers_signature_is_refused(bench: Bench) -> None:
    transaction = await bench.build()
    signatures = tuple(
        bench.receiver.sign(p) for p in bench.adapter.payloads(transaction, bench.sender)
    )
    # Refused by the adapter where it can tell, by the chain in any case.
    with pytest.raises(TransactionError):
        await bench.adapter.broadcast(bench.adapter.attach(transaction, signatures, bench.sender))
    assert await bench.balance_of(bench.receiver) == 0


async def test_an_old_transaction_has_to_be_built_again(bench: Bench) -> None:
    if not bench.runtime.expires:
        pytest.skip("transactions of this chain do not expire")
    signed = bench.sign(await bench.build())
    await bench.runtime.expire()
    with pytest.raises(BlockhashExpired):
        await bench.adapter.broadcast(signed)
    await bench.adapter.broadcast(bench.sign(await bench.build()))
    assert await bench.balance_of(bench.receiver) == bench.amount


async def test_more_than_there_is_cannot_be_sent(bench: Bench) -> None:
    signed = bench.sign(await bench.build(amount=1000 * bench.amount))
    with pytest.raises(InsufficientFunds):
        await bench.adapter.broadcast(signed)


async def test_dust_is_refused_with_its_reason(bench: Bench) -> None:
    if not bench.runtime.dust:
        pytest.skip("this chain has no smallest amount")
    with pytest.raises(TransactionRejected, match="minimum"):
        await bench.adapter.broadcast(bench.sign(await bench.build(amount=1)))


@pytest.mark.parametrize("amount", [0, -1, 1 << 256])
async def test_impossible_amounts_are_not_built(bench: Bench, amount: int) -> None:
    with pytest.raises(TransactionError):
        await bench.build(amount=amount)


async def test_an_intent_for_a_foreign_address_is_not_built(bench: Bench) -> None:
    for address in bench.runtime.foreign_addresses:
        with pytest.raises(InvalidAddress):
            await bench.adapter.build_transaction(
                TransferIntent(bench.account, address, bench.amount), bench.sender
            )


async def test_bytes_that_are_no_transaction_are_refused(bench: Bench) -> None:
    transaction = await bench.build()
    for data in (b"", b"\x00", transaction[:-1], transaction + b"\x00", transaction * 2):
        with pytest.raises(UnknownTransaction):
            bench.adapter.describe(data, bench.sender)
        with pytest.raises(UnknownTransaction):
            bench.adapter.payloads(data, bench.sender)


async def test_the_number_of_signatures_must_fit(bench: Bench) -> None:
    transaction = await bench.build()
    count = len(bench.adapter.payloads(transaction, bench.sender))
    for wrong in (0, count + 1):
        with pytest.raises(TransactionError):
            bench.adapter.attach(transaction, (bytes(64),) * wrong, bench.sender)


async def test_the_faucet_gives_the_same_amount_twice(bench: Bench) -> None:
    address = bench.adapter.address(bench.account, bench.receiver)
    for _ in range(2):
        await bench.adapter.request_faucet(address, bench.amount)
    assert await bench.balance_of(bench.receiver) == 2 * bench.amount


async def test_the_faucet_refuses_what_it_cannot_give(bench: Bench) -> None:
    address = bench.adapter.address(bench.account, bench.receiver)
    for amount in (0, -1, 1 << 100):
        with pytest.raises(TransactionRejected):
            await bench.adapter.request_faucet(address, amount)


@pytest.mark.parametrize("network", [Network.TESTNET, Network.MAINNET])
async def test_only_a_devnet_has_a_faucet(bench: Bench, network: Network) -> None:
    adapter = CHAINS[bench.chain](network, bench.runtime.url)
    try:
        with pytest.raises(TransactionRejected):
            await adapter.request_faucet(
                bench.adapter.address(bench.account, bench.sender), bench.amount
            )
    finally:
        await adapter.close()


async def test_another_networks_chain_is_not_believed(bench: Bench) -> None:
    address = bench.adapter.address(bench.account, bench.sender)
    signed = bench.sign(await bench.build())
    adapter = CHAINS[bench.chain](Network.MAINNET, bench.runtime.url)
    try:
        with pytest.raises(ChainUnavailable):
            await adapter.balance(address)
        with pytest.raises(ChainUnavailable):
            await adapter.broadcast(signed)
        with pytest.raises(ChainUnavailable):
            await adapter.status(signed.transaction_id)
        with pytest.raises(ChainUnavailable):
            await adapter.build_transaction(
                TransferIntent(bench.account, address, bench.amount), bench.sender
            )
    finally:
        await adapter.close()
    assert (await bench.adapter.status(signed.transaction_id)).state is InclusionState.UNKNOWN


async def test_a_closed_adapter_may_be_closed_again(bench: Bench) -> None:
    await bench.adapter.close()
    await bench.adapter.close()
