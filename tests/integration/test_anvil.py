"""The Ethereum adapter against anvil, where it is on PATH: another implementation of the chain."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from console.adapters.chains.ethereum.adapter import ACCOUNT, EthereumAdapter
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.adapters.rpc.json_rpc import JsonRpc
from console.application.errors import AdapterError, ChainUnavailable, FeeTooLow
from console.application.ports.chain import (
    InclusionState,
    ReplaceIntent,
    SignedTransaction,
    TransferIntent,
)
from console.domain.values import Network
from tests.contract.keys import SigningKey

ETHER = 10**18
ANVIL = shutil.which("anvil")
pytestmark = pytest.mark.skipif(ANVIL is None, reason="anvil is not on PATH")


@dataclass
class Anvil:
    """A node that mines when it is told, and a wallet with ten ether."""

    adapter: EthereumAdapter
    rpc: JsonRpc
    sender: SigningKey
    receiver: SigningKey

    async def build(self, wei: int = ETHER, reserved: frozenset[str] = frozenset()) -> bytes:
        to = self.adapter.address(ACCOUNT, self.receiver)
        intent = TransferIntent(account=ACCOUNT, to_address=to, amount=wei)
        built = await self.adapter.build_transaction(intent, self.sender, reserved)
        return built.transaction

    def sign(self, data: bytes) -> SignedTransaction:
        (payload,) = self.adapter.payloads(data, self.sender)
        return self.adapter.attach(data, (self.sender.sign(payload),), self.sender)

    async def mine(self) -> None:
        await self.rpc.call("evm_mine", [], object)

    async def state(self, signed: SignedTransaction) -> InclusionState:
        return (await self.adapter.status(signed.transaction_id)).state

    async def received(self) -> int:
        return (await self.adapter.balance(ACCOUNT, self.receiver)).base_units


@pytest.fixture
async def anvil() -> AsyncIterator[Anvil]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(ANVIL),
        *("--host", "127.0.0.1", "--port", str(port), "--no-mining", "--silent"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    rpc = JsonRpc("anvil", url)
    adapter = EthereumAdapter(Network.DEVNET, (url,))
    bench = Anvil(adapter, rpc, SigningKey(), SigningKey())
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    await rpc.call("eth_chainId", [], str)
                    break
                except ChainUnavailable:
                    await asyncio.sleep(0.05)
        funded = adapter.address(ACCOUNT, bench.sender)
        await rpc.call("anvil_setBalance", [funded, hex(10 * ETHER)], object)
        yield bench
    finally:
        await adapter.close()
        await rpc.close()
        process.terminate()
        await process.wait()


async def test_a_transfer_is_accepted_and_confirmed(anvil):
    signed = anvil.sign(await anvil.build())
    await anvil.adapter.broadcast(signed)
    await anvil.adapter.broadcast(signed)
    assert await anvil.state(signed) is InclusionState.PENDING
    await anvil.mine()
    assert await anvil.state(signed) is InclusionState.CONFIRMED
    assert await anvil.received() == ETHER


async def test_no_flipped_bit_is_accepted(anvil):
    signed = anvil.sign(await anvil.build())
    for place in range(0, len(signed.transaction), 7):
        changed = bytearray(signed.transaction)
        changed[place] ^= 1 << place % 8
        with pytest.raises(AdapterError):
            await anvil.adapter.broadcast(SignedTransaction(bytes(changed), signed.transaction_id))
    await anvil.mine()
    assert await anvil.received() == 0


async def test_a_simulation_tells_the_balances_that_change(anvil):
    simulation = await anvil.adapter.simulate(await anvil.build(3 * ETHER), anvil.sender)
    changes = {change.address: change.amount for change in simulation.changes}
    assert simulation.failure == ""
    assert changes[anvil.adapter.address(ACCOUNT, anvil.receiver)] == 3 * ETHER
    assert changes[anvil.adapter.address(ACCOUNT, anvil.sender)] == -3 * ETHER
    poor = await anvil.adapter.simulate(await anvil.build(), anvil.receiver)
    assert poor.failure


@pytest.mark.parametrize("cancel", [False, True])
async def test_what_waits_is_replaced_by_the_same_for_more_or_by_nothing(anvil, cancel):
    old = await anvil.build()
    first = anvil.sign(old)
    await anvil.adapter.broadcast(first)
    intent = ReplaceIntent(account=ACCOUNT, transaction=old, cancel=cancel)
    built = await anvil.adapter.build_transaction(intent, anvil.sender)
    assert anvil.adapter.may_replace(old, built.transaction) == ""
    second = anvil.sign(built.transaction)
    await anvil.adapter.broadcast(second)
    await anvil.mine()
    assert await anvil.state(second) is InclusionState.CONFIRMED
    assert await anvil.state(first) is InclusionState.UNKNOWN
    assert await anvil.received() == (0 if cancel else ETHER)


async def test_the_next_nonce_follows_what_waits(anvil):
    await anvil.adapter.broadcast(anvil.sign(await anvil.build()))
    data = await anvil.build()
    assert anvil.adapter.consumes(data) == frozenset({"nonce:31337:1"})
    await anvil.adapter.broadcast(anvil.sign(data))
    await anvil.mine()
    assert await anvil.received() == 2 * ETHER


async def test_another_transaction_of_the_same_nonce_and_fee_is_not_taken(anvil):
    old = await anvil.build()
    await anvil.adapter.broadcast(anvil.sign(old))
    other = replace(parse_transaction(old), value=2 * ETHER).encode()
    with pytest.raises(FeeTooLow):
        await anvil.adapter.broadcast(anvil.sign(other))
    await anvil.mine()
    assert await anvil.received() == ETHER
