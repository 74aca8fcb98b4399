"""Ethereum: what is shown is what others decode, and no other bytes show the same.

The other decoders are `rlp` and `eth-account`, which share no code with ours.
"""

from dataclasses import replace
from typing import Any

import rlp
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hexbytes import HexBytes
from hypothesis import assume, given
from hypothesis import strategies as st

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.address import address_of, checksummed
from console.adapters.chains.ethereum.build import call_data
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.messages import build_message
from console.adapters.chains.ethereum.signable import attach, parse
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.signed import parse_signed
from console.adapters.chains.ethereum.strict_rlp import Item
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.adapters.chains.ethereum.typed_data import parse_typed_data
from console.application.errors import UnknownTransaction
from console.domain.transaction import TransactionDescription
from tests.properties.damage import assert_flip_is_seen, flipped, mutated, only_refused
from tests.properties.depth import TIMES, examples
from tests.unit.ethereum import documents
from tests.unit.ethereum.drafts import Draft
from tests.unit.ethereum.places import CHAIN_ID, KEY, ME, SAFE, USDC, described
from tests.unit.ethereum.test_calldata import packed, safe
from tests.unit.ethereum.test_transaction import authorized

WORDS = st.integers(0, (1 << 256) - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).filter(any)
HASHES = st.binary(min_size=32, max_size=32)
BLOBS = HASHES.map(lambda value: b"\1" + value[1:])
FEES = st.integers(0, 1 << 120)
TARGETS = st.one_of(ADDRESSES, st.sampled_from([ME, USDC, SAFE]))
ENTRIES = st.builds(AccessEntry, ADDRESSES, st.lists(HASHES, max_size=3).map(tuple))
AUTHORIZATIONS = st.lists(
    st.sampled_from([authorized(), authorized(KEY, 0)]), min_size=1, max_size=2
)
PLAIN, LISTED, DYNAMIC, BLOB, CODE = range(5)


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    """Return data: none, noise, a token's function, a Safe's, or a batch."""
    to, amount = draw(ADDRESSES), draw(WORDS)
    inner = draw(
        st.sampled_from(
            [
                b"",
                call_data("transfer(address,uint256)", to, amount),
                call_data("approve(address,uint256)", to, amount),
                call_data("transferFrom(address,address,uint256)", to, ME, amount),
            ]
        )
    )
    batch = packed((0, to, 1, b""), (1, to, 0, inner))
    return draw(
        st.one_of(
            st.just(inner),
            st.just(safe(to, 5, inner, draw(st.integers(0, 1)))),
            st.just(safe(to, 0, batch, 1)),
            st.binary(max_size=80),
        )
    )


@st.composite
def transactions(draw: st.DrawFn) -> bytes:
    """Return unsigned bytes of any type."""
    kind = draw(st.integers(PLAIN, CODE))
    draft = Draft(CHAIN_ID, draw(st.integers(0, (1 << 64) - 2)))
    draft = draft.call(draw(TARGETS), draw(calls()), draw(st.integers(0, 1 << 200)))
    if kind <= DYNAMIC and draw(st.integers(0, 9)) == 0:
        draft = draft.create(draft.data, draft.value)
    draft = draft.gas(draw(st.integers(0, (1 << 64) - 1)))
    if kind in {PLAIN, LISTED}:
        draft = draft.price(draw(FEES), legacy=kind == PLAIN)
    else:
        tip = draw(FEES)
        draft = draft.fees(tip + draw(FEES), tip)
    if kind != PLAIN:
        draft = draft.access(*draw(st.lists(ENTRIES, max_size=3)))
    if kind == BLOB:
        draft = draft.blobs(draw(FEES), *draw(st.lists(BLOBS, min_size=1, max_size=3)))
    if kind == CODE:
        draft = draft.authorize(*draw(AUTHORIZATIONS))
    return draft.build()


def _number(item: bytes) -> int:
    return int.from_bytes(item, "big")


def decoded_by_others(data: bytes) -> dict[str, Any]:
    """Read unsigned bytes with the library `rlp` and the field orders of the EIPs."""
    if data[0] >= 0xC0:
        nonce, price, gas, to, value, body, chain, _, _ = rlp.decode(data)
        fee = _number(gas) * _number(price)
    else:
        items = rlp.decode(data[1:])
        if data[0] == 1:
            chain, nonce, price, gas, to, value, body = items[:7]
        else:
            chain, nonce, _, price, gas, to, value, body = items[:8]
        fee = _number(gas) * _number(price)
        if data[0] == 3:
            fee += 131_072 * _number(items[9]) * len(items[10])
    return {
        "chain": _number(chain),
        "nonce": _number(nonce),
        "gas": _number(gas),
        "fee": fee,
        "to": to,
        "value": _number(value),
        "data": body,
    }


@given(transactions())
@examples(150 if TIMES == 1 else 1000)
def test_the_description_is_what_others_decode(data: bytes) -> None:
    description = described(data)
    other = decoded_by_others(data)
    fields = dict(description.fields)
    assert fields["Chain id"] == str(other["chain"]) == str(CHAIN_ID)
    assert fields["Nonce"] == str(other["nonce"])
    assert fields["Gas limit"] == str(other["gas"])
    assert description.fee.base_units == other["fee"]
    assert fields["Signing hash"] == f"0x{keccak(data).hex()}"
    _same_call(description, other)


def _same_call(description: TransactionDescription, other: dict[str, Any]) -> None:
    """Compare destination and amount, for plain data by hand, else by the words of 32 bytes."""
    data, to = other["data"], other["to"]
    selector, words = data[:4].hex(), [data[n : n + 32] for n in range(4, len(data), 32)]
    amount = description.amount.base_units
    if not to:
        assert not description.to_address
        assert amount == other["value"]
        assert description.red_flags
    elif not data:
        assert description.to_address == checksummed(to)
        assert amount == other["value"]
    elif selector in {"a9059cbb", "095ea7b3"} and len(words) == 2 and len(data) == 68:
        if not any(words[0][:12]):
            assert description.to_address == checksummed(words[0][12:])
            assert amount == _number(words[1])
            assert description.red_flags or (to == USDC and not other["value"])
    else:
        assert description.red_flags or selector == "6a761202"
    if other["value"] and data:
        assert description.red_flags


@given(transactions(), st.data())
@examples(150)
def test_a_flipped_bit_is_refused_or_seen(data: bytes, choice: st.DataObject) -> None:
    assert_flip_is_seen(described, _without_hashes, data, choice)


def _without_hashes(description: TransactionDescription) -> TransactionDescription:
    """Leave what people can read, without the hashes over everything."""
    shown = tuple(field for field in description.fields if field[0] != "Signing hash")
    return replace(description, digest=b"", fields=shown)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda b: b"\x02" + b)))
@examples(300)
def test_random_bytes_are_refused_in_one_way(data: bytes) -> None:
    _only_refused(data)


@given(transactions(), st.data())
@examples(150)
def test_mutated_bytes_are_refused_in_one_way(data: bytes, choice: st.DataObject) -> None:
    _only_refused(mutated(data, choice))


def _only_refused(data: bytes) -> None:
    only_refused(lambda: described(data).digest)


@given(transactions(), st.binary(min_size=31, max_size=31))
@examples(100)
def test_signatures_of_others_fit_and_give_the_same_bytes(data: bytes, seed: bytes) -> None:
    account = Account.from_key(b"\1" + seed)
    made = account.unsafe_sign_hash(keccak(data))
    vrs = made.r.to_bytes(32, "big") + made.s.to_bytes(32, "big") + bytes([made.v - 27])
    signed = attach(data, parse_signature(vrs), CHAIN_ID)
    assert checksummed(signed.sender) == account.address
    assert Account.recover_transaction(HexBytes(signed.content)) == account.address
    assert parse_signed(signed.content)[0].encode() == data


@given(transactions())
@examples(100)
def test_others_sign_the_same_bytes(data: bytes) -> None:
    """`eth-account` builds and signs the transaction itself, from its fields."""
    transaction = parse_transaction(data)
    fields: dict[str, Any] = {
        "chainId": CHAIN_ID,
        "nonce": transaction.nonce,
        "gas": transaction.gas_limit,
        "to": checksummed(transaction.to) if transaction.to else b"",
        "value": transaction.value,
        "data": transaction.data,
    }
    access = [
        {"address": checksummed(entry.address), "storageKeys": [f"0x{k.hex()}" for k in entry.keys]}
        for entry in transaction.access_list
    ]
    if transaction.kind <= 1:
        fields |= {"gasPrice": transaction.max_fee}
    else:
        fields |= {
            "maxFeePerGas": transaction.max_fee,
            "maxPriorityFeePerGas": transaction.max_tip,
        }
    if transaction.kind:
        fields |= {"type": int(transaction.kind), "accessList": access}
    if transaction.kind == BLOB:
        fields |= {
            "maxFeePerBlobGas": transaction.blob_fee,
            "blobVersionedHashes": list(transaction.blob_hashes),
        }
    if transaction.kind == CODE:
        fields["authorizationList"] = [
            {
                "chainId": signed.content.chain_id,
                "address": checksummed(signed.content.address),
                "nonce": signed.content.nonce,
                "yParity": signed.signature.parity,
                "r": signed.signature.r,
                "s": signed.signature.s,
            }
            for signed in transaction.authorizations
        ]
    account = Account.from_key(KEY.secret)
    other = account.sign_transaction(fields)
    made = parse_signature(KEY.sign_recoverable(transaction.signing_hash(), hasher=None))
    ours = attach(data, made, CHAIN_ID)
    assert bytes(other.raw_transaction) == ours.content
    assert bytes(other.hash) == ours.transaction_hash


ITEMS = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=9
)


def _depth(item: Item) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(_depth, item), default=0)


@given(ITEMS)
@examples(200)
def test_rlp_is_written_and_read_as_by_others(item: Item) -> None:
    assume(_depth(item) <= strict_rlp.MAX_DEPTH)
    data = strict_rlp.encode(item)
    assert data == rlp.encode(item)
    assert strict_rlp.decode(data) == item


@given(st.binary(max_size=64))
@examples(300)
def test_rlp_is_read_only_in_the_form_that_is_written(data: bytes) -> None:
    try:
        item = strict_rlp.decode(data)
    except UnknownTransaction:
        return
    assert strict_rlp.encode(item) == data
    assert rlp.decode(data) == item


@given(st.binary(max_size=300))
@examples(100)
def test_messages_are_bound_to_their_bytes(message: bytes) -> None:
    data = build_message(message)
    signable = parse(data, CHAIN_ID)
    assert signable.signing_hash() == keccak(
        b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message
    )
    assert described(data).action == "Sign message"


KINDS = ["uint8", "int256", "address", "bytes", "bytes7", "string", "bool", "uint128[2]", "bytes[]"]


def _values(kind: str) -> st.SearchStrategy[Any]:
    match kind:
        case "uint8":
            return st.integers(0, 255)
        case "int256":
            return st.integers(-(1 << 255), (1 << 255) - 1).map(str)
        case "address":
            return ADDRESSES.map(checksummed)
        case "bytes":
            return st.binary(max_size=40).map(lambda value: f"0x{value.hex()}")
        case "bytes7":
            return st.binary(min_size=7, max_size=7).map(lambda value: f"0x{value.hex()}")
        case "string":
            return st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
        case "bool":
            return st.booleans()
        case "uint128[2]":
            return st.lists(st.integers(0, (1 << 128) - 1), min_size=2, max_size=2)
        case _:
            return st.lists(_values("bytes"), max_size=3)


@st.composite
def typed_documents(draw: st.DrawFn) -> dict[str, Any]:
    inner = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    outer = draw(st.lists(st.sampled_from([*KINDS, "Inner", "Inner[]"]), min_size=1, max_size=5))

    def struct(kinds: list[str]) -> dict[str, Any]:
        found = {}
        for number, kind in enumerate(kinds):
            if kind == "Inner":
                found[f"f{number}"] = struct(inner)
            elif kind == "Inner[]":
                found[f"f{number}"] = [struct(inner) for _ in range(draw(st.integers(0, 2)))]
            else:
                found[f"f{number}"] = draw(_values(kind))
        return found

    types = {
        "Outer": {f"f{number}": kind for number, kind in enumerate(outer)},
        "Inner": {f"f{number}": kind for number, kind in enumerate(inner)},
    }
    return documents.document("Outer", types, struct(outer))


@given(typed_documents())
@examples(100)
def test_typed_data_is_hashed_as_by_others(content: dict[str, Any]) -> None:
    document = parse_typed_data(documents.encoded(content))
    if not any("Inner" in field["type"] for field in content["types"]["Outer"]):
        del content["types"]["Inner"]
    other = encode_typed_data(full_message=content)
    assert document.signing_hash() == keccak(b"\x19" + other.version + other.header + other.body)


@given(typed_documents(), st.data())
@examples(100)
def test_a_flipped_bit_in_a_document_is_refused_or_seen(
    content: dict[str, Any], choice: st.DataObject
) -> None:
    if not any("Inner" in field["type"] for field in content["types"]["Outer"]):
        del content["types"]["Inner"]  # what nothing refers to is not hashed, so it may change
    data = documents.encoded(content)
    before = parse_typed_data(data).signing_hash()
    changed, _ = flipped(data, choice)
    try:
        description = described(changed)
    except UnknownTransaction:
        return
    shown = dict(description.fields)["Signing hash"]
    # Only the capitals of an address's or a number's digits may change without a meaning.
    same_value = changed.lower() == data.lower()
    assert shown != f"0x{before.hex()}" or same_value


@given(st.binary(max_size=120).map(lambda noise: b'{"types":' + noise))
@examples(100)
def test_random_documents_are_refused_in_one_way(data: bytes) -> None:
    _only_refused(data)


@given(st.integers(1, (1 << 200)))
@examples(30)
def test_every_key_has_the_address_that_others_compute(secret: int) -> None:
    account = Account.from_key(secret.to_bytes(32, "big"))
    key = type(KEY)(secret.to_bytes(32, "big"))
    assert checksummed(address_of(key.public_key.format())) == account.address
