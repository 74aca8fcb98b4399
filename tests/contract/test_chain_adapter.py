"""What every ChainAdapter promises, kept against the real runtime of each listed chain."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

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
    MESSAGE_ID,
    Ability,
    Account,
    CallIntent,
    ChainAdapter,
    ChainSettings,
    DurableIntent,
    FeeLevel,
    ImportIntent,
    InclusionState,
    Intent,
    MessageIntent,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from console.bootstrap import CHAINS
from console.domain.errors import NotYetPossible
from console.domain.values import Chain, Network
from tests.contract.chains import RUNTIMES, Runtime
from tests.contract.keys import SigningKey

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
        intent = TransferIntent(account=self.account, to_address=to, amount=amount, memo=memo)
        return (await self.adapter.build_transaction(intent, self.sender)).transaction

    def sign(self, transaction: bytes) -> SignedTransaction:
        signatures = tuple(
            self.sender.sign(p) for p in self.adapter.payloads(transaction, self.sender)
        )
        return self.adapter.attach(transaction, signatures, self.sender)

    async def balance_of(self, key: SigningKey) -> int:
        return (await self.adapter.balance(self.account, key)).base_units


def accounts() -> list[tuple[Chain, int]]:
    """Every account of every chain."""
    return [
        (chain, number)
        for chain, adapter in CHAINS.items()
        for number in range(len(adapter.accounts))
    ]


@pytest.fixture(params=accounts(), ids=lambda param: f"{param[0].value}-{param[1]}")
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    chain, number = request.param
    async with RUNTIMES[chain]() as runtime:
        adapter = CHAINS[chain].from_settings(
            ChainSettings(network=Network.DEVNET, urls=(runtime.url,))
        )
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


async def test_the_newest_block_is_told_and_rises(bench: Bench) -> None:
    before = await bench.adapter.height()
    await bench.adapter.broadcast(bench.sign(await bench.build()))
    assert await bench.adapter.height() > before >= 0


async def test_the_height_of_another_network_is_not_told(bench: Bench) -> None:
    settings = ChainSettings(network=Network.MAINNET, urls=(bench.runtime.url,))
    adapter = CHAINS[bench.chain].from_settings(settings)
    try:
        with pytest.raises(ChainUnavailable, match="mainnet"):
            await adapter.height()
    finally:
        await adapter.close()


def test_every_chain_tells_its_networks_and_nodes() -> None:
    for adapter in CHAINS.values():
        assert set(adapter.networks) == set(Network)
        assert all(adapter.networks.values())
        assert adapter.node_hint.endswith(".")


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
        pytest.skip("transfers of this chain carry no memo")
    before = await bench.balance_of(bench.sender)
    to = adapter.address(bench.account, bench.receiver)
    built = await adapter.build_transaction(
        TransferIntent(account=bench.account, to_address=to, amount=bench.amount, memo=memo),
        bench.sender,
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


async def test_a_memo_that_nobody_would_read_is_refused(bench: Bench) -> None:
    if bench.runtime.memo:
        pytest.skip("transfers of this chain carry a memo")
    with pytest.raises(TransactionError, match="memo"):
        await bench.build(memo=MEMO)


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


async def test_unsigned_bytes_are_used_up_when_nothing_can_execute_them_any_more(
    bench: Bench,
) -> None:
    data = await bench.build()
    assert not await bench.adapter.is_used_up(data, bench.sender)
    if bench.runtime.expires:
        await bench.runtime.expire()
        assert await bench.adapter.is_used_up(data, bench.sender)


async def test_more_than_there_is_cannot_be_sent(bench: Bench) -> None:
    # Refused as it is built where coins are chosen then, by the chain in any case.
    with pytest.raises(InsufficientFunds):
        await bench.adapter.broadcast(bench.sign(await bench.build(amount=1000 * bench.amount)))


async def test_dust_is_refused_with_its_reason(bench: Bench) -> None:
    if not bench.runtime.dust:
        pytest.skip("this chain has no smallest amount")
    with pytest.raises(TransactionError, match=r"minimum|below \d+ satoshis"):
        await bench.adapter.broadcast(bench.sign(await bench.build(amount=1)))


@pytest.mark.parametrize("amount", [0, -1, 1 << 256])
async def test_impossible_amounts_are_not_built(bench: Bench, amount: int) -> None:
    with pytest.raises(TransactionError):
        await bench.build(amount=amount)


async def test_an_intent_for_a_foreign_address_is_not_built(bench: Bench) -> None:
    for address in bench.runtime.foreign_addresses:
        with pytest.raises(InvalidAddress):
            await bench.adapter.build_transaction(
                TransferIntent(account=bench.account, to_address=address, amount=bench.amount),
                bench.sender,
            )


async def test_bytes_that_are_no_transaction_are_refused(bench: Bench) -> None:
    transaction = await bench.build()
    for data in (b"", b"\x00", transaction[:-1], transaction + b"\x00", transaction * 2):
        with pytest.raises(UnknownTransaction):
            bench.adapter.describe(data, bench.sender)
        with pytest.raises(UnknownTransaction):
            bench.adapter.payloads(data, bench.sender)


async def test_what_is_exported_can_be_imported(bench: Bench) -> None:
    transaction = await bench.build()
    intent = ImportIntent(bench.account, bench.adapter.exported(transaction))
    taken = await bench.adapter.build_transaction(intent, bench.sender)
    assert taken.transaction == transaction
    assert bench.adapter.import_form


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
    adapter = CHAINS[bench.chain].from_settings(
        ChainSettings(network=network, urls=(bench.runtime.url,))
    )
    try:
        with pytest.raises(TransactionRejected):
            await adapter.request_faucet(
                bench.adapter.address(bench.account, bench.sender), bench.amount
            )
    finally:
        await adapter.close()


async def test_another_networks_chain_is_not_believed(bench: Bench) -> None:
    signed = bench.sign(await bench.build())
    to = bench.adapter.address(bench.account, bench.receiver)
    adapter = CHAINS[bench.chain].from_settings(
        ChainSettings(network=Network.MAINNET, urls=(bench.runtime.url,))
    )
    try:
        with pytest.raises(ChainUnavailable):
            await adapter.balance(bench.account, bench.sender)
        with pytest.raises(ChainUnavailable):
            await adapter.broadcast(signed)
        with pytest.raises(ChainUnavailable):
            await adapter.status(signed.transaction_id)
        # Where addresses name their network, the address alone is refused already.
        with pytest.raises((ChainUnavailable, InvalidAddress)):
            await adapter.build_transaction(
                TransferIntent(account=bench.account, to_address=to, amount=bench.amount),
                bench.sender,
            )
    finally:
        await adapter.close()
    assert (await bench.adapter.status(signed.transaction_id)).state is InclusionState.UNKNOWN


async def test_a_closed_adapter_may_be_closed_again(bench: Bench) -> None:
    await bench.adapter.close()
    await bench.adapter.close()


async def test_what_one_transaction_consumes_is_not_built_into_another(bench: Bench) -> None:
    first = await bench.build()
    held = bench.adapter.consumes(first)
    assert held
    assert bench.adapter.consumes(first) == held
    to = bench.adapter.address(bench.account, bench.receiver)
    intent = TransferIntent(account=bench.account, to_address=to, amount=bench.amount)
    if bench.runtime.coins:
        # The only coin is held: there is nothing else to pay with.
        with pytest.raises(InsufficientFunds):
            await bench.adapter.build_transaction(intent, bench.sender, held)
        to_sender = bench.adapter.address(bench.account, bench.sender)
        await bench.adapter.request_faucet(to_sender, 10 * bench.amount)
    second = await bench.adapter.build_transaction(intent, bench.sender, held)
    assert not held & bench.adapter.consumes(second.transaction)


async def test_nothing_takes_the_place_of_itself(bench: Bench) -> None:
    transaction = await bench.build()
    assert bench.adapter.may_replace(transaction, transaction)


async def test_a_simulation_agrees_with_what_then_happens(bench: Bench) -> None:
    built = await bench.build()
    simulation = await bench.adapter.simulate(built, bench.sender)
    if not bench.runtime.simulates:
        assert simulation is None
        pytest.skip("no node of this chain simulates")
    assert simulation is not None
    assert simulation.failure == ""
    # Once the account is empty, the node foresees that the same bytes would fail.
    everything = bench.adapter.address(bench.account, bench.receiver)
    rest = TransferIntent(account=bench.account, to_address=everything, amount=0, everything=True)
    emptying = await bench.adapter.build_transaction(rest, bench.sender)
    await bench.adapter.broadcast(bench.sign(emptying.transaction))
    foreseen = await bench.adapter.simulate(built, bench.sender)
    assert foreseen is not None
    assert foreseen.failure


async def test_an_account_can_be_watched(bench: Bench) -> None:
    exported = bench.adapter.export_account(bench.account, bench.sender)
    assert exported
    assert exported != bench.adapter.export_account(bench.account, bench.receiver)


async def test_the_history_tells_what_was_paid(bench: Bench) -> None:
    signed = bench.sign(await bench.build())
    await bench.adapter.broadcast(signed)
    history = await bench.adapter.history(bench.account, bench.receiver)
    if not bench.runtime.history:
        assert history == ()
        pytest.skip("no node of this chain tells an account's history")
    (line,) = history
    assert (line.transaction_id, line.amount) == (signed.transaction_id, bench.amount)


async def test_more_haste_costs_at_least_as_much(bench: Bench) -> None:
    to = bench.adapter.address(bench.account, bench.receiver)
    ceilings = []
    for level in FeeLevel:
        intent = TransferIntent(
            account=bench.account, to_address=to, amount=bench.amount, fee_level=level
        )
        ceilings.append((await bench.adapter.build_transaction(intent, bench.sender)).fee_ceiling)
    assert ceilings == sorted(ceilings)


async def test_a_token_that_is_not_listed_is_not_sent(bench: Bench) -> None:
    to = bench.adapter.address(bench.account, bench.receiver)
    for asset in ("nothing", to):
        intent = TransferIntent(
            account=bench.account, to_address=to, amount=bench.amount, asset=asset
        )
        with pytest.raises((NotYetPossible, InvalidAddress)):
            await bench.adapter.build_transaction(intent, bench.sender)
        with pytest.raises((NotYetPossible, InvalidAddress)):
            await bench.adapter.balance(bench.account, bench.sender, asset)


async def test_what_a_chain_does_not_offer_is_refused_in_words(bench: Bench) -> None:
    abilities, account = bench.adapter.abilities, bench.account
    to = bench.adapter.address(account, bench.receiver)
    intents: dict[Ability, Intent] = {
        Ability.CALL: CallIntent(account=account, to_address=to, function="ping()", arguments=()),
        Ability.MESSAGE: MessageIntent(account, "hello"),
        Ability.DURABLE: DurableIntent(account),
    }
    for ability, intent in intents.items():
        if ability not in abilities:
            with pytest.raises(NotYetPossible):
                await bench.adapter.build_transaction(intent, bench.sender)
    transaction = await bench.build()
    if not bench.adapter.can_be_replaced(transaction):
        with pytest.raises(NotYetPossible):
            await bench.adapter.build_transaction(
                ReplaceIntent(account=account, transaction=transaction), bench.sender
            )


async def test_a_message_is_signed_without_a_chain(bench: Bench) -> None:
    if Ability.MESSAGE not in bench.adapter.abilities:
        pytest.skip("this chain signs no messages")
    intent = MessageIntent(bench.account, "I hold the keys of this account")
    built = await bench.adapter.build_transaction(intent, bench.sender)
    told = bench.adapter.describe(built.transaction, bench.sender)
    assert dict(told.fields)["Message"] == "I hold the keys of this account"
    assert (told.red_flags, told.amount.base_units, told.fee.base_units) == ((), 0, 0)
    assert told.from_address == bench.adapter.address(bench.account, bench.sender)
    assert bench.adapter.consumes(built.transaction) == frozenset()
    signed = bench.sign(built.transaction)
    assert signed.transaction_id.startswith(MESSAGE_ID)
    signatures = tuple(
        bench.receiver.sign(p) for p in bench.adapter.payloads(built.transaction, bench.sender)
    )
    with pytest.raises(TransactionError):
        bench.adapter.attach(built.transaction, signatures, bench.sender)


@pytest.fixture
async def tokens(bench: Bench) -> AsyncIterator[Bench]:
    """The same, with a token listed and in the sender's hands."""
    if bench.runtime.token is None:
        pytest.skip("this chain has no tokens")
    listed = (bench.runtime.token,)
    adapter = CHAINS[bench.chain].from_settings(
        ChainSettings(network=Network.DEVNET, urls=(bench.runtime.url,), assets=listed)
    )
    try:
        address = adapter.address(bench.account, bench.sender)
        await adapter.request_faucet(address, 5_000_000, listed[0].address)
        yield replace(bench, adapter=adapter)
    finally:
        await adapter.close()


async def test_a_listed_token_goes_from_intent_to_confirmation(tokens: Bench) -> None:
    adapter, asset = tokens.adapter, tokens.runtime.token
    assert asset is not None
    to = adapter.address(tokens.account, tokens.receiver)
    assert (await adapter.balance(tokens.account, tokens.receiver, asset.address)).base_units == 0
    intent = TransferIntent(
        account=tokens.account, to_address=to, amount=1_500_000, asset=asset.address
    )
    built = await adapter.build_transaction(intent, tokens.sender)
    told = adapter.describe(built.transaction, tokens.sender)
    assert (told.amount.text(), told.amount.unit) == ("1.500\u2009000", asset.unit)
    assert told.to_address == to
    assert told.red_flags == ()
    assert told.fee.base_units <= built.fee_ceiling
    simulation = await adapter.simulate(built.transaction, tokens.sender)
    assert simulation is not None
    assert simulation.failure == ""
    signed = tokens.sign(built.transaction)
    await adapter.broadcast(signed)
    assert (await adapter.status(signed.transaction_id)).state is InclusionState.CONFIRMED
    for holder, left in ((tokens.sender, 3_500_000), (tokens.receiver, 1_500_000)):
        balance = await adapter.balance(tokens.account, holder, asset.address)
        assert (balance.base_units, balance.unit) == (left, asset.unit)


async def test_a_node_that_does_not_list_the_token_does_not_name_its_unit(tokens: Bench) -> None:
    asset = tokens.runtime.token
    assert asset is not None
    to = tokens.adapter.address(tokens.account, tokens.receiver)
    intent = TransferIntent(
        account=tokens.account, to_address=to, amount=1_500_000, asset=asset.address
    )
    data = (await tokens.adapter.build_transaction(intent, tokens.sender)).transaction
    other = CHAINS[tokens.chain].from_settings(
        ChainSettings(network=Network.DEVNET, urls=(tokens.runtime.url,))
    )
    try:
        told = other.describe(data, tokens.sender)
    finally:
        await other.close()
    assert told.amount.unit != asset.unit
    assert any(asset.address in text for text in (*told.red_flags, *map(str, told.fields)))


async def test_no_flipped_bit_of_a_token_transfer_is_accepted(tokens: Bench) -> None:
    adapter, asset = tokens.adapter, tokens.runtime.token
    assert asset is not None
    to = adapter.address(tokens.account, tokens.receiver)
    intent = TransferIntent(
        account=tokens.account, to_address=to, amount=1_500_000, asset=asset.address
    )
    signed = tokens.sign((await adapter.build_transaction(intent, tokens.sender)).transaction)
    for place in range(0, len(signed.transaction), 5):
        changed = bytearray(signed.transaction)
        changed[place] ^= 1 << place % 8
        with pytest.raises((TransactionError, ChainUnavailable)):
            await adapter.broadcast(SignedTransaction(bytes(changed), signed.transaction_id))
    assert (await adapter.balance(tokens.account, tokens.receiver, asset.address)).base_units == 0


async def test_more_tokens_than_there_are_are_foreseen_to_fail(tokens: Bench) -> None:
    adapter, asset = tokens.adapter, tokens.runtime.token
    assert asset is not None
    to = adapter.address(tokens.account, tokens.receiver)
    intent = TransferIntent(
        account=tokens.account, to_address=to, amount=6_000_000, asset=asset.address
    )
    if tokens.runtime.counts_tokens:
        with pytest.raises(TransactionError):
            await adapter.build_transaction(intent, tokens.sender)
        pytest.skip("more tokens than there are cannot be built into a transfer here")
    data = (await adapter.build_transaction(intent, tokens.sender)).transaction
    simulation = await adapter.simulate(data, tokens.sender)
    assert simulation is not None
    assert simulation.failure


async def test_everything_is_the_balance_less_the_fee(bench: Bench) -> None:
    to = bench.adapter.address(bench.account, bench.receiver)
    intent = TransferIntent(account=bench.account, to_address=to, amount=0, everything=True)
    built = await bench.adapter.build_transaction(intent, bench.sender)
    told = bench.adapter.describe(built.transaction, bench.sender)
    assert told.red_flags == ()
    before = await bench.balance_of(bench.sender)
    assert told.amount.base_units == before - built.fee_ceiling
    await bench.adapter.broadcast(bench.sign(built.transaction))
    assert await bench.balance_of(bench.receiver) == told.amount.base_units
    # What the fee did not need stays, where fees are only limited beforehand.
    assert await bench.balance_of(bench.sender) <= built.fee_ceiling


async def test_everything_of_nothing_is_not_sent(bench: Bench) -> None:
    to = bench.adapter.address(bench.account, bench.sender)
    intent = TransferIntent(account=bench.account, to_address=to, amount=0, everything=True)
    with pytest.raises(InsufficientFunds):
        await bench.adapter.build_transaction(intent, bench.receiver)
