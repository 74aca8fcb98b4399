"""Every kind of Solana transaction, from intent to a block, against the real virtual machine."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import ACCOUNT, SolanaAdapter
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.message import parse_message
from console.adapters.chains.solana.node import MAX_UNIT_PRICE
from console.adapters.chains.solana.nonce import NONCE_ACCOUNTS
from console.adapters.chains.solana.planning import MOST_ALIKE
from console.adapters.chains.solana.replacing import replacement
from console.application.errors import (
    BlockhashExpired,
    ChainUnavailable,
    InsufficientFunds,
    InvalidAddress,
    NonceConflict,
    TransactionError,
    TransactionRejected,
)
from console.application.ports.chain import (
    Ability,
    Asset,
    BuiltTransaction,
    CallIntent,
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
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from console.domain.errors import NotYetPossible
from console.domain.values import Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey
from tests.unit.solana.messages import account_made, tokens_sent
from tests.unit.solana.nodes import mint as mint_data

COINS, TOKENS = 10**10, 10**9
BUSY = [1_000, 5_000, 50_000]
PRICES = {FeeLevel.ECONOMY: 1_000, FeeLevel.NORMAL: 5_000, FeeLevel.FAST: 5_000}


@dataclass
class Bench:
    """An adapter on the devnet, a sender with coins and two kinds of tokens, and a receiver."""

    chain: SolanaDevnet
    adapter: SolanaAdapter
    sender: SigningKey
    receiver: SigningKey
    url: str

    @property
    def to(self) -> str:
        return self.adapter.address(ACCOUNT, self.receiver)

    def asset(self, unit: str) -> str:
        return next((a.address for a in self.adapter.assets if a.unit == unit), "")

    def intent(
        self, unit: str = "", amount: int = 10**8, memo: str = "", *, durable: bool = False
    ) -> TransferIntent:
        return TransferIntent(
            account=ACCOUNT,
            to_address=self.to,
            amount=amount,
            memo=memo,
            asset=self.asset(unit),
            durable=durable,
        )

    async def build(
        self, intent: Intent, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        return await self.adapter.build_transaction(intent, self.sender, reserved)

    def sign(self, data: bytes) -> SignedTransaction:
        payloads = self.adapter.payloads(data, self.sender)
        return self.adapter.attach(data, tuple(map(self.sender.sign, payloads)), self.sender)

    async def run(self, intent: Intent) -> SignedTransaction:
        signed = self.sign((await self.build(intent)).transaction)
        await self.adapter.broadcast(signed)
        return signed

    async def has(self, key: SigningKey, unit: str = "") -> int:
        return (await self.adapter.balance(ACCOUNT, key, self.asset(unit))).base_units


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    chain = SolanaDevnet()
    mints = (
        Asset(str(chain.answer("devnet_createMint", ["USDQ", 6])), "USDQ", 6),
        Asset(str(chain.answer("devnet_createMint", ["QRT", 9, "token-2022"])), "QRT", 9),
    )
    async with served(build_app(chain, EthereumDevnet())) as url:
        socket = f"{url.replace('http', 'ws')}/solana/ws"
        adapter = SolanaAdapter(Network.DEVNET, (f"{url}/solana",), mints, socket)
        made = Bench(chain, adapter, SigningKey(), SigningKey(), f"{url}/solana")
        wallet = adapter.address(ACCOUNT, made.sender)
        try:
            await adapter.request_faucet(wallet, COINS)
            for mint in mints:
                await adapter.request_faucet(wallet, TOKENS, mint.address)
            yield made
        finally:
            await adapter.close()


UNITS = pytest.mark.parametrize("unit", ["", "USDQ", "QRT"])


@UNITS
@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("memo", ["", "Invoice 4711"])
async def test_a_transfer_does_what_was_shown(
    bench: Bench, unit: str, memo: str, durable: bool
) -> None:
    bench.chain.answer("devnet_setPrioritizationFees", BUSY)
    if durable:
        await bench.run(DurableIntent(ACCOUNT))
    built = await bench.build(bench.intent(unit, memo=memo, durable=durable))
    told = bench.adapter.describe(built.transaction, bench.sender)
    assert told.red_flags == ()
    assert told.to_address == bench.to
    assert (told.amount.base_units, told.amount.unit) == (10**8, unit or "SOL")
    assert told.fee.base_units > 5_000
    assert dict(told.fields).get("Memo", "") == memo
    assert told.digest == hashlib.sha256(built.transaction).digest()
    assert (built.valid_for_s is None) == durable
    coins, had = await bench.has(bench.sender), await bench.has(bench.sender, unit)
    foreseen = await bench.adapter.simulate(built.transaction, bench.sender)
    assert foreseen is not None
    assert foreseen.failure == ""
    signed = bench.sign(built.transaction)
    await bench.adapter.broadcast(signed)
    inclusion = await bench.adapter.status(signed.transaction_id)
    assert inclusion.state is InclusionState.CONFIRMED
    assert await bench.has(bench.receiver, unit) == 10**8
    spent = coins - await bench.has(bench.sender)
    if unit:
        assert had - await bench.has(bench.sender, unit) == 10**8
        # The receiver's account was missing: its deposit is part of what was quoted.
        assert told.fee.base_units < spent <= built.fee_ceiling
    else:
        assert spent == 10**8 + told.fee.base_units == 10**8 + built.fee_ceiling
    changes = {(change.address, change.unit): change.amount for change in foreseen.changes}
    assert changes[bench.to, unit or "SOL"] == 10**8
    assert changes[told.from_address, "SOL"] == -spent


@UNITS
@pytest.mark.parametrize("durable", [False, True])
async def test_no_flipped_bit_is_accepted(bench: Bench, unit: str, durable: bool) -> None:
    if durable:
        await bench.run(DurableIntent(ACCOUNT))
    signed = bench.sign((await bench.build(bench.intent(unit, durable=durable))).transaction)
    before = await bench.has(bench.sender)
    for place in range(0, len(signed.transaction), 7):
        changed = bytearray(signed.transaction)
        changed[place] ^= 1 << place % 8
        with pytest.raises((TransactionError, ChainUnavailable)):
            await bench.adapter.broadcast(SignedTransaction(bytes(changed), signed.transaction_id))
    assert await bench.has(bench.sender) == before
    assert await bench.has(bench.receiver, unit) == 0
    await bench.adapter.broadcast(signed)
    assert await bench.has(bench.receiver, unit) == 10**8


async def test_a_second_transfer_pays_no_deposit(bench: Bench) -> None:
    first = await bench.build(bench.intent("USDQ"))
    await bench.run(bench.intent("USDQ"))
    second = await bench.build(bench.intent("USDQ"))
    before = await bench.has(bench.sender)
    await bench.adapter.broadcast(bench.sign(second.transaction))
    assert before - await bench.has(bench.sender) == second.fee_ceiling == 5_000
    assert first.fee_ceiling - second.fee_ceiling == bench.chain.runtime.deposit(165)


@pytest.mark.parametrize("level", FeeLevel)
async def test_the_priority_fee_is_what_the_level_says(bench: Bench, level: FeeLevel) -> None:
    bench.chain.answer("devnet_setPrioritizationFees", BUSY)
    built = await bench.build(
        TransferIntent(account=ACCOUNT, to_address=bench.to, amount=10**8, fee_level=level)
    )
    told = bench.adapter.describe(built.transaction, bench.sender)
    assert dict(told.fields)["Compute unit price"] == str(PRICES[level])
    before = await bench.has(bench.sender)
    await bench.adapter.broadcast(bench.sign(built.transaction))
    assert before - await bench.has(bench.sender) == 10**8 + told.fee.base_units


async def test_a_node_cannot_make_transfers_dear(bench: Bench) -> None:
    bench.chain.answer("devnet_setPrioritizationFees", [10**12] * 3)
    built = await bench.build(bench.intent("USDQ", memo="m" * 180))
    assert bench.adapter.describe(built.transaction, bench.sender).fee.base_units <= 5_000_000


async def test_an_old_transfer_has_to_be_built_again(bench: Bench) -> None:
    signed = bench.sign((await bench.build(bench.intent("USDQ"))).transaction)
    bench.chain.expire_blockhash()
    with pytest.raises(BlockhashExpired):
        await bench.adapter.broadcast(signed)
    foreseen = await bench.adapter.simulate(signed.transaction[65:], bench.sender)
    assert foreseen is not None
    assert "BlockhashNotFound" in foreseen.failure


async def test_blockhashes_of_the_last_150_slots_are_taken(bench: Bench) -> None:
    signed = bench.sign((await bench.build(bench.intent())).transaction)
    late = bench.sign((await bench.build(bench.intent(amount=10**7))).transaction)
    for _ in range(149):
        bench.chain.answer("requestAirdrop", [bench.to, 10**6])
    await bench.adapter.broadcast(signed)
    bench.chain.answer("requestAirdrop", [bench.to, 10**6])
    with pytest.raises(BlockhashExpired):
        await bench.adapter.broadcast(late)


async def test_a_lasting_transfer_outlives_every_blockhash(bench: Bench) -> None:
    await bench.run(DurableIntent(ACCOUNT))
    signed = bench.sign((await bench.build(bench.intent(durable=True))).transaction)
    rival = bench.sign((await bench.build(bench.intent(amount=10**7, durable=True))).transaction)
    assert bench.adapter.consumes(signed.transaction[65:]) == bench.adapter.consumes(
        rival.transaction[65:]
    )
    for _ in range(300):
        bench.chain.expire_blockhash()
    await bench.adapter.broadcast(signed)
    for _ in range(2):
        bench.chain.expire_blockhash()
        await bench.adapter.broadcast(signed)  # repeating is harmless
    with pytest.raises(NonceConflict):
        await bench.adapter.broadcast(rival)
    assert await bench.has(bench.receiver) == 10**8
    again = await bench.build(bench.intent(durable=True))
    assert again.transaction != signed.transaction[65:]
    await bench.adapter.broadcast(bench.sign(again.transaction))
    assert await bench.has(bench.receiver) == 2 * 10**8


async def test_nonces_that_are_reserved_are_left_alone(bench: Bench) -> None:
    with pytest.raises(NotYetPossible, match="make one first"):
        await bench.build(bench.intent(durable=True))
    made = await bench.build(DurableIntent(ACCOUNT))
    # A nonce that another request is making is not made twice.
    other = await bench.build(DurableIntent(ACCOUNT), bench.adapter.consumes(made.transaction))
    assert not bench.adapter.consumes(made.transaction) & bench.adapter.consumes(other.transaction)
    await bench.adapter.broadcast(bench.sign(made.transaction))
    durable = await bench.build(bench.intent(durable=True))
    held = bench.adapter.consumes(durable.transaction)
    with pytest.raises(NotYetPossible, match="make one first"):
        await bench.build(bench.intent(durable=True), held)
    # Once it is used, the account has another value, which nobody holds.
    await bench.adapter.broadcast(bench.sign(durable.transaction))
    again = await bench.build(bench.intent(durable=True), held)
    assert not held & bench.adapter.consumes(again.transaction)


async def test_a_wallet_has_four_nonces_that_wait_at_once(bench: Bench) -> None:
    for _ in range(NONCE_ACCOUNTS):
        await bench.run(DurableIntent(ACCOUNT))
    with pytest.raises(NotYetPossible, match="all of its 4"):
        await bench.build(DurableIntent(ACCOUNT))
    waiting: list[SignedTransaction] = []
    reserved: frozenset[str] = frozenset()
    for _ in range(NONCE_ACCOUNTS):
        built = await bench.build(bench.intent("USDQ", durable=True), reserved)
        reserved |= bench.adapter.consumes(built.transaction)
        waiting.append(bench.sign(built.transaction))
    assert len(reserved) == NONCE_ACCOUNTS
    with pytest.raises(NotYetPossible):
        await bench.build(bench.intent(durable=True), reserved)
    for signed in reversed(waiting):
        bench.chain.expire_blockhash()
        await bench.adapter.broadcast(signed)
    assert await bench.has(bench.receiver, "USDQ") == NONCE_ACCOUNTS * 10**8


@UNITS
async def test_the_same_transfer_may_wait_twice(bench: Bench, unit: str) -> None:
    reserved: frozenset[str] = frozenset()
    waiting = []
    for _ in range(MOST_ALIKE):
        built = await bench.build(bench.intent(unit, 10**7), reserved)
        assert not bench.adapter.consumes(built.transaction) & reserved
        assert bench.adapter.describe(built.transaction, bench.sender).red_flags == ()
        reserved |= bench.adapter.consumes(built.transaction)
        waiting.append(bench.sign(built.transaction))
    with pytest.raises(NotYetPossible, match="new blockhash"):
        await bench.build(bench.intent(unit, 10**7), reserved)
    for signed in waiting:
        await bench.adapter.broadcast(signed)
    assert await bench.has(bench.receiver, unit) == MOST_ALIKE * 10**7


async def test_coins_at_a_nonces_address_do_not_stop_the_next(bench: Bench) -> None:
    first = await bench.build(DurableIntent(ACCOUNT))
    address = bench.adapter.describe(first.transaction, bench.sender).to_address
    await bench.adapter.request_faucet(address, 10**7)
    await bench.run(DurableIntent(ACCOUNT))
    built = await bench.build(bench.intent(durable=True))
    assert dict(bench.adapter.describe(built.transaction, bench.sender).fields)[
        "Durable nonce"
    ] not in {"", address}


@UNITS
async def test_more_than_there_is_cannot_be_sent(bench: Bench, unit: str) -> None:
    built = await bench.build(bench.intent(unit, 10**12))
    foreseen = await bench.adapter.simulate(built.transaction, bench.sender)
    assert foreseen is not None
    assert foreseen.failure == "the account cannot pay the amount and the fee"
    with pytest.raises(InsufficientFunds):
        await bench.adapter.broadcast(bench.sign(built.transaction))


async def test_a_failure_in_a_block_is_told(bench: Bench) -> None:
    signed = bench.sign((await bench.build(bench.intent("USDQ", 10**12))).transaction)
    encoded = base64.b64encode(signed.transaction).decode()
    bench.chain.answer("sendTransaction", [encoded, {"skipPreflight": True}])
    inclusion = await bench.adapter.status(signed.transaction_id)
    assert inclusion.state is InclusionState.FAILED
    assert "only the fee" in inclusion.reason


async def test_the_history_tells_what_moved(bench: Bench) -> None:
    await bench.run(bench.intent("USDQ"))
    newest = await bench.run(bench.intent())
    moved = await bench.adapter.history(ACCOUNT, bench.sender)
    assert (moved[0].transaction_id, moved[0].amount) == (newest.transaction_id, -(10**8) - 5_000)
    assert moved[0].block > moved[-1].block > 0
    assert moved[0].at_ms is not None
    assert [m.amount for m in moved if m.unit == "USDQ"] == [-(10**8), TOKENS]
    theirs = await bench.adapter.history(ACCOUNT, bench.receiver)
    assert [(m.amount, m.unit) for m in theirs] == [(10**8, "SOL"), (10**8, "USDQ")]
    assert await bench.adapter.history(ACCOUNT, SigningKey()) == ()


async def test_what_is_not_offered_is_said(bench: Bench) -> None:
    for intent in (
        CallIntent(account=ACCOUNT, to_address=bench.to, function="name()", arguments=()),
        MessageIntent(ACCOUNT, "hello"),
        TransferIntent(account=ACCOUNT, to_address=bench.to, amount=5, asset=bench.to),
    ):
        with pytest.raises(NotYetPossible):
            await bench.build(intent)
    with pytest.raises(NotYetPossible):
        await bench.adapter.balance(ACCOUNT, bench.sender, bench.to)
    assert bench.adapter.abilities == {Ability.MEMO, Ability.DURABLE}


@pytest.mark.parametrize("cancel", [False, True], ids=["speed-up", "cancel"])
async def test_of_two_that_share_a_durable_nonce_the_chain_takes_one(
    bench: Bench, cancel: bool
) -> None:
    bench.chain.answer("devnet_setPrioritizationFees", BUSY)
    await bench.run(DurableIntent(ACCOUNT))
    old = (await bench.build(bench.intent(memo="Invoice", durable=True))).transaction
    built = await bench.build(ReplaceIntent(account=ACCOUNT, transaction=old, cancel=cancel))
    assert bench.adapter.may_replace(old, built.transaction) == ""
    assert built.valid_for_s is None
    told = bench.adapter.describe(built.transaction, bench.sender)
    assert told.red_flags == ()
    assert told.fee.base_units <= built.fee_ceiling
    new = bench.sign(built.transaction)
    await bench.adapter.broadcast(new)
    inclusion = await bench.adapter.status(new.transaction_id)
    assert inclusion.state is InclusionState.CONFIRMED
    assert await bench.has(bench.receiver) == (0 if cancel else 10**8)
    with pytest.raises(NonceConflict):
        await bench.adapter.broadcast(bench.sign(old))
    assert await bench.has(bench.receiver) == (0 if cancel else 10**8)


async def test_what_offers_the_most_already_is_not_sped_up(bench: Bench) -> None:
    await bench.run(DurableIntent(ACCOUNT))
    old = (await bench.build(bench.intent(durable=True))).transaction
    dear = replacement(parse_message(old), MAX_UNIT_PRICE, cancel=False)
    with pytest.raises(NotYetPossible, match="the most"):
        await bench.build(ReplaceIntent(account=ACCOUNT, transaction=dear))
    assert (
        await bench.build(ReplaceIntent(account=ACCOUNT, transaction=dear, cancel=True))
    ).transaction


async def test_a_recent_blockhash_runs_out_by_itself(bench: Bench) -> None:
    old = (await bench.build(bench.intent())).transaction
    assert not bench.adapter.can_be_replaced(old)
    with pytest.raises(NotYetPossible, match="durable nonce"):
        await bench.build(ReplaceIntent(account=ACCOUNT, transaction=old))


@pytest.mark.parametrize("unit", ["USDQ", "QRT"])
async def test_impossible_tokens_are_not_built(bench: Bench, unit: str) -> None:
    for amount in (0, -1, 1 << 64):
        with pytest.raises(TransactionError):
            await bench.build(bench.intent(unit, amount))
    mint = bench.asset(unit)
    with pytest.raises(InvalidAddress):
        await bench.build(TransferIntent(account=ACCOUNT, to_address="0x00", amount=5, asset=mint))


async def _import(bench: Bench, *instructions: Instruction) -> tuple[BuiltTransaction, int]:
    """Import a draft of the sender and run it; return it and what it took from the balance."""
    wallet = Pubkey.from_string(bench.adapter.address(ACCOUNT, bench.sender))
    message = Message.new_with_blockhash(
        list(instructions), wallet, bench.chain.runtime.blockhash()
    )
    built = await bench.build(ImportIntent(ACCOUNT, bytes(message).hex()))
    assert bench.adapter.describe(built.transaction, bench.sender).red_flags == ()
    coins = await bench.has(bench.sender)
    signed = bench.sign(built.transaction)
    await bench.adapter.broadcast(signed)
    inclusion = await bench.adapter.status(signed.transaction_id)
    assert inclusion.state is InclusionState.CONFIRMED
    return built, coins - await bench.has(bench.sender)


@UNITS
async def test_a_programs_own_account_gets_what_is_sent(bench: Bench, unit: str) -> None:
    vault, _ = Pubkey.find_program_address([b"vault"], programs.STAKE)
    intent = replace(bench.intent(unit), to_address=str(vault))
    await bench.run(intent)
    if unit:
        program = programs.TOKEN if unit == "USDQ" else programs.TOKEN_2022
        account = token_account(vault, Pubkey.from_string(bench.asset(unit)), program)
        told = bench.chain.answer("getTokenAccountBalance", [str(account)])
        assert told["value"]["amount"] == str(10**8)  # type: ignore[index]
    else:
        assert bench.chain.answer("getBalance", [str(vault)])["value"] == 10**8  # type: ignore[index]


@pytest.mark.parametrize("unit", ["USDQ", "QRT"])
async def test_an_imported_transfer_to_an_account_that_exists_names_its_owner(
    bench: Bench, unit: str
) -> None:
    await bench.run(bench.intent(unit))
    program = programs.TOKEN if unit == "USDQ" else programs.TOKEN_2022
    mint, decimals = Pubkey.from_string(bench.asset(unit)), 6 if unit == "USDQ" else 9
    wallet = Pubkey.from_string(bench.adapter.address(ACCOUNT, bench.sender))
    moved = tokens_sent(
        7,
        decimals,
        token_account(Pubkey.from_string(bench.to), mint, program),
        token_account(wallet, mint, program),
        mint,
        program,
        wallet,
    )
    metas = [AccountMeta(m.pubkey, m.pubkey == wallet, m.is_writable) for m in moved.accounts]
    draft = Instruction(program, bytes(moved.data), metas)
    built, took = await _import(bench, draft)
    assert bench.adapter.describe(built.transaction, bench.sender).to_address == bench.to
    assert (await bench.has(bench.receiver, unit), took) == (10**8 + 7, 5_000)


async def test_coins_are_wrapped_as_a_draft_says(bench: Bench) -> None:
    wallet = Pubkey.from_string(bench.adapter.address(ACCOUNT, bench.sender))
    coin = programs.WRAPPED[programs.TOKEN]
    bench.chain.runtime.put(coin, Account(10**9, mint_data(9), programs.TOKEN))
    account = token_account(wallet, coin, programs.TOKEN)
    made = account_made(wallet, coin, payer=wallet)
    metas = [AccountMeta(m.pubkey, m.pubkey == wallet, m.is_writable) for m in made.accounts]
    counted = Instruction(programs.TOKEN, b"\x11", [AccountMeta(account, False, True)])
    sent = transfer(TransferParams(from_pubkey=wallet, to_pubkey=account, lamports=10**8))
    built, took = await _import(
        bench, Instruction(made.program_id, bytes(made.data), metas), sent, counted
    )
    assert took == 10**8 + built.fee_ceiling
    told = bench.chain.answer("getTokenAccountBalance", [str(account)])
    assert told["value"]["amount"] == str(10**8)  # type: ignore[index]


async def test_what_would_be_lost_is_not_built(bench: Bench) -> None:
    await bench.run(DurableIntent(ACCOUNT))
    nonce = bench.adapter.describe(
        (await bench.build(DurableIntent(ACCOUNT), frozenset())).transaction, bench.sender
    ).to_address
    await bench.run(DurableIntent(ACCOUNT))
    mint = bench.asset("USDQ")
    for address, asset in ((mint, ""), (mint, mint), (nonce, ""), (str(programs.MEMO), "")):
        with pytest.raises(InvalidAddress):
            await bench.build(
                TransferIntent(account=ACCOUNT, to_address=address, amount=5, asset=asset)
            )


async def test_a_listed_token_must_be_the_one_of_the_chain(bench: Bench) -> None:
    listed = (Asset(bench.asset("USDQ"), "USDQ", 9), Asset(bench.to, "ZZZ", 6))
    async with served(build_app(bench.chain, EthereumDevnet())) as url:
        adapter = SolanaAdapter(Network.DEVNET, (f"{url}/solana",), listed)
        try:
            for asset, why in ((listed[0], "decimals"), (listed[1], "no mint")):
                intent = TransferIntent(
                    account=ACCOUNT, to_address=bench.to, amount=5, asset=asset.address
                )
                with pytest.raises(ChainUnavailable, match=why):
                    await adapter.build_transaction(intent, bench.sender)
        finally:
            await adapter.close()


async def test_the_faucet_refuses_tokens_that_it_cannot_give(bench: Bench) -> None:
    for mint, amount in ((bench.to, 5), (bench.asset("USDQ"), 0), (bench.asset("USDQ"), 1 << 64)):
        with pytest.raises(TransactionRejected):
            await bench.adapter.request_faucet(bench.to, amount, mint)


@pytest.mark.parametrize("socket", ["ws://127.0.0.1:1", "http://127.0.0.1:1/x", "nonsense"])
async def test_a_websocket_that_is_of_no_use_costs_nothing_but_the_wait(
    bench: Bench, socket: str
) -> None:
    url = bench.url
    adapter = SolanaAdapter(Network.DEVNET, (url,), (), socket)
    try:
        built = await adapter.build_transaction(bench.intent(), bench.sender)
        signed = bench.sign(built.transaction)
        await adapter.broadcast(signed)
        assert (await adapter.status(signed.transaction_id)).state is InclusionState.CONFIRMED
        assert (await adapter.status("1" * 64)).state is InclusionState.UNKNOWN
    finally:
        await adapter.close()
