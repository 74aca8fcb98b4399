"""EIP-712 documents: read strictly, hashed like others do, and described."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.build import call_data
from console.adapters.chains.ethereum.signable import parse
from console.adapters.chains.ethereum.strict_json import MAX_BYTES
from console.adapters.chains.ethereum.typed_data import parse_typed_data
from console.application.errors import UnknownTransaction
from console.domain.transaction import TransactionDescription
from tests.unit.ethereum import documents
from tests.unit.ethereum.documents import encoded
from tests.unit.ethereum.places import CHAIN_ID, ETHER, FRIEND, GWEI, ROUTER, SAFE, STRANGER, USDC
from tests.unit.ethereum.places import described as described_bytes

CASES = Path(__file__).parent / "cases"
MAX = (1 << 256) - 1
MAIL = documents.document(
    "Mail",
    {
        "Mail": {
            "from": "Person",
            "to": "Person[]",
            "grid": "int8[2][]",
            "seal": "bytes4",
            "body": "bytes",
            "text": "string",
            "paid": "bool",
        },
        "Person": {"name": "string", "wallets": "address[]", "friends": "Person[]"},
    },
    {
        "from": {"name": "Cow", "wallets": [checksummed(FRIEND)], "friends": []},
        "to": [
            {
                "name": "Bob",
                "wallets": [],
                "friends": [{"name": "Eve", "wallets": [], "friends": []}],
            }
        ],
        "grid": [[-128, 127], ["-1", "0x7f"]],
        "seal": "0x01020304",
        "body": "0xff",
        "text": "Hello, Bob!",
        "paid": True,
    },
)
ALL: dict[str, dict[str, Any]] = {
    "mail": MAIL,
    "permit": documents.permit(),
    "older permit": documents.older_permit(),
    "permit2": documents.permit2(),
    "permit2 batch": documents.permit2(2),
    "permit2 transfer": documents.permit2_transfer(),
    "permit2 transfers": documents.permit2_transfer(2),
    "safe": documents.safe_transaction(),
    "user operation": documents.user_operation(),
}


def described(content: dict[str, Any]) -> TransactionDescription:
    return described_bytes(encoded(content))


def flagged(description: TransactionDescription, words: str) -> bool:
    return any(words in flag for flag in description.red_flags)


def field(description: TransactionDescription, label: str) -> str:
    return dict(description.fields)[label]


@pytest.mark.parametrize("name", ALL)
def test_others_hash_the_same(name: str) -> None:
    other = encode_typed_data(full_message=copy.deepcopy(ALL[name]))
    expected = keccak(b"\x19" + other.version + other.header + other.body)
    assert parse_typed_data(encoded(ALL[name])).signing_hash() == expected


@pytest.mark.parametrize("name", [name for name in ALL if name != "mail"])
def test_a_document_that_is_known_has_a_meaning(name: str) -> None:
    assert not flagged(described(ALL[name]), "not understood")


def _changed(content: dict[str, Any], *path: str | int, to: object) -> dict[str, Any]:
    changed = copy.deepcopy(content)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return changed


WRONG: dict[str, dict[str, Any]] = {
    "a missing part": {"types": {}, "primaryType": "A", "domain": {}},
    "no types": _changed(MAIL, "types", to={}),
    "types that are a list": _changed(MAIL, "types", to=[]),
    "no domain type": _changed(MAIL, "types", "EIP712Domain", to=[]),
    "a primary type that is missing": _changed(MAIL, "primaryType", to="Letter"),
    "a primary type that is the domain": _changed(MAIL, "primaryType", to="EIP712Domain"),
    "a primary type that is a number": _changed(MAIL, "primaryType", to=5),
    "a domain field that is unknown": _changed(
        MAIL, "types", "EIP712Domain", 0, to={"name": "origin", "type": "string"}
    ),
    "a domain field of another type": _changed(
        MAIL, "types", "EIP712Domain", 2, to={"name": "chainId", "type": "string"}
    ),
    "a domain without its value": _changed(MAIL, "domain", to={}),
    "a type that is not defined": _changed(MAIL, "types", "Person", 1, "type", to="Wallet[]"),
    "an integer of 7 bits": _changed(MAIL, "types", "Mail", 2, "type", to="int7[2][]"),
    "an integer of 264 bits": _changed(MAIL, "types", "Mail", 2, "type", to="int264[2][]"),
    "an integer without bits": _changed(MAIL, "types", "Mail", 2, "type", to="int[2][]"),
    "33 bytes": _changed(MAIL, "types", "Mail", 3, "type", to="bytes33"),
    "an array of length 0": _changed(MAIL, "types", "Mail", 2, "type", to="int8[0][]"),
    "an array that is not closed": _changed(MAIL, "types", "Mail", 2, "type", to="int8[2"),
    "a type with a space": _changed(MAIL, "types", "Mail", 5, "type", to="string "),
    "a field with a comma": _changed(MAIL, "types", "Mail", 5, "name", to="a,b"),
    "a field without a type": _changed(MAIL, "types", "Mail", 5, to={"name": "text"}),
    "a domain with a further field": _changed(MAIL, "domain", "more", to=1),
    "a field twice": _changed(MAIL, "types", "Mail", 5, "name", to="body"),
    "a type with the name of a basic one": _changed(MAIL, "types", "uint256", to=[]),
    "a type with a bad name": _changed(MAIL, "types", "a b", to=[]),
    "65 types": _changed(MAIL, "types", to={f"T{n}": [] for n in range(65)}),
    "65 fields": _changed(
        MAIL, "types", "Mail", to=[{"name": f"f{n}", "type": "bool"} for n in range(65)]
    ),
    "a message without a field": _changed(MAIL, "message", to={}),
    "a struct that is null": _changed(MAIL, "message", "from", to=None),
    "an array that is an object": _changed(MAIL, "message", "to", to={}),
    "an array of another length": _changed(MAIL, "message", "grid", to=[[1]]),
    "a number that is too large": _changed(MAIL, "message", "grid", to=[[128, 1]]),
    "a number that is too small": _changed(MAIL, "message", "grid", to=[[-129, 1]]),
    "a number that is true": _changed(MAIL, "message", "grid", to=[[True, 1]]),
    "a number that is a word": _changed(MAIL, "message", "grid", to=[["one", 1]]),
    "a number that is empty": _changed(MAIL, "message", "grid", to=[["", 1]]),
    "a number with an underscore": _changed(MAIL, "message", "grid", to=[["1_0", 1]]),
    "a number with a space": _changed(MAIL, "message", "grid", to=[[" 1", 1]]),
    "a number with a plus": _changed(MAIL, "message", "grid", to=[["+1", 1]]),
    "a number of another script": _changed(MAIL, "message", "grid", to=[["٣", 1]]),
    "a number that is a fraction": _changed(MAIL, "message", "grid", to=[[1.0, 1]]),
    "bytes that are too short": _changed(MAIL, "message", "seal", to="0x010203"),
    "bytes without a prefix": _changed(MAIL, "message", "seal", to="01020304"),
    "bytes with a space": _changed(MAIL, "message", "body", to="0xff ff"),
    "bytes that are no digits": _changed(MAIL, "message", "body", to="0xgg"),
    "bytes with half a digit": _changed(MAIL, "message", "body", to="0xfff"),
    "bytes that are a number": _changed(MAIL, "message", "body", to=255),
    "a text that is a number": _changed(MAIL, "message", "text", to=5),
    "a text with half a character": _changed(MAIL, "message", "text", to="\ud800"),
    "a truth that is a word": _changed(MAIL, "message", "paid", to="false"),
    "a truth that is a number": _changed(MAIL, "message", "paid", to=1),
    "an address with a wrong checksum": _changed(
        documents.permit(), "message", "owner", to="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
    ),
    "an address that is short": _changed(documents.permit(), "message", "owner", to="0x12"),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_sloppy_documents_are_refused(content: dict[str, Any]) -> None:
    with pytest.raises(UnknownTransaction):
        parse_typed_data(encoded(content))


TEXTS = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "bad UTF-8": b'{"a":"\xff"}',
    "a key twice": b'{"types":{},"types":{}}',
    "not a number": b'{"types":NaN}',
    "infinity": b'{"types":-Infinity}',
    "a long number": b'{"types":' + b"9" * 5000 + b"}",
    "a deep nest": b'{"types":' + b"[" * 30 + b"]" * 30 + b"}",
    "a very deep nest": b'{"types":' * 10_000,
    "too much": b'{"types":"' + b"a" * MAX_BYTES + b'"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_what_is_no_strict_json_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_typed_data(data)


def test_another_chain_is_refused_and_none_is_flagged() -> None:
    other = _changed(documents.permit(), "domain", "chainId", to=1)
    with pytest.raises(UnknownTransaction, match="for chain 1"):
        parse(encoded(other), CHAIN_ID)
    fields = {"note": "string"}
    content = documents.document("Note", {"Note": fields}, {"note": "hi"}, chainId=None)
    assert flagged(described(content), "names no chain")
    del content["domain"]["verifyingContract"]
    content["types"]["EIP712Domain"].pop()
    description = described(content)
    assert flagged(description, "names no contract")
    assert not description.to_address


UNDECLARED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a further part": ({**MAIL, "more": [1, {"a": None}]}, "more", '[1, {"a": null}]'),
    "a field with a third entry": (
        _changed(MAIL, "types", "Mail", 5, to={"name": "text", "type": "string", "x": 1}),
        "types.Mail.x",
        "1",
    ),
    "a message with a further field": (_changed(MAIL, "message", "more", to="y"), "more", "y"),
    "a struct in a struct": (_changed(MAIL, "message", "from", "age", to=7), "from.age", "7"),
    "a struct in a list": (_changed(MAIL, "message", "to", 0, "age", to=7), "to 1.age", "7"),
    "a hidden text": (_changed(MAIL, "message", "b\u202e", to="\u200b"), "b\\u202e", "\\u200b"),
    "a long one": (
        _changed(MAIL, "message", "more", to="a" * 600),
        "more",
        f"{'a' * 512} (shortened)",
    ),
}


@pytest.mark.parametrize(("content", "place", "value"), UNDECLARED.values(), ids=UNDECLARED)
def test_keys_that_no_type_declares_are_shown_as_not_signed(
    content: dict[str, Any], place: str, value: str
) -> None:
    assert described(MAIL).fields[-1] == described(content).fields[-1]  # the signing hash
    told = described(content)
    assert field(told, f"Not signed: {place}") == value
    assert told.red_flags == described(MAIL).red_flags


def test_a_document_with_undeclared_keys_has_the_hash_that_others_sign() -> None:
    content = json.loads((CASES / "eip712_undeclared_keys.json").read_text())
    ours = parse_typed_data(encoded(content))
    theirs = encode_typed_data(full_message=content)
    assert ours.domain_separator() == theirs.header
    assert ours.message_hash() == theirs.body
    assert dict(ours.undeclared) == {"type": "withdraw3", "signatureChainId": "0x1"}


def test_undeclared_keys_fill_no_screen() -> None:
    more = {f"k{number}": number for number in range(400)}
    with pytest.raises(UnknownTransaction, match="more than can be shown"):
        described({**MAIL, **more})


def test_what_is_not_understood_is_shown_value_by_value() -> None:
    description = described(MAIL)
    assert description.action == "Sign typed data"
    assert flagged(description, "“Mail”")
    for label, text in (
        ("from.name", "Cow"),
        ("from.wallets 1", checksummed(FRIEND)),
        ("to 1.friends 1.name", "Eve"),
        ("grid 2 1", "-1"),
        ("seal", "0x01020304"),
        ("text", "Hello, Bob!"),
        ("paid", "true"),
        ("Application", "A token"),
        ("Chain id", str(CHAIN_ID)),
        ("Verifying contract", checksummed(USDC)),
    ):
        assert field(description, label) == text


@pytest.mark.parametrize("text", ["\u202eevil", "a" * 600, "\u200b"])
def test_a_text_that_hides_something_is_flagged(text: str) -> None:
    description = described(_changed(MAIL, "message", "text", to=text))
    assert flagged(description, "cannot be seen")
    assert all("\u202e" not in value and "\u200b" not in value for _, value in description.fields)


def test_a_document_that_says_too_much_is_refused() -> None:
    with pytest.raises(UnknownTransaction, match="more than can be shown"):
        described(_changed(MAIL, "message", "grid", to=[[1, 2]] * 400))


def test_a_permit_is_an_allowance() -> None:
    plain = described(documents.permit())
    assert plain.action == "Permit"
    assert plain.to_address == checksummed(ROUTER)
    assert (plain.amount.base_units, plain.amount.unit) == (5_000_000, "USDC")
    assert plain.red_flags == ()
    assert flagged(described(documents.permit(value=str(MAX))), "Unlimited")
    assert flagged(described(documents.permit(deadline=hex(MAX))), "never expires")
    assert flagged(described(documents.permit(spender=checksummed(STRANGER))), "may be trusted")
    assert flagged(described(documents.permit(owner=checksummed(STRANGER))), "another account")


def test_the_older_permit_is_unlimited() -> None:
    given = described(documents.older_permit())
    assert flagged(given, "Unlimited")
    assert flagged(given, "never expires")
    assert described(documents.older_permit(allowed=False)).red_flags == ()


def test_permit2_allowances() -> None:
    plain = described(documents.permit2())
    assert (plain.amount.base_units, plain.red_flags) == (5, ())
    assert field(plain, "Signature valid until").startswith("2030")
    assert flagged(described(documents.permit2(amount=str((1 << 160) - 1))), "Unlimited")
    assert flagged(described(documents.permit2(contract=STRANGER)), "may be trusted")
    batch = described(documents.permit2(2))
    assert flagged(batch, "2 allowances in one")
    assert field(batch, "Token 2 · Token contract") == checksummed(USDC)
    assert flagged(described(documents.permit2_transfer()), "where the tokens go")
    assert flagged(described(documents.permit2_transfer(2)), "2 allowances in one")


def test_a_safe_transaction_is_described_by_its_call() -> None:
    plain = described(documents.safe_transaction())
    assert plain.action == "Safe: Transfer"
    assert plain.to_address == checksummed(FRIEND)
    assert plain.amount.base_units == ETHER
    assert plain.red_flags == ()
    assert field(plain, "Safe nonce") == "12"
    # The theft of 2025: an innocent transfer in data, operation 1, to foreign code.
    data = call_data("transfer(address,uint256)", FRIEND, 0).hex()
    evil = documents.safe_transaction(
        to=checksummed(STRANGER), value=0, data=f"0x{data}", operation=1, safeTxGas=45746
    )
    assert flagged(described(evil), "DELEGATECALL")
    assert flagged(described(documents.safe_transaction(STRANGER)), "this wallet's accounts")
    assert flagged(described(documents.safe_transaction(operation=2)), "not understood")
    token = documents.safe_transaction(gasPrice=1, gasToken=checksummed(USDC))
    assert flagged(described(token), "refunds 0.000\u2009001 USDC")


def test_a_user_operation_is_described_by_its_call() -> None:
    plain = described(documents.user_operation())
    assert plain.action == "User operation: Account: Transfer"
    assert plain.to_address == checksummed(FRIEND)
    assert plain.amount.base_units == ETHER
    assert plain.fee.base_units == (70_000 + 30_000 + 50_000) * 20 * GWEI
    assert plain.red_flags == ()
    assert field(plain, "Account") == checksummed(SAFE)


def test_what_is_odd_about_a_user_operation_is_flagged() -> None:
    paid = f"0x{STRANGER.hex()}{40_000:032x}{10_000:032x}"
    description = described(documents.user_operation(paymasterAndData=paid))
    assert flagged(description, "Somebody else pays")
    assert description.fee.base_units == 200_000 * 20 * GWEI
    assert flagged(described(documents.user_operation(initCode="0x1234")), "set up by this")
    delegated = f"0x7702{'0' * 36}"
    assert flagged(described(documents.user_operation(initCode=delegated)), "EIP-7702")
    assert flagged(described(documents.user_operation(callData="0xdeadbeef")), "0xdeadbeef")
    stranger = documents.user_operation(sender=checksummed(STRANGER))
    assert flagged(described(stranger), "this wallet's accounts")
    for odd in ({"paymasterAndData": "0x12"}, {"preVerificationGas": str(MAX)}):
        assert flagged(described(documents.user_operation(**odd)), "not understood")


def test_the_bytes_are_what_is_described() -> None:
    content = documents.permit()
    compact, spaced = encoded(content), json.dumps(content, indent=2).encode()
    assert described_bytes(compact).digest != described_bytes(spaced).digest
    hashes = {parse_typed_data(data).signing_hash() for data in (compact, spaced)}
    assert len(hashes) == 1


def test_a_salt_is_shown_and_hashed() -> None:
    salted = documents.document(
        "Note", {"Note": {"n": "bool"}}, {"n": False}, salt=f"0x{'5a' * 32}"
    )
    assert field(described(salted), "Salt") == f"0x{'5a' * 32}"
    other = encode_typed_data(full_message=copy.deepcopy(salted))
    expected = keccak(b"\x19" + other.version + other.header + other.body)
    assert parse_typed_data(encoded(salted)).signing_hash() == expected
