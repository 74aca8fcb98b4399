"""Calls as an operator types them, against the library's own encoding."""

import json

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.typed_arguments import encode_call, parse_function
from console.application.errors import InvalidAddress, TransactionError
from tests.unit.ethereum.places import FRIEND, ROUTER, called

APPROVE = "approve(address,uint256)"


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (APPROVE, APPROVE),
        ("approve(address spender, uint256 amount)", APPROVE),
        ("approve(address spender,uint amount)", APPROVE),
        ("ping()", "ping()"),
        ("f((uint256,bytes32[]) order,bool[2] flags)", "f((uint256,bytes32[]),bool[2])"),
    ],
)
def test_a_function_has_one_canonical_form(text, signature):
    function = parse_function(text)
    assert function.signature == signature
    assert function.selector == selector(signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "approve",
        "approve(",
        "approve(address",
        "approve(address))",
        "approve)address(",
        "approve(address,,uint256)",
        "approve(address,uint7)",
        "approve(address,words)",
        "1approve(address)",
        "f(" + ",".join(["bool"] * 33) + ")",
        "f(" + "(" * 500 + "bool" + ")" * 500 + ")",
        "f(" + "uint256[]" * 300 + ")",
    ],
)
def test_what_is_no_function_is_refused_in_words(text):
    with pytest.raises(TransactionError):
        parse_function(text)


@given(amount=st.integers(0, 2**256 - 1), flags=st.lists(st.booleans(), max_size=4))
def test_values_are_encoded_as_the_library_does(amount, flags):
    shown = "[" + ",".join("true" if flag else "false" for flag in flags) + "]"
    data = encode_call(
        "f(address,uint256,bool[],bytes,string)",
        (checksummed(FRIEND), str(amount), shown, "0x0102", "Ünicode, with a comma"),
    )
    types = ("address", "uint256", "bool[]", "bytes", "string")
    values = (FRIEND, amount, flags, b"\x01\x02", "Ünicode, with a comma")
    assert data == selector("f(address,uint256,bool[],bytes,string)") + encode(types, values)


def test_tuples_and_nested_lists_are_json():
    order = f'[["{checksummed(FRIEND)}", 5], ["{checksummed(ROUTER)}", "6"]]'
    data = encode_call("f((address,uint8)[])", (order,))
    assert data[4:] == encode(("(address,uint8)[]",), ([(FRIEND, 5), (ROUTER, 6)],))


@pytest.mark.parametrize(
    ("function", "values"),
    [
        (APPROVE, (checksummed(FRIEND),)),
        (APPROVE, (checksummed(FRIEND), "5", "6")),
        (APPROVE, (checksummed(FRIEND), "5.5")),
        (APPROVE, (checksummed(FRIEND), "0x10")),
        (APPROVE, (checksummed(FRIEND), "-1")),
        (APPROVE, (checksummed(FRIEND), str(2**256))),
        (APPROVE, (checksummed(FRIEND), "9" * 100)),
        ("f(bool)", ("yes",)),
        ("f(bytes4)", ("0x01020304ff",)),
        ("f(bytes4)", ("0x010203",)),
        ("f(bytes4)", ("",)),
        ("f(bytes32)", ("0x",)),
        ("f(bytes4[])", ('["0x010203"]',)),
        ("f((bytes2,bytes))", ('["0x01", "0x"]',)),
        ("f(bytes)", ("0x01 02",)),
        ("f(bytes)", ("0x0x01",)),
        ("f(bytes)", ("0x012",)),
        ("f(bytes)", ("0xzz",)),
        ("f(uint8[])", ("5",)),
        ("f(uint8[])", ("[1, 1.5]",)),
        ("f(uint8[2])", ("[1]",)),
        ("f((uint8,bool))", ("[1]",)),
        ("f(uint8[])", ('[{"a": 1}]',)),
        ("f(uint8[])", ("[[1]]",)),
        ("f(uint8[])", ("[" * 10_000,)),
        ("f(uint8)", ("256",)),
    ],
)
def test_values_that_do_not_fit_are_refused_in_words(function, values):
    with pytest.raises(TransactionError):
        encode_call(function, values)


def test_the_zero_address_is_a_value():
    zero = f"0x{'0' * 40}"
    assert encode_call("setGuard(address)", (zero,))[4:] == bytes(32)
    assert encode_call("f(address[])", (f'["{zero}"]',))[-32:] == bytes(32)


def test_an_address_with_its_chains_name_is_a_value():
    named = f"eth:{checksummed(FRIEND)}"
    assert encode_call(APPROVE, (named, "1"), 1) == encode_call(APPROVE, (named[4:], "1"))
    with pytest.raises(InvalidAddress, match="another chain"):
        encode_call(APPROVE, (named, "1"), 5)


@pytest.mark.parametrize("text", ["", " a ", "\u00a0a", "a\u2028b\r", "\x1c", "{}\n"])
def test_a_text_is_taken_with_all_its_blanks(text):
    assert encode_call("f(string)", (text,))[4:] == encode(("string",), (text,))
    listed = json.dumps([text])
    assert encode_call("f(string[])", (listed,))[4:] == encode(("string[]",), ([text],))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("uint256", "5"), ("bool", "true"), ("bytes", "0x01"), ("address", checksummed(FRIEND))],
)
def test_blanks_around_anything_else_are_refused(kind, value):
    assert encode_call(f"f({kind})", (value,))
    for wrong in (f" {value}", f"{value} ", f"{value}\u00a0", f"{value}\r"):
        with pytest.raises(TransactionError):
            encode_call(f"f({kind})", (wrong,))


def test_empty_lines_after_the_last_value_are_no_values():
    assert encode_call("f(uint8)", ("5", "", "")) == encode_call("f(uint8)", ("5",))
    assert encode_call("f(uint8,string)", ("5", "")) == encode_call(
        "f(uint8,string)", ("5", "", "")
    )
    for wrong in (("", "5"), ("5", "", "6"), ("5", " ")):
        with pytest.raises(TransactionError):
            encode_call("f(uint8)", wrong)


@pytest.mark.parametrize("address", ["", "vitalik.eth", checksummed(FRIEND)[:-1], "0x" + "g" * 40])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidAddress):
        encode_call(APPROVE, (address, "1"))


def test_what_was_typed_is_decoded_again_for_the_approver():
    told = called(FRIEND, encode_call(APPROVE, (checksummed(ROUTER), "7")))
    assert told.action == "Approve"
    assert told.to_address == checksummed(ROUTER)
