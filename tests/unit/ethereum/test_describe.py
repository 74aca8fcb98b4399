"""The description shows what the chain is told: chain, nonce, fees, and what is carried along."""

import hashlib

import pytest

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.describe import describe
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.signable import parse
from console.adapters.chains.ethereum.transaction import TransactionKind
from console.application.errors import InvalidAddress, UnknownTransaction
from console.domain.transaction import TransactionDescription
from tests.unit.ethereum.drafts import build_authorization
from tests.unit.ethereum.places import (
    CHAIN,
    CHAIN_ID,
    ETHER,
    FRIEND,
    GWEI,
    KEY,
    ME,
    PLACE,
    ROUTER,
    described,
    draft,
)
from tests.unit.ethereum.test_transaction import BLOB, authorized, drafts


def field(description: TransactionDescription, label: str) -> str:
    return dict(description.fields)[label]


def flagged(description: TransactionDescription, words: str) -> bool:
    return any(words in flag for flag in description.red_flags)


@pytest.mark.parametrize("kind", TransactionKind)
def test_what_every_transaction_shows(kind: TransactionKind) -> None:
    data = drafts()[kind].build()
    description = described(data)
    assert (description.chain, description.network) == (CHAIN, PLACE.network)
    assert description.from_address == checksummed(ME)
    assert description.to_address == checksummed(FRIEND)
    assert description.amount.base_units == 5
    assert description.digest == hashlib.sha256(data).digest()
    assert field(description, "Chain id") == str(CHAIN_ID)
    assert field(description, "Nonce") == "7"
    assert field(description, "Gas limit") == "100000"
    assert field(description, "Signing hash") == f"0x{parse(data, CHAIN_ID).signing_hash().hex()}"
    price = "Gas price" if kind < TransactionKind.DYNAMIC_FEE else "Maximum fee per gas"
    assert field(description, price).endswith(" gwei")
    assert bool(description.red_flags) == (kind is TransactionKind.SET_CODE)


def test_the_fee_is_the_most_that_can_be_charged() -> None:
    plain = described(draft().pay(FRIEND, 1).build())
    assert plain.fee.base_units == 100_000 * 30 * GWEI
    blobs = described(draft().pay(FRIEND, 1).blobs(7, BLOB).build())
    assert blobs.fee.base_units == 100_000 * 30 * GWEI + 131_072 * 7
    assert field(blobs, "Blob") == f"0x{BLOB.hex()}"


def test_a_cancellation_is_called_one() -> None:
    description = described(draft().cancel(ME).build())
    assert (description.action, description.red_flags) == ("Cancel", ())


def test_a_new_contract_is_flagged() -> None:
    description = described(draft().create(b"\x60\0", ETHER).build())
    assert description.action == "Create contract"
    assert not description.to_address
    assert flagged(description, "not understood")


def test_storage_that_is_announced_is_shown() -> None:
    entry = AccessEntry(ROUTER, (b"\1" * 32,))
    description = described(draft().pay(FRIEND, 1).access(entry).build())
    shown = f"{checksummed(ROUTER)}, 1 keys: 0x{'01' * 32}"
    assert field(description, "Access list 1") == shown
    many = (AccessEntry(ROUTER, ()),) * 400
    with pytest.raises(UnknownTransaction, match="more than can be shown"):
        described(draft().pay(FRIEND, 1).access(*many).build())


def test_authorisations_are_flagged() -> None:
    description = described(draft().pay(FRIEND, 1).authorize(authorized()).build())
    assert flagged(description, f"{checksummed(ME)} acts by {checksummed(ROUTER)}")
    assert flagged(description, "the account that signs this")
    everywhere = described(draft().pay(FRIEND, 1).authorize(authorized(KEY, 0)).build())
    assert flagged(everywhere, "valid on every chain")
    with pytest.raises(UnknownTransaction, match="for chain 5"):
        described(draft().pay(FRIEND, 1).authorize(authorized(KEY, 5)).build())


def test_an_authorisation_alone_is_described() -> None:
    description = described(build_authorization(CHAIN_ID, ROUTER, 3))
    assert description.action == "Authorise code"
    assert description.to_address == checksummed(ROUTER)
    assert flagged(description, "all rights")
    back = described(build_authorization(CHAIN_ID, bytes(20), 3))
    assert back.action == "Take back code"
    everywhere = b"\x05" + bytes.fromhex("d78094") + ROUTER + b"\x03"
    assert flagged(described(everywhere), "valid on every chain")
    with pytest.raises(UnknownTransaction, match="for chain 1"):
        described(build_authorization(1, ROUTER, 3))


def test_the_senders_address_is_checked() -> None:
    with pytest.raises(InvalidAddress):
        describe(draft().pay(FRIEND, 1).build(), "0x12", PLACE)


def test_bytes_that_nobody_signed_an_authorisation_with_are_refused() -> None:
    signed = authorized()
    broken = type(signed)(signed.content, type(signed.signature)(5, 5, 0))
    with pytest.raises(UnknownTransaction, match="no key signed"):
        described(draft().pay(FRIEND, 1).authorize(broken).build())
