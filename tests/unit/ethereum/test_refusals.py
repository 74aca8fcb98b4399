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
from tests.unit.ethereum.refusal_texts import TEXTS

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


EVERY = [
    (client, family, words)
    for client, families in TEXTS.items()
    for family, texts in families.items()
    for words in texts
]


@pytest.mark.parametrize(("client", "family", "words"), EVERY)
def test_every_refusal_of_the_five_clients_is_of_its_family(client, family, words):
    for text in (words, words.upper(), f"call failed: {words}"):
        told = failure(RpcRefused(RpcError(-32000, text)))
        assert type(told) is family, client
        # A refusal that is taken for final frees the nonce while the bytes can still be executed.
        assert isinstance(told, TransactionImpossible) == (family is NonceConflict)


def test_every_client_has_words_for_each_family():
    assert len(TEXTS) == 5
    families = {NonceConflict, InsufficientFunds, FeeTooLow, TransactionRejected}
    assert all(set(found) == families for found in TEXTS.values())


def test_only_type_2_can_be_replaced():
    adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
    draft = Draft(31337, 7).pay(FRIEND, 1).gas(21_000)
    assert adapter.can_be_replaced(draft.fees(30, 1).build())
    assert not adapter.can_be_replaced(draft.price(30, legacy=True).build())
    assert not adapter.can_be_replaced(build_message(b"hello"))
