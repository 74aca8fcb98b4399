"""EIP-712: a document read strictly, and the hash that is signed for it.

An own encoder, because the library's takes a missing struct for zeros, any text for true, and text
for bytes; a document that two readers understand differently must not be signed.
"""

from dataclasses import dataclass
from typing import TypeAlias

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.address import parse_any_address
from console.adapters.chains.ethereum.strict_json import (
    Json,
    list_of,
    object_of,
    parse_json,
    text_of,
)
from console.adapters.chains.ethereum.typed_schema import (
    DOMAIN,
    Schema,
    element_of,
    fixed_bytes_of,
    integer_of,
    parse_schema,
)
from console.adapters.chains.ethereum.typed_undeclared import PARTS, undeclared
from console.application.errors import InvalidAddress, UnknownTransaction

Value: TypeAlias = int | bytes | str | bool | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class TypedData:
    """A document whose values fit its types: numbers int, addresses and bytes as bytes.

    `undeclared` are the places and values of keys that are no part of what is signed.
    """

    schema: Schema
    primary: str
    domain: dict[str, Value]
    message: dict[str, Value]
    undeclared: tuple[tuple[str, str], ...] = ()

    def domain_separator(self) -> bytes:
        """Return the hash of the domain, 32 bytes."""
        return _hash_struct(self.schema, DOMAIN, self.domain)

    def message_hash(self) -> bytes:
        """Return the hash of the message, 32 bytes."""
        return _hash_struct(self.schema, self.primary, self.message)

    def signing_hash(self) -> bytes:
        """Return what is signed, 32 bytes."""
        return keccak(b"\x19\x01" + self.domain_separator() + self.message_hash())


def parse_typed_data(data: bytes) -> TypedData:
    """Read a document. Raises: UnknownTransaction."""
    document = object_of(parse_json(data), "the document")
    if not document.keys() >= PARTS:
        raise UnknownTransaction("the document has types, primaryType, domain and message")
    schema = parse_schema(document["types"])
    primary = text_of(document["primaryType"], "primaryType")
    if primary not in schema.types or primary == DOMAIN:
        raise UnknownTransaction("the document does not define its primaryType")
    return TypedData(
        schema,
        primary,
        _struct(schema, DOMAIN, document["domain"], "domain"),
        _struct(schema, primary, document["message"], "message"),
        tuple(undeclared(document, schema, primary)),
    )


def _struct(schema: Schema, kind: str, value: Json, place: str) -> dict[str, Value]:
    found = object_of(value, place)
    fields = schema.types[kind]
    names = {name for name, _ in fields}
    if not found.keys() >= names:
        raise UnknownTransaction(f"{place} lacks fields of its type")
    if kind == DOMAIN and found.keys() != names:
        # Some programs take the domain's type from its keys: they would sign another hash.
        raise UnknownTransaction(f"{place} has other fields than its type")
    return {name: _value(schema, part, found[name], f"{place}.{name}") for name, part in fields}


def _value(schema: Schema, kind: str, value: Json, place: str) -> Value:
    array = element_of(kind)
    if array is not None:
        element, length = array
        items = list_of(value, place)
        if length is not None and len(items) != length:
            raise UnknownTransaction(f"{place} has {len(items)} items instead of {length}")
        return [
            _value(schema, element, item, f"{place}[{number}]") for number, item in enumerate(items)
        ]
    if kind in schema.types:
        return _struct(schema, kind, value, place)
    if kind == "bool":
        if not isinstance(value, bool):
            raise UnknownTransaction(f"{place} is neither true nor false")
        return value
    if kind == "string":
        return _text(value, place)
    if kind == "address":
        return _address(text_of(value, place), place)
    number = integer_of(kind)
    if number is not None:
        return _integer(value, *number, place)
    return _bytes(text_of(value, place), fixed_bytes_of(kind), place)


def _text(value: Json, place: str) -> str:
    text = text_of(value, place)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnknownTransaction(f"{place} holds half a character")
    return text


def _address(text: str, place: str) -> bytes:
    try:
        return parse_any_address(text)
    except InvalidAddress as error:
        raise UnknownTransaction(f"{place}: {error}") from None


def _integer(value: Json, signed: bool, bits: int, place: str) -> int:
    """Read a number, or its decimal or hexadecimal text, which many documents use."""
    if isinstance(value, str) and value.isascii() and len(value) <= 80:
        digits = value.removeprefix("-")
        try:
            number = int(value, 16) if digits.startswith("0x") else int(value)
        except ValueError:
            raise UnknownTransaction(f"{place} is no number") from None
        if not digits[:1].isdigit() or "_" in value or value != value.strip():
            raise UnknownTransaction(f"{place} is no number")
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise UnknownTransaction(f"{place} is no number")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= number < high:
        raise UnknownTransaction(f"{place} does not fit into {bits} bits")
    return number


def _bytes(text: str, length: int | None, place: str) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) + 2 != len(text) or not digits.isascii() or not (digits.isalnum() or not digits):
        raise UnknownTransaction(f"{place} is no hexadecimal text that begins with 0x")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        raise UnknownTransaction(f"{place} is no hexadecimal text that begins with 0x") from None
    if length is not None and len(data) != length:
        raise UnknownTransaction(f"{place} has {len(data)} bytes instead of {length}")
    return data


def _hash_struct(schema: Schema, kind: str, value: dict[str, Value]) -> bytes:
    fields = schema.types[kind]
    words = [_word(schema, part, value[name]) for name, part in fields]
    return keccak(schema.hashes[kind] + b"".join(words))


def _word(schema: Schema, kind: str, value: Value) -> bytes:
    """Return `encodeData` of one field: 32 bytes."""
    match value:
        case bool():
            return int(value).to_bytes(32, "big")
        case int():
            return value.to_bytes(32, "big", signed=value < 0)
        case str():
            return keccak(value.encode())
        case list():
            array = element_of(kind)
            element = array[0] if array else kind
            return keccak(b"".join(_word(schema, element, item) for item in value))
        case dict():
            return _hash_struct(schema, kind, value)
        case bytes():
            if kind == "bytes":
                return keccak(value)
            return value.rjust(32, b"\0") if kind == "address" else value.ljust(32, b"\0")
