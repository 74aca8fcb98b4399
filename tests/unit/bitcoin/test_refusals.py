"""What Bitcoin Core's refusal means, and what can be replaced after one."""

import pytest

from console.adapters.chains.bitcoin.accounts import RECEIVE, KeyPosition, script_at
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.message import build_message
from console.adapters.chains.bitcoin.refusals import failure
from console.adapters.chains.bitcoin.signable import can_be_replaced
from console.application.errors import (
    FeeTooLow,
    TransactionImpossible,
    TransactionRejected,
)
from tests.unit.bitcoin.changes import with_sequence
from tests.unit.bitcoin.test_message import KEYS, NETWORK
from tests.unit.bitcoin.test_replacing import each_account, payment


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("bad-txns-inputs-missingorspent", TransactionRejected),
        ("txn-mempool-conflict", TransactionRejected),
        ("insufficient fee, rejecting replacement", FeeTooLow),
        ("min relay fee not met", FeeTooLow),
        ("dust", TransactionRejected),
    ],
)
def test_a_refusal_is_of_the_family_that_its_words_tell(words, family):
    told = failure(words)
    assert type(told) is family
    # No refusal is final by its words alone.
    assert not isinstance(told, TransactionImpossible)


@each_account
def test_every_transaction_can_be_replaced_and_no_message(account):
    assert can_be_replaced(payment(account))
    assert can_be_replaced(with_sequence(payment(account), 0xFFFF_FFFF))
    owner = address_of(script_at(account, KEYS, KeyPosition(RECEIVE, 0)), NETWORK)
    assert not can_be_replaced(build_message(owner, "hello", NETWORK))
