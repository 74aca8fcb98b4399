"""A chain's word is final only when it is deep enough, whether good or bad."""

import pytest

from console.adapters.chains.ethereum import adapter as adapter_module
from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.answers import Receipt
from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import TransactionError
from console.application.ports.chain import InclusionState, MessageIntent
from console.domain.values import Network

TRANSACTION = f"0x{'11' * 32}"


class Node:
    """Tells one receipt, at a height."""

    def __init__(self, status: str, block: int, height: int) -> None:
        self._receipt, self._height = Receipt(TRANSACTION, hex(block), status), height

    async def chain_id(self) -> int:
        return 1

    async def receipt(self, _transaction_id: str) -> Receipt:
        return self._receipt

    async def height(self) -> int:
        return self._height


@pytest.mark.parametrize(
    ("status", "height", "state"),
    [
        ("0x0", 100, InclusionState.PENDING),
        ("0x0", 110, InclusionState.PENDING),
        ("0x0", 111, InclusionState.FAILED),
        ("0x1", 110, InclusionState.PENDING),
        ("0x1", 111, InclusionState.CONFIRMED),
        ("0x0", 99, InclusionState.PENDING),
    ],
)
async def test_a_failure_counts_when_no_reorganisation_can_undo_it(
    status, height, state, monkeypatch
):
    monkeypatch.setattr(adapter_module, "EthereumNode", lambda *_: Node(status, 100, height))
    adapter = EthereumAdapter(Network.MAINNET, ("http://127.0.0.1:1",))
    assert (await adapter.status(TRANSACTION)).state is state


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
