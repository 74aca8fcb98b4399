"""What a node's refusal means, and what can be replaced after one."""

import pytest

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.messages import build_message
from console.adapters.chains.ethereum.refusals import failure
from console.adapters.rpc.json_rpc import RpcError, RpcRefused
from console.application.errors import (
    FeeTooLow,
    InsufficientFunds,
    NonceConflict,
    TransactionImpossible,
    TransactionRejected,
)
from console.domain.values import Network
from tests.unit.ethereum.drafts import Draft

FRIEND = b"\x22" * 20


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("nonce too low: next nonce 8, tx nonce 7", NonceConflict),
        ("nonce too high", TransactionRejected),
        ("insufficient funds for gas * price + value", InsufficientFunds),
        ("Sender b'' cannot afford txn gas 1 with account balance 0", InsufficientFunds),
        ("replacement transaction underpriced", FeeTooLow),
        ("intrinsic gas too low", TransactionRejected),
    ],
)
def test_a_refusal_is_of_the_family_that_its_words_tell(words, family):
    told = failure(RpcRefused(RpcError(-32000, words)))
    assert type(told) is family
    # What is final ends a request: only a nonce that is used up is.
    assert isinstance(told, TransactionImpossible) == (family is NonceConflict)


def test_only_type_2_can_be_replaced():
    adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
    draft = Draft(31337, 7).pay(FRIEND, 1).gas(21_000)
    assert adapter.can_be_replaced(draft.fees(30, 1).build())
    assert not adapter.can_be_replaced(draft.price(30, legacy=True).build())
    assert not adapter.can_be_replaced(build_message(b"hello"))
