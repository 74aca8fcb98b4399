"""What may take the place of a message that waits with its durable nonce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey

from console.adapters.chains.solana.build import (
    MessageTerms,
    MintFacts,
    build_token_transfer,
    build_transfer,
)
from console.adapters.chains.solana.message import parse_message
from console.adapters.chains.solana.node import MAX_UNIT_PRICE
from console.adapters.chains.solana.nonce import DurableNonce, advance, consumed, nonce_address
from console.adapters.chains.solana.programs import TOKEN
from console.adapters.chains.solana.replacing import (
    is_replaceable,
    replacement,
    unit_price,
    why_not_replaced,
)
from console.application.errors import UnknownTransaction
from tests.unit.solana.messages import FRIEND, ME, MINT, RECENT, STRANGER, described, message, paid

NONCE = DurableNonce(nonce_address(ME, 0), ME, Hash(bytes(range(1, 33))))
LATER = DurableNonce(NONCE.account, ME, RECENT)
PRICES = st.integers(5_001, MAX_UNIT_PRICE)
NEITHER = "neither the same"


def waiting(price: int = 5_000, memo: str = "", amount: int = 5) -> bytes:
    return build_transfer(ME, FRIEND, amount, memo, MessageTerms(NONCE, price))


def tokens(price: int = 5_000) -> bytes:
    return build_token_transfer(
        ME, FRIEND, 5, "Invoice", MintFacts(MINT, TOKEN, 6), MessageTerms(NONCE, price)
    )


def replaced(old: bytes, price: int, *, cancel: bool = False) -> bytes:
    return replacement(parse_message(old), price, cancel=cancel)


def versioned(*instructions: Instruction) -> bytes:
    return to_bytes_versioned(MessageV0.try_compile(ME, list(instructions), [], NONCE.value))


OLD = [waiting(), waiting(0), waiting(memo="Invoice"), tokens(), tokens(0)]


@pytest.mark.parametrize("old", [*OLD, versioned(advance(NONCE), paid())])
@given(price=PRICES)
def test_the_same_at_a_higher_price_takes_its_place(old: bytes, price: int) -> None:
    new = replaced(old, price)
    assert why_not_replaced(old, new) == ""
    assert unit_price(parse_message(new)) == price
    assert consumed(new) == consumed(old)
    before, after = described(old), described(new)
    assert after.red_flags == before.red_flags == ()
    for same in ("action", "to_address", "amount", "from_address"):
        assert getattr(after, same) == getattr(before, same)
    assert after.fee.base_units > before.fee.base_units
    # A replacement of the replacement is the same as one of the first.
    assert replaced(new, price + 1) == replaced(old, price + 1)


def test_a_higher_price_is_all_that_changes_in_what_this_product_builds() -> None:
    assert replaced(waiting(5_000), 6_000) == waiting(6_000)
    assert replaced(tokens(5_000), 6_000) == tokens(6_000)


@pytest.mark.parametrize("old", [*OLD, versioned(advance(NONCE), paid())])
@pytest.mark.parametrize("price", [0, 1, 9_000])
def test_the_use_of_the_nonce_alone_takes_its_place(old: bytes, price: int) -> None:
    new = replaced(old, price, cancel=True)
    assert why_not_replaced(old, new) == ""
    told = described(new)
    assert (told.action, told.to_address, told.amount.base_units) == ("Cancel", str(ME), 0)
    assert told.red_flags == ()
    assert dict(told.fields)["Durable nonce"] == str(NONCE.account)
    assert consumed(new) == consumed(old)
    # What cancels may have to be priced higher itself.
    assert why_not_replaced(new, replaced(new, price + 1_000)) == ""


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (waiting(), NEITHER),
        (waiting(4_999), NEITHER),
        (waiting(6_000, amount=6), NEITHER),
        (waiting(6_000, memo="other"), NEITHER),
        (build_transfer(ME, STRANGER, 5, "", MessageTerms(NONCE, 6_000)), NEITHER),
        (message(paid()), "not use the same"),
        (build_transfer(ME, FRIEND, 5, "", MessageTerms(LATER, 6_000)), "not use the same"),
    ],
)
def test_nothing_else_takes_its_place(new: bytes, why: str) -> None:
    assert why in why_not_replaced(waiting(), new)


@pytest.mark.parametrize(
    "old",
    [
        message(paid()),
        build_transfer(ME, FRIEND, 5, "", MessageTerms(RECENT)),
        build_transfer(
            ME, FRIEND, 5, "", MessageTerms(DurableNonce(NONCE.account, STRANGER, NONCE.value))
        ),
    ],
)
def test_only_what_waits_with_the_payers_durable_nonce_is_replaced(old: bytes) -> None:
    assert not is_replaceable(parse_message(old))
    assert "durable nonce" in why_not_replaced(old, waiting(9_000))


def test_a_message_with_accounts_from_a_table_is_not_replaced() -> None:
    plain = versioned(advance(NONCE), paid())
    assert is_replaceable(parse_message(plain))
    # The list of lookup tables is last: one table, of which one entry is taken to be read.
    looked_up = plain[:-1] + b"\1" + bytes(Pubkey.new_unique()) + b"\0\1\0"
    assert not is_replaceable(parse_message(looked_up))


def test_what_is_no_message_is_refused() -> None:
    for pair in ((waiting(), b"\0"), (b"\0", waiting())):
        with pytest.raises(UnknownTransaction):
            why_not_replaced(*pair)
