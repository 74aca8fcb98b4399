"""Fees that are offered, refused and flagged; and what may take another transaction's place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.ethereum.fees import (
    CHEAP_WEI,
    FEE_CAP,
    Fees,
    capped,
    outbids,
    quote,
)
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.replacing import replacement, why_not_replaced
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.application.errors import TransactionError
from console.application.ports.chain import FeeLevel
from console.domain.policy import evaluate
from tests.unit.ethereum.documents import encoded, user_operation
from tests.unit.ethereum.places import (
    ETHER,
    FRIEND,
    GWEI,
    ME,
    ROUTER,
    STRANGER,
    described,
    draft,
)
from tests.unit.ethereum.test_transaction import BLOB, authorized

OLD = draft().pay(FRIEND, ETHER).build()


def priced(max_fee: int, max_tip: int, data: bytes = OLD) -> bytes:
    return replace(parse_transaction(data), max_fee=max_fee, max_tip=max_tip).encode()


@given(base=st.integers(0, 100 * GWEI), tip=st.integers(0, 10 * GWEI))
def test_more_haste_never_costs_less_and_each_quote_can_pay_the_base_fee(base, tip):
    slow, normal, fast = (quote(base, tip, level) for level in FeeLevel)
    assert slow.max_fee <= normal.max_fee <= fast.max_fee
    assert 0 < slow.max_tip <= normal.max_tip <= fast.max_tip
    assert all(fees.max_fee >= base + fees.max_tip for fees in (slow, normal, fast))


def test_a_base_fee_that_is_a_lie_is_not_paid():
    with pytest.raises(TransactionError, match="above the limit of 500 gwei"):
        quote(100 * 30 * GWEI, GWEI, FeeLevel.NORMAL)
    with pytest.raises(TransactionError):
        capped(Fees(FEE_CAP + 1, 1))
    assert capped(Fees(FEE_CAP, 1)).max_fee == FEE_CAP


def test_a_fee_above_the_cap_is_flagged_whoever_built_it():
    told = described(draft().fees(FEE_CAP + 1, 1).pay(FRIEND, 100 * ETHER).build())
    assert any("above the limit" in flag for flag in told.red_flags)
    told = described(draft().fees(FEE_CAP, 1).pay(FRIEND, 100 * ETHER).build())
    assert told.red_flags == ()


def test_a_fee_out_of_proportion_to_what_is_sent_is_flagged():
    # 0.05 ether at most for the fee of this draft.
    costly = draft().fees(FEE_CAP, 1)
    assert described(costly.pay(FRIEND, ETHER // 2).build()).red_flags == ()
    told = described(costly.pay(FRIEND, ETHER // 2 - 1).build())
    assert told.red_flags == ("The fee may reach more than a 10th of what is sent",)


STORAGE = AccessEntry(ROUTER, tuple(bytes([n]) * 32 for n in range(200)))
BLOBS = (BLOB,) * 6
OVER = "more than 0.1 coins"
OUT_OF_PROPORTION = "more than a 10th of what is sent"


@pytest.mark.parametrize(
    ("costly", "words"),
    [
        # 3.4 million gas at 500 gwei: 1.70 ether.
        (draft().cancel(ME).access(STORAGE).gas(3_400_000).fees(FEE_CAP, 1), OVER),
        (draft().cancel(ME).access(STORAGE).gas(199_000).fees(FEE_CAP, 1), OUT_OF_PROPORTION),
        (draft().cancel(ME).gas(200_000).price(FEE_CAP), OUT_OF_PROPORTION),
        (draft().cancel(ME).gas(200_000).price(FEE_CAP, legacy=True), OUT_OF_PROPORTION),
        # Six blobs at a million gwei: 786 ether.
        (draft().cancel(ME).blobs(10**6 * GWEI, *BLOBS), "per blob gas is above the limit"),
        (draft().cancel(ME).blobs(FEE_CAP, *BLOBS), OVER),
        (draft().cancel(ME).blobs(20 * GWEI, *BLOBS).fees(FEE_CAP // 5, 1), OUT_OF_PROPORTION),
        (draft().call(FRIEND, b"\1").blobs(10**6 * GWEI, *BLOBS), "per blob gas"),
        (draft().pay(FRIEND, 10**6 * ETHER).gas(210_000).fees(FEE_CAP, 1), OVER),
        (draft().cancel(ME).authorize(authorized()).gas(210_000).fees(FEE_CAP, 1), OVER),
    ],
)
def test_the_caps_hold_whatever_is_sent(costly, words):
    told = described(costly.build())
    assert any(words in flag for flag in told.red_flags)
    rules = evaluate(told, own_address=told.from_address, fee_ceiling=told.fee.base_units)
    assert [rule.rule for rule in rules if not rule.passed] == ["Fully decoded"]


def test_a_user_operations_fee_is_capped_too():
    gas = f"0x{100_000:032x}{40_000:032x}"
    for fees, words in ((FEE_CAP + 1, "fee per gas is above the limit"), (FEE_CAP, None)):
        told = described(
            encoded(user_operation(accountGasLimits=gas, gasFees=f"0x{1:032x}{fees:032x}"))
        )
        assert [flag for flag in told.red_flags if "fee" in flag.lower()] == (
            [f"The {words} of 500 gwei"] if words else []
        )
    huge = f"0x{10**6:032x}{10**6:032x}"
    told = described(
        encoded(user_operation(accountGasLimits=huge, gasFees=f"0x{1:032x}{FEE_CAP:032x}"))
    )
    assert any(OVER in flag for flag in told.red_flags)


def test_a_small_fee_needs_no_comparison():
    assert CHEAP_WEI == 21_000 * 952_380_952_380 + 20_000
    told = described(draft().gas(21_000).fees(900 * GWEI // 2, 1).pay(FRIEND, 1).build())
    assert told.red_flags == ()


@given(
    max_fee=st.integers(1, 300 * GWEI), tip=st.integers(0, GWEI), floor=st.integers(1, 300 * GWEI)
)
def test_what_is_raised_over_another_always_outbids_it(max_fee, tip, floor):
    old = parse_transaction(priced(max_fee, min(tip, max_fee)))
    raised = Fees(floor, 1).raised_over(old)
    new = replace(old, max_fee=raised.max_fee, max_tip=raised.max_tip)
    assert outbids(old, new)
    assert raised.max_fee >= floor


@pytest.mark.parametrize(
    ("max_fee", "max_tip", "better"),
    [
        (33 * GWEI, 2 * GWEI + GWEI // 5, True),
        (33 * GWEI - 1, 2 * GWEI + GWEI // 5, False),
        (33 * GWEI, 2 * GWEI + GWEI // 5 - 1, False),
        (40 * GWEI, 2 * GWEI, False),
        (30 * GWEI, 2 * GWEI, False),
    ],
)
def test_both_fees_must_be_a_tenth_higher(max_fee, max_tip, better):
    why = why_not_replaced(OLD, priced(max_fee, max_tip))
    assert (why == "") is better
    assert better or "a tenth higher" in why


FEES = Fees(40 * GWEI, 4 * GWEI)


@pytest.mark.parametrize("cancel", [False, True])
def test_a_replacement_does_the_same_or_nothing(cancel):
    new = replacement(parse_transaction(OLD), FEES, ME, cancel=cancel).encode()
    assert why_not_replaced(OLD, new) == ""
    told = described(new)
    assert told.red_flags == ()
    assert told.action == ("Cancel" if cancel else "Transfer")


@pytest.mark.parametrize(
    "change",
    [
        {"to": STRANGER},
        {"value": ETHER + 1},
        {"data": b"\x01"},
        {"nonce": 8},
        {"chain_id": 5},
        {"gas_limit": 200_000},
    ],
)
def test_the_same_nonce_is_signed_for_nothing_else(change):
    new = replace(parse_transaction(priced(40 * GWEI, 4 * GWEI)), **change).encode()
    assert why_not_replaced(OLD, new)


def test_an_empty_transfer_to_a_stranger_is_no_cancellation():
    new = replacement(parse_transaction(OLD), FEES, STRANGER, cancel=True).encode()
    assert described(new).red_flags == ("The transfer moves nothing",)


def test_only_type_2_is_replaced():
    legacy = draft().pay(FRIEND, 1).price(30 * GWEI, legacy=True).build()
    assert "type 2" in why_not_replaced(legacy, OLD)
    with pytest.raises(TransactionError, match="type 2"):
        replacement(parse_transaction(legacy), FEES, ME, cancel=False)
