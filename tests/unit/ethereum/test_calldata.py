"""Calls in words: what is plain has no flag, what is dangerous or not understood has one."""

import tracemalloc

import pytest

from console.adapters.chains.ethereum.abi import FUNCTIONS, decode_call
from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.approvals import moment
from console.adapters.chains.ethereum.build import call_data
from console.domain.transaction import TransactionDescription
from tests.unit.ethereum.places import (
    APES,
    ETHER,
    FRIEND,
    ITEMS,
    ME,
    MULTI_SEND,
    ROUTER,
    SAFE,
    STRANGER,
    USDC,
    called,
    described,
    draft,
)

ZERO = bytes(20)
MAX = (1 << 256) - 1
SOON = 1_900_000_000
SELECTORS = {
    "transfer(address,uint256)": "a9059cbb",
    "approve(address,uint256)": "095ea7b3",
    "transferFrom(address,address,uint256)": "23b872dd",
    "increaseAllowance(address,uint256)": "39509351",
    "decreaseAllowance(address,uint256)": "a457c2d7",
    "safeTransferFrom(address,address,uint256)": "42842e0e",
    "safeTransferFrom(address,address,uint256,bytes)": "b88d4fde",
    "setApprovalForAll(address,bool)": "a22cb465",
    "safeTransferFrom(address,address,uint256,uint256,bytes)": "f242432a",
    "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)": "2eb2c2d6",
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": "d505accf",
    "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)": "8fcbaf0c",
    "approve(address,address,uint160,uint48)": "87517c45",
    "multiSend(bytes)": "8d80ff0a",
    "addOwnerWithThreshold(address,uint256)": "0d582f13",
    "removeOwner(address,address,uint256)": "f8dc5dd9",
    "swapOwner(address,address,address)": "e318b52b",
    "changeThreshold(uint256)": "694e80c3",
    "enableModule(address)": "610b5925",
    "disableModule(address,address)": "e009cfde",
    "setGuard(address)": "e19a9dd9",
    "setFallbackHandler(address)": "f08a0323",
    "execute(address,uint256,bytes)": "b61d27f6",
    "executeBatch(address[],bytes[])": "18dfb3c7",
    "executeBatch(address[],uint256[],bytes[])": "47e1da2a",
}
SAFE_EXEC = (
    "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
)


def invoked(to: bytes, signature: str, *values: object, wei: int = 0) -> TransactionDescription:
    return called(to, call_data(signature, *values), wei)


def field(description: TransactionDescription, label: str) -> str:
    return dict(description.fields)[label]


def flagged(description: TransactionDescription, words: str) -> bool:
    return any(words in flag for flag in description.red_flags)


def test_selectors_are_those_that_contracts_answer_to() -> None:
    known = {**SELECTORS, SAFE_EXEC: "6a761202"}
    assert {name: function.selector.hex() for name, function in FUNCTIONS.items()} == known


def test_coins_are_sent() -> None:
    description = described(draft().pay(FRIEND, ETHER).build())
    assert description.action == "Transfer"
    assert description.to_address == checksummed(FRIEND)
    assert description.amount.base_units == ETHER
    assert description.red_flags == ()


@pytest.mark.parametrize(
    ("to", "wei", "words"), [(ZERO, 1, "zero address"), (FRIEND, 0, "nothing")]
)
def test_odd_transfers_are_flagged(to: bytes, wei: int, words: str) -> None:
    assert flagged(described(draft().pay(to, wei).build()), words)


@pytest.mark.parametrize(
    ("to", "data", "wei"),
    [
        (ME, b"", ETHER),
        (USDC, call_data("transfer(address,uint256)", ME, 5), 0),
        (USDC, call_data("transferFrom(address,address,uint256)", ME, ME, 5), 0),
        (APES, call_data("safeTransferFrom(address,address,uint256)", ME, ME, 5), 0),
    ],
)
def test_a_transfer_to_oneself_is_called_one(to: bytes, data: bytes, wei: int) -> None:
    told = called(to, data, wei)
    assert (told.action, told.to_address) == ("Move to own account", checksummed(ME))
    assert told.red_flags == ()


def test_a_transfer_of_a_safe_to_itself_is_called_one() -> None:
    assert called(SAFE, safe(SAFE, 1, b"")).action == "Safe: Move to own account"
    assert called(SAFE, safe(ME, 1, b"")).action == "Safe: Transfer"


def test_tokens_are_sent() -> None:
    description = invoked(USDC, "transfer(address,uint256)", FRIEND, 1_500_000)
    assert description.action == "Transfer tokens"
    assert description.to_address == checksummed(FRIEND)
    amount = description.amount
    assert (amount.base_units, amount.unit, amount.decimals) == (1_500_000, "USDC", 6)
    assert field(description, "Token contract") == checksummed(USDC)
    assert description.red_flags == ()


def test_a_token_that_is_not_listed_has_no_decimals() -> None:
    description = invoked(STRANGER, "transfer(address,uint256)", FRIEND, 1_500_000)
    assert (description.amount.unit, description.amount.decimals) == ("base units", 0)
    assert flagged(description, "not on the list of tokens")


@pytest.mark.parametrize(
    ("to", "amount", "words"),
    [(ZERO, 1, "zero address"), (USDC, 1, "their own contract"), (FRIEND, 0, "moves nothing")],
)
def test_odd_transfers_of_tokens_are_flagged(to: bytes, amount: int, words: str) -> None:
    assert flagged(invoked(USDC, "transfer(address,uint256)", to, amount), words)


def test_coins_beside_a_call_are_told() -> None:
    description = invoked(USDC, "transfer(address,uint256)", FRIEND, 1, wei=ETHER)
    assert flagged(description, "with the call")
    assert "ETH" in field(description, "Sent along")


def test_tokens_of_others_are_flagged() -> None:
    signature = "transferFrom(address,address,uint256)"
    description = invoked(USDC, signature, STRANGER, FRIEND, 5)
    assert flagged(description, "another account")
    assert field(description, "Taken from") == checksummed(STRANGER)
    assert invoked(USDC, signature, ME, FRIEND, 5).red_flags == ()


def test_an_allowance_for_a_known_contract_is_plain() -> None:
    description = invoked(USDC, "approve(address,uint256)", ROUTER, 7_000_000)
    assert description.action == "Approve"
    assert description.to_address == checksummed(ROUTER)
    assert description.amount.base_units == 7_000_000
    assert description.red_flags == ()


@pytest.mark.parametrize(
    ("spender", "amount", "words"),
    [
        (ROUTER, MAX, "Unlimited"),
        (ROUTER, 1 << 127, "Unlimited"),
        (STRANGER, 1, "may be trusted"),
        (ZERO, 1, "zero address"),
    ],
)
@pytest.mark.parametrize("name", ["approve", "increaseAllowance"])
def test_dangerous_allowances_are_flagged(
    name: str, spender: bytes, amount: int, words: str
) -> None:
    assert flagged(invoked(USDC, f"{name}(address,uint256)", spender, amount), words)


def test_taking_an_allowance_back_is_plain_even_from_a_stranger() -> None:
    assert invoked(USDC, "approve(address,uint256)", STRANGER, 0).red_flags == ()
    assert invoked(USDC, "decreaseAllowance(address,uint256)", STRANGER, 9).red_flags == ()


def test_a_permit_carries_its_owner_and_end() -> None:
    signature = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"
    word = b"\1" * 32
    plain = invoked(USDC, signature, ME, ROUTER, 5, SOON, 27, word, word)
    assert plain.red_flags == ()
    assert field(plain, "Valid until") == "2030-03-17 17:46:40 UTC"
    assert flagged(invoked(USDC, signature, STRANGER, ROUTER, 5, SOON, 27, word, word), "another")
    assert flagged(invoked(USDC, signature, ME, ROUTER, 5, MAX, 27, word, word), "never expires")


@pytest.mark.parametrize(("deadline", "ends"), [(0, False), (SOON, True)])
def test_the_older_permit_is_unlimited(deadline: int, ends: bool) -> None:
    signature = "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)"
    word = b"\1" * 32
    given = invoked(USDC, signature, ME, ROUTER, 0, deadline, True, 27, word, word)
    assert flagged(given, "Unlimited")
    assert flagged(given, "never expires") is not ends
    taken = invoked(USDC, signature, ME, ROUTER, 0, deadline, False, 27, word, word)
    assert taken.red_flags == ()


def test_an_allowance_through_permit2() -> None:
    signature = "approve(address,address,uint160,uint48)"
    plain = invoked(ROUTER, signature, USDC, ROUTER, 5, SOON)
    assert plain.red_flags == ()
    assert field(plain, "Through") == checksummed(ROUTER)
    assert flagged(invoked(STRANGER, signature, USDC, ROUTER, 5, SOON), "may be trusted")
    assert flagged(invoked(ROUTER, signature, USDC, ROUTER, (1 << 160) - 1, SOON), "Unlimited")


def test_single_tokens_are_sent() -> None:
    for signature, values in (
        ("safeTransferFrom(address,address,uint256)", (ME, FRIEND, 77)),
        ("transferFrom(address,address,uint256)", (ME, FRIEND, 77)),
        ("safeTransferFrom(address,address,uint256,bytes)", (ME, FRIEND, 77, b"")),
    ):
        description = invoked(APES, signature, *values)
        assert description.red_flags == ()
        assert (description.amount.base_units, description.amount.unit) == (1, "APE")
        assert field(description, "Token id").startswith("77")


def test_data_for_the_receiver_is_flagged() -> None:
    signature = "safeTransferFrom(address,address,uint256,bytes)"
    assert flagged(invoked(APES, signature, ME, FRIEND, 1, b"x"), "given data")


def test_tokens_of_the_wrong_standard_are_flagged() -> None:
    signature = "safeTransferFrom(address,address,uint256)"
    assert flagged(invoked(USDC, signature, ME, FRIEND, 1), "no such function")
    assert flagged(invoked(STRANGER, signature, ME, FRIEND, 1), "not on the list of tokens")


def test_one_single_token_may_be_approved() -> None:
    description = invoked(APES, "approve(address,uint256)", ROUTER, 77)
    assert description.red_flags == ()
    assert field(description, "Token id") == "77"
    assert flagged(invoked(APES, "approve(address,uint256)", STRANGER, 77), "may be trusted")


def test_rights_over_a_collection_are_always_flagged() -> None:
    given = invoked(APES, "setApprovalForAll(address,bool)", ROUTER, True)
    assert flagged(given, "every token")
    assert invoked(APES, "setApprovalForAll(address,bool)", STRANGER, False).red_flags == ()


def test_counted_tokens_are_sent() -> None:
    one = "safeTransferFrom(address,address,uint256,uint256,bytes)"
    description = invoked(ITEMS, one, ME, FRIEND, 5, 9, b"")
    assert description.red_flags == ()
    assert (description.amount.base_units, description.amount.unit) == (9, "ITEM")
    assert flagged(invoked(ITEMS, one, ME, FRIEND, 5, 0, b""), "moves nothing")
    many = "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)"
    batch = invoked(ITEMS, many, ME, FRIEND, [5, 6], [9, 1], b"")
    assert batch.red_flags == ()
    assert batch.amount.base_units == 10
    assert [text for label, text in batch.fields if label == "Token id"] == [
        "5 (amount 9)",
        "6 (amount 1)",
    ]
    assert flagged(invoked(ITEMS, many, ME, FRIEND, [5], [9, 1], b""), "differ in length")
    assert flagged(invoked(ITEMS, many, ME, FRIEND, [5, 6], [MAX, 1], b""), "any token's supply")
    assert flagged(invoked(ITEMS, many, ME, FRIEND, [1] * 40, [1] * 40, b""), "only the first 32")


def test_unknown_functions_are_flagged() -> None:
    description = called(STRANGER, bytes.fromhex("deadbeef") + b"\1" * 32, ETHER)
    assert description.action == "Contract call"
    assert flagged(description, "0xdeadbeef")
    assert flagged(description, "together with data that is not understood")
    assert field(description, "Data").startswith("0xdeadbeef01")
    assert flagged(called(STRANGER, b"\1\2"), "too short")


def test_sloppy_arguments_do_not_count_as_understood() -> None:
    data = call_data("transfer(address,uint256)", FRIEND, 5)
    for sloppy in (
        data + b"\0",
        data[:-1],
        data[:4] + b"\1" + data[5:],
        data[:4],
    ):
        assert decode_call(sloppy) is None
        assert flagged(called(USDC, sloppy), "canonical form")
    overlapping = bytes.fromhex("8d80ff0a") + (64).to_bytes(32, "big") + bytes(64)
    assert decode_call(overlapping) is None


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.mark.parametrize(
    "signature", ["executeBatch(address[],bytes[])", "executeBatch(address[],uint256[],bytes[])"]
)
def test_many_offsets_to_one_large_element_cost_no_more_than_the_data(signature: str) -> None:
    count, size, arrays = 500, 60_000, signature.count("[]") - 1
    heads = b"".join(word(32 * (arrays + 1 + number)) for number in range(arrays + 1))
    shared = word(count) + word(32 * count) * count + word(size) + bytes(size)
    data = FUNCTIONS[signature].selector + heads + word(0) * arrays + shared
    assert decode_call(data) is None
    tracemalloc.start()
    try:
        assert decode_call(data) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(data)


def test_what_is_canonical_is_read_whatever_its_size() -> None:
    calls = [bytes([number]) * (8 * number) for number in range(100)]
    for signature, numbers in (
        ("executeBatch(address[],bytes[])", ()),
        ("executeBatch(address[],uint256[],bytes[])", ([5] * 100,)),
    ):
        decoded = decode_call(call_data(signature, [FRIEND] * 100, *numbers, calls))
        assert decoded is not None
        assert decoded.values["data"] == tuple(calls)
    empty = decode_call(call_data("executeBatch(address[],bytes[])", [FRIEND] * 9, [b""] * 9))
    assert empty is not None


def safe(to: bytes, wei: int, data: bytes, operation: int = 0, price: int = 0) -> bytes:
    values = (to, wei, data, operation, 0, 0, price, ZERO, ZERO, b"\1" * 65)
    return call_data(SAFE_EXEC, *values)


def packed(*calls: tuple[int, bytes, int, bytes]) -> bytes:
    return call_data(
        "multiSend(bytes)",
        b"".join(
            bytes([operation]) + to + wei.to_bytes(32, "big") + len(data).to_bytes(32, "big") + data
            for operation, to, wei, data in calls
        ),
    )


def test_a_safe_sends_what_is_in_its_call() -> None:
    description = called(SAFE, safe(FRIEND, ETHER, b""))
    assert description.action == "Safe: Transfer"
    assert description.to_address == checksummed(FRIEND)
    assert description.amount.base_units == ETHER
    assert field(description, "Acting account") == checksummed(SAFE)
    assert description.red_flags == ()
    tokens = called(SAFE, safe(USDC, 0, call_data("transfer(address,uint256)", FRIEND, 5)))
    assert (tokens.amount.base_units, tokens.amount.unit) == (5, "USDC")
    assert tokens.red_flags == ()


def test_a_contract_that_only_says_it_is_a_safe_is_flagged() -> None:
    assert flagged(called(STRANGER, safe(FRIEND, ETHER, b"")), "this wallet's accounts")


def test_a_delegatecall_of_a_safe_is_flagged() -> None:
    # The transfer of a token in the clear, which in truth exchanged the Safe's code.
    data = call_data("transfer(address,uint256)", FRIEND, 0)
    description = called(SAFE, safe(STRANGER, 0, data, operation=1))
    assert flagged(description, "DELEGATECALL")
    assert field(description, "Operation") == "DELEGATECALL"
    assert field(description, "Delegatecall to") == checksummed(STRANGER)


def test_an_operation_that_does_not_exist_is_not_understood() -> None:
    assert flagged(called(SAFE, safe(FRIEND, 1, b"", operation=2)), "not readable")


def test_a_refund_of_a_safe_is_flagged() -> None:
    assert flagged(called(SAFE, safe(FRIEND, 1, b"", price=5)), "refunds")


def test_every_call_of_a_batch_is_shown() -> None:
    batch = packed(
        (0, FRIEND, ETHER, b""),
        (0, USDC, 0, call_data("approve(address,uint256)", STRANGER, MAX)),
        (1, STRANGER, 0, b"\xde\xad\xbe\xef"),
    )
    description = called(SAFE, safe(MULTI_SEND, 0, batch, operation=1))
    assert description.amount.base_units == ETHER
    assert field(description, "Call 1 to") == checksummed(FRIEND)
    assert field(description, "Call 2") == "Approve"
    assert field(description, "Call 2 to") == checksummed(STRANGER)
    for words in (
        "3 calls in one",
        "Call 2: Unlimited",
        "Call 3: Function",
        "Call 3: DELEGATECALL",
    ):
        assert flagged(description, words), words
    assert flagged(description, checksummed(MULTI_SEND))


def test_batches_in_batches_are_shown_until_they_are_too_deep() -> None:
    data = b""
    to = FRIEND
    for _ in range(6):
        data, to = safe(to, 1, data), SAFE
    description = called(SAFE, data)
    assert flagged(description, "too many, too deep")
    inner = packed((0, SAFE, 0, packed((0, FRIEND, 5, b""), (0, ROUTER, 6, b""))), (0, ME, 1, b""))
    nested = called(SAFE, safe(MULTI_SEND, 0, inner, operation=1))
    assert field(nested, "Call 1 · Call 2 to") == checksummed(ROUTER)


BATCHES = {
    "nothing": b"",
    "cut in the head": packed((0, FRIEND, 1, b""))[68:100],
    "a third operation": b"\2" + bytes(84),
    "data that is cut off": bytes(53) + (9).to_bytes(32, "big") + b"\1",
    "a length that is absurd": bytes(53) + b"\xff" * 32,
    "33 calls": (b"\0" + FRIEND + bytes(64)) * 33,
}


@pytest.mark.parametrize("content", BATCHES.values(), ids=BATCHES)
def test_batches_that_cannot_be_shown_are_flagged(content: bytes) -> None:
    description = called(SAFE, safe(MULTI_SEND, 0, call_data("multiSend(bytes)", content), 1))
    assert flagged(description, "too many, too deep or not readable")


def test_the_calls_of_a_smart_account() -> None:
    one = invoked(SAFE, "execute(address,uint256,bytes)", FRIEND, 5, b"")
    assert (one.action, one.amount.base_units, one.red_flags) == ("Account: Transfer", 5, ())
    two = invoked(
        SAFE, "executeBatch(address[],uint256[],bytes[])", [FRIEND, ROUTER], [5, 6], [b"", b""]
    )
    assert two.amount.base_units == 11
    assert flagged(two, "2 calls in one")
    bare = invoked(SAFE, "executeBatch(address[],bytes[])", [FRIEND], [b"\1\2\3\4"])
    assert flagged(bare, "0x01020304")
    odd = invoked(SAFE, "executeBatch(address[],bytes[])", [FRIEND], [])
    assert flagged(odd, "not readable")
    huge = invoked(
        SAFE, "executeBatch(address[],uint256[],bytes[])", [FRIEND] * 2, [MAX, MAX], [b"", b""]
    )
    assert flagged(huge, "more coins than there are")


@pytest.mark.parametrize(
    ("signature", "values"),
    [
        ("addOwnerWithThreshold(address,uint256)", (STRANGER, 1)),
        ("removeOwner(address,address,uint256)", (ME, FRIEND, 1)),
        ("swapOwner(address,address,address)", (ME, FRIEND, STRANGER)),
        ("changeThreshold(uint256)", (1,)),
        ("enableModule(address)", (STRANGER,)),
        ("disableModule(address,address)", (ME, STRANGER)),
        ("setGuard(address)", (ZERO,)),
        ("setFallbackHandler(address)", (STRANGER,)),
    ],
)
def test_changes_of_a_safes_rules_are_flagged(signature: str, values: tuple[object, ...]) -> None:
    description = called(SAFE, safe(SAFE, 0, call_data(signature, *values)))
    assert description.action == "Safe: Change of rules"
    assert len(description.red_flags) == 1
    assert invoked(STRANGER, signature, *values).red_flags


def test_times_are_written() -> None:
    assert moment(0) == "1970-01-01 00:00:00 UTC"
    assert moment(253_402_300_799) == "9999-12-31 23:59:59 UTC"
    assert moment(253_402_300_800) == "253402300800 seconds after 1970"
    assert moment(MAX) == f"for ever ({MAX})"
