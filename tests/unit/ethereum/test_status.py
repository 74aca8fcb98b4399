"""A chain's word is final only when it is deep enough, whether good or bad."""

import pytest

from console.adapters.chains.ethereum import adapter as adapter_module
from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.answers import Receipt
from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import TransactionError
from console.application.ports.chain import Inclusion, InclusionState, MessageIntent
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.ethereum.drafts import Draft

TRANSACTION = f"0x{'11' * 32}"
KEYS = SigningKey()
FAILURE = "the chain executed the transaction and it failed; only the fee was paid"


class Node:
    """Tells one receipt, at a height, and which block is final."""

    def __init__(self, status: str, block: int, height: int, final: int) -> None:
        self._receipt, self._height = Receipt(TRANSACTION, hex(block), status), height
        self._final = final

    async def chain_id(self) -> int:
        return 1

    async def receipt(self, _transaction_id: str) -> Receipt:
        return self._receipt

    async def height(self) -> int:
        return self._height

    async def final_height(self) -> int:
        return self._final

    async def final_nonce(self, _address: bytes) -> int:
        return self._final


@pytest.mark.parametrize(
    ("status", "height", "final", "expected"),
    [
        # A failure too waits for the block to be final: after a reorganisation it may succeed.
        ("0x0", 110, 99, Inclusion(InclusionState.PENDING, 100)),
        ("0x0", 111, 99, Inclusion(InclusionState.PENDING, 100)),
        ("0x0", 164, 100, Inclusion(InclusionState.FAILED, 100, FAILURE)),
        ("0x1", 110, 99, Inclusion(InclusionState.PENDING, 100)),
        ("0x1", 111, 99, Inclusion(InclusionState.CONFIRMED, 100, settled=False)),
        ("0x1", 1_000, 99, Inclusion(InclusionState.CONFIRMED, 100, settled=False)),
        ("0x1", 164, 100, Inclusion(InclusionState.CONFIRMED, 100, settled=True)),
        ("0x0", 99, 99, Inclusion(InclusionState.PENDING, 100)),
    ],
)
async def test_confirmed_is_settled_once_its_block_is_final(
    status, height, final, expected, monkeypatch
):
    monkeypatch.setattr(adapter_module, "EthereumNode", lambda *_: Node(status, 100, height, final))
    adapter = EthereumAdapter(Network.MAINNET, ("http://127.0.0.1:1",))
    assert await adapter.status(TRANSACTION) == expected


@pytest.mark.parametrize(("nonce", "used"), [(6, True), (7, False), (8, False)])
async def test_bytes_are_used_up_with_their_nonce(nonce, used, monkeypatch):
    monkeypatch.setattr(adapter_module, "EthereumNode", lambda *_: Node("0x1", 1, 1, 7))
    adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
    data = Draft(31337, nonce).pay(b"\x22" * 20, 1).gas(21_000).fees(2, 1).build()
    assert await adapter.is_used_up(data, KEYS) is used
    message = await adapter.build_transaction(MessageIntent(adapter.accounts[0], "text"), KEYS)
    assert not await adapter.is_used_up(message.transaction, KEYS)


def test_a_receipt_says_yes_or_no():
    answer = '{"transactionHash": "%s", "blockNumber": "0x1", "status": "%s"}'
    for status in ("0x0", "0x1"):
        assert strict_json((answer % (TRANSACTION, status)).encode(), Receipt).status == status
    for status in ("0x2", "0x", "0x01", "true"):
        with pytest.raises(MalformedJson):
            strict_json((answer % (TRANSACTION, status)).encode(), Receipt)


@pytest.mark.parametrize("text", ["half \ud800 a character", "\udfff", '{"a": "\ud800"}'])
async def test_half_a_character_is_refused_as_text(text):
    adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
    with pytest.raises(TransactionError):
        await adapter.build_transaction(MessageIntent(adapter.accounts[0], text), None)
