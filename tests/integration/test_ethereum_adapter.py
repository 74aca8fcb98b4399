"""The Ethereum adapter over time: nonce lanes, replacing, calls, typed data and a reorg."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from eth_account import Account as Library
from eth_account.messages import encode_defunct, encode_typed_data

from console.adapters.chains.ethereum.adapter import ACCOUNT, EthereumAdapter, nonce_name
from console.adapters.chains.ethereum.address import parse_address
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.adapters.rpc.json_rpc import JsonRpc
from console.application.errors import (
    ChainUnavailable,
    FeeTooLow,
    NonceConflict,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import (
    MESSAGE_ID,
    Asset,
    CallIntent,
    ImportIntent,
    InclusionState,
    MessageIntent,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from console.devnet.tokens import ETHEREUM_DOLLAR
from console.domain.values import Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey
from tests.unit.ethereum.drafts import Draft

ETHER = 10**18
CHAIN_ID = 131277322940537
"""Of every py-evm chain that eth-tester makes."""
DOLLAR = Asset(ETHEREUM_DOLLAR, "DUSD", 6)
SPENDER = "0x52908400098527886E0F7030069857D2E4169EE7"


@dataclass
class Desk:
    """A wallet with ten ether, a stranger to pay, and the devnet's levers."""

    adapter: EthereumAdapter
    rpc: JsonRpc
    url: str
    keys: SigningKey
    stranger: SigningKey

    @property
    def address(self) -> str:
        return self.adapter.address(ACCOUNT, self.keys)

    async def order(self, method: str, *params: object) -> None:
        await self.rpc.call(method, list(params), object)

    async def build(self, wei: int = ETHER, reserved: frozenset[str] = frozenset()) -> bytes:
        intent = TransferIntent(
            account=ACCOUNT, to_address=self.adapter.address(ACCOUNT, self.stranger), amount=wei
        )
        return (await self.adapter.build_transaction(intent, self.keys, reserved)).transaction

    async def call(self, function: str, *arguments: str, wei: int = 0) -> bytes:
        intent = CallIntent(
            account=ACCOUNT,
            to_address=ETHEREUM_DOLLAR,
            function=function,
            arguments=arguments,
            amount=wei,
        )
        return (await self.adapter.build_transaction(intent, self.keys)).transaction

    async def message(self, text: str) -> bytes:
        return (
            await self.adapter.build_transaction(MessageIntent(ACCOUNT, text), self.keys)
        ).transaction

    def sign(self, data: bytes) -> SignedTransaction:
        (payload,) = self.adapter.payloads(data, self.keys)
        return self.adapter.attach(data, (self.keys.sign(payload),), self.keys)

    async def send(self, data: bytes) -> SignedTransaction:
        signed = self.sign(data)
        await self.adapter.broadcast(signed)
        return signed

    async def state(self, signed: SignedTransaction) -> InclusionState:
        return (await self.adapter.status(signed.transaction_id)).state

    async def received(self) -> int:
        return (await self.adapter.balance(ACCOUNT, self.stranger)).base_units


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with served(build_app(SolanaDevnet(), EthereumDevnet())) as base:
        url = f"{base}/ethereum"
        adapter = EthereumAdapter(Network.DEVNET, (url,), (DOLLAR,), (SPENDER,))
        rpc = JsonRpc("the devnet", url)
        made = Desk(adapter, rpc, url, SigningKey(), SigningKey())
        await adapter.request_faucet(made.address, 10 * ETHER)
        await adapter.request_faucet(made.address, 5_000_000, ETHEREUM_DOLLAR)
        try:
            yield made
        finally:
            await rpc.close()
            await adapter.close()


async def test_each_open_request_has_a_nonce_of_its_own_and_gaps_are_filled(desk):
    first = await desk.build()
    held = desk.adapter.consumes(first)
    second = await desk.build(reserved=held)
    assert (held, desk.adapter.consumes(second)) == (
        frozenset({nonce_name(CHAIN_ID, 0)}),
        frozenset({nonce_name(CHAIN_ID, 1)}),
    )
    third = await desk.build(reserved=frozenset({nonce_name(CHAIN_ID, 0), nonce_name(CHAIN_ID, 2)}))
    assert desk.adapter.consumes(third) == frozenset({nonce_name(CHAIN_ID, 1)})


async def test_a_later_nonce_waits_for_the_earlier_one(desk):
    first = await desk.build()
    second = await desk.build(reserved=desk.adapter.consumes(first))
    with pytest.raises(ChainUnavailable, match="earlier transaction"):
        await desk.send(second)
    await desk.send(first)
    await desk.send(second)
    assert await desk.received() == 2 * ETHER


async def test_a_nonce_that_was_used_elsewhere_is_named_as_the_reason(desk):
    first, second = await desk.build(), await desk.build(2 * ETHER)
    await desk.send(first)
    with pytest.raises(NonceConflict):
        await desk.send(second)
    assert await desk.received() == ETHER


@pytest.mark.parametrize("cancel", [False, True])
async def test_what_waits_is_replaced_by_the_same_for_more_or_by_nothing(desk, cancel):
    await desk.order("devnet_automine", False)
    old = await desk.build()
    first = await desk.send(old)
    assert await desk.state(first) is InclusionState.PENDING
    built = await desk.adapter.build_transaction(
        ReplaceIntent(account=ACCOUNT, transaction=old, cancel=cancel), desk.keys
    )
    assert desk.adapter.may_replace(old, built.transaction) == ""
    assert desk.adapter.describe(built.transaction, desk.keys).red_flags == ()
    second = await desk.send(built.transaction)
    await desk.order("devnet_mine", 1)
    assert await desk.state(second) is InclusionState.CONFIRMED
    assert await desk.state(first) is InclusionState.UNKNOWN
    assert await desk.received() == (0 if cancel else ETHER)


async def test_a_replacement_that_is_a_little_dearer_is_refused_by_the_wallet_and_the_node(desk):
    await desk.order("devnet_automine", False)
    old = await desk.build()
    await desk.send(old)
    content = parse_transaction(old)
    dearer = replace(content, max_fee=content.max_fee * 105 // 100).encode()
    assert "a tenth higher" in desk.adapter.may_replace(old, dearer)
    with pytest.raises(FeeTooLow):
        await desk.send(dearer)


async def test_a_reorg_takes_a_confirmation_back(desk):
    await desk.order("devnet_finality", 2)
    await desk.order("devnet_mine", 1)
    data = await desk.build()
    signed = await desk.send(data)
    assert await desk.state(signed) is InclusionState.CONFIRMED
    assert not (await desk.adapter.status(signed.transaction_id)).settled
    assert not await desk.adapter.is_used_up(data, desk.keys)
    await desk.order("devnet_automine", False)
    await desk.order("devnet_reorg", 1)
    assert await desk.state(signed) is not InclusionState.CONFIRMED
    # Handing over again is harmless, whether the node kept it or not.
    await desk.adapter.broadcast(signed)
    await desk.order("devnet_mine", 1)
    assert await desk.state(signed) is InclusionState.CONFIRMED
    assert await desk.received() == ETHER
    await desk.order("devnet_mine", 2)
    assert (await desk.adapter.status(signed.transaction_id)).settled
    assert await desk.adapter.is_used_up(data, desk.keys)


async def test_an_allowance_for_a_trusted_contract_is_an_ordinary_call(desk):
    data = await desk.call("approve(address,uint256)", SPENDER, "1500000")
    told = desk.adapter.describe(data, desk.keys)
    assert (told.action, told.to_address, told.red_flags) == ("Approve", SPENDER, ())
    assert (told.amount.text(), told.amount.unit) == ("1.500\u2009000", "DUSD")
    signed = await desk.send(data)
    assert await desk.state(signed) is InclusionState.CONFIRMED


async def test_an_allowance_for_a_stranger_or_without_end_is_flagged(desk):
    stranger = desk.adapter.address(ACCOUNT, desk.stranger)
    data = await desk.call("approve(address,uint256)", stranger, "1")
    assert "trusted" in desk.adapter.describe(data, desk.keys).red_flags[0]
    data = await desk.call("approve(address,uint256)", SPENDER, str(2**256 - 1))
    assert "Unlimited" in desk.adapter.describe(data, desk.keys).red_flags[0]


async def test_an_unknown_function_is_flagged(desk):
    data = await desk.call("decimals()")
    (flag,) = desk.adapter.describe(data, desk.keys).red_flags
    assert "is not understood" in flag


async def test_a_call_that_would_fail_is_not_built(desk):
    stranger = desk.adapter.address(ACCOUNT, desk.stranger)
    with pytest.raises(TransactionRejected):
        await desk.call("transfer(address,uint256)", stranger, "6000000")
    with pytest.raises(TransactionRejected):
        await desk.call("noSuchFunction()")


async def test_a_personal_message_is_signed_as_the_library_verifies_it(desk):
    data = await desk.message("I hold the keys")
    signed = desk.sign(data)
    recovered = Library.recover_message(
        encode_defunct(text="I hold the keys"), signature=signed.transaction
    )
    assert recovered == desk.address
    assert signed.transaction_id.startswith(MESSAGE_ID)


def document(chain_id: int) -> dict[str, object]:
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {
            "name": "Devnet Dollar",
            "chainId": chain_id,
            "verifyingContract": ETHEREUM_DOLLAR,
        },
        "message": {
            "owner": "",
            "spender": SPENDER,
            "value": 5_000_000,
            "nonce": 0,
            "deadline": 1_900_000_000,
        },
    }


async def test_typed_data_is_decoded_and_signed_as_the_library_verifies_it(desk):
    chain_id = int(await desk.rpc.call("eth_chainId", [], str), 16)
    content = document(chain_id)
    content["message"]["owner"] = desk.address
    data = await desk.message(json.dumps(content))
    told = desk.adapter.describe(data, desk.keys)
    assert (told.action, told.to_address) == ("Permit", SPENDER)
    assert (told.amount.text(), told.red_flags) == ("5.000\u2009000", ())
    signed = desk.sign(data)
    recovered = Library.recover_message(
        encode_typed_data(full_message=content), signature=signed.transaction
    )
    assert recovered == desk.address


async def test_typed_data_for_a_public_chain_is_not_signed_on_a_devnet(desk):
    content = document(1)
    content["message"]["owner"] = desk.address
    with pytest.raises((TransactionError, UnknownTransaction), match="chain id 1"):
        await desk.message(json.dumps(content))


@pytest.mark.parametrize("text", ['{"a": 1}', "{", '{"types": {}, "types": {}}', "{" * 5_000])
async def test_what_looks_like_a_document_and_is_none_is_refused(desk, text):
    with pytest.raises((TransactionError, UnknownTransaction)):
        await desk.message(text)


async def imported(desk: Desk, text: str) -> bytes:
    return (
        await desk.adapter.build_transaction(ImportIntent(ACCOUNT, text), desk.keys)
    ).transaction


@pytest.mark.parametrize("form", ["legacy", "access-list", "0x"])
async def test_what_another_program_drafted_is_decoded_signed_and_accepted(desk, form):
    chain_id = int(await desk.rpc.call("eth_chainId", [], str), 16)
    to = parse_address(desk.adapter.address(ACCOUNT, desk.stranger))
    draft = Draft(chain_id, 0).pay(to, ETHER).gas(30_000)
    match form:
        case "legacy":
            data = draft.price(5 * 10**9, legacy=True).build()
        case "access-list":
            data = draft.price(5 * 10**9).access(AccessEntry(to, (bytes(32),))).build()
        case _:
            data = draft.fees(5 * 10**9, 10**9).build()
    text = ("0x" if form == "0x" else "") + data.hex()
    assert await imported(desk, f" {text[:20]}\n{text[20:]} ") == data
    told = desk.adapter.describe(data, desk.keys)
    assert (told.amount.base_units, told.red_flags) == (ETHER, ())
    signed = await desk.send(data)
    assert await desk.state(signed) is InclusionState.CONFIRMED
    assert await desk.received() == ETHER


@pytest.mark.parametrize("text", ["", "zz", "0x", "AA=A", "cHNidP8=", "00" * 200_000])
async def test_what_is_nothing_of_this_chain_is_not_imported(desk, text):
    with pytest.raises(TransactionError):
        await imported(desk, text)
