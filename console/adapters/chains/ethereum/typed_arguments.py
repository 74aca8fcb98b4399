"""A call from what an operator types: the function's text, and each value as text.

`approve(address spender,uint256 amount)` with or without the names; lists and tuples as JSON.
"""

import re
from typing import Any

from eth_abi.exceptions import ABITypeError, EncodingError, ParseError
from eth_abi.grammar import ABIType, BasicType, TupleType, normalize, parse
from eth_abi.registry import registry
from eth_utils.abi import function_signature_to_4byte_selector

from console.adapters.chains.ethereum.abi import Function
from console.adapters.chains.ethereum.address import parse_any_address
from console.adapters.chains.ethereum.strict_json import Json, parse_json
from console.adapters.chains.ethereum.transaction import MAX_TRANSACTION_BYTES
from console.application.errors import InvalidAddress, TransactionError, UnknownTransaction

MAX_FUNCTION = 1024
MAX_ARGUMENTS = 32
MAX_DIMENSIONS = 16
_FUNCTION = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]{0,127})\((.*)\)")
_BYTES = re.compile(r"(0x)?([0-9A-Fa-f]{2})*")
_NAMED = re.compile(r"(\S+)(?: +[A-Za-z_$][A-Za-z0-9_$]*)?")


def parse_function(text: str) -> Function:
    """Read a function's text. Raises: TransactionError."""
    match = _FUNCTION.fullmatch(text.strip()) if len(text) <= MAX_FUNCTION else None
    if match is None:
        raise TransactionError("a function is written like approve(address,uint256)")
    name, inner = match.groups()
    types: list[str] = []
    for part in _split(inner):
        named = _NAMED.fullmatch(part.strip())
        if named is None:
            raise TransactionError(f"{part.strip()[:60]!r} is no type of an argument")
        types.append(_canonical(named.group(1)))
    if len(types) > MAX_ARGUMENTS:
        raise TransactionError(f"a function has at most {MAX_ARGUMENTS} arguments here")
    signature = f"{name}({','.join(types)})"
    selector = function_signature_to_4byte_selector(signature)
    names = tuple(f"value {number}" for number in range(1, len(types) + 1))
    return Function(signature, tuple(types), names, selector)


def encode_call(text: str, arguments: tuple[str, ...], chain_id: int | None = None) -> bytes:
    """Return the data of a call; addresses may carry the chain's short name (ERC-3770).

    Values are taken as they are, with every blank.

    Raises: TransactionError, InvalidAddress.
    """
    function = parse_function(text)
    count = len(function.types)
    # Empty lines after the last value are no values: a window's text often ends with one.
    if len(arguments) < count or any(arguments[count:]):
        raise TransactionError(
            f"{function.signature} takes {count} values, and {len(arguments)} are given"
        )
    values = [
        _from_text(parse(kind), argument, chain_id)
        for kind, argument in zip(function.types, arguments[:count], strict=True)
    ]
    try:
        data = function.encode(*values)
    except (EncodingError, ValueError, TypeError, OverflowError):
        raise TransactionError(f"the values do not fit {function.signature}") from None
    if len(data) > MAX_TRANSACTION_BYTES:
        raise TransactionError("the call's data is larger than a transaction may be")
    return data


def _split(inner: str) -> list[str]:
    """Split at the commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            raise TransactionError("the function's parentheses do not match")
        if letter == "," and not depth:
            parts.append(inner[start:place])
            start = place + 1
    if depth:
        raise TransactionError("the function's parentheses do not match")
    return [*parts, inner[start:]] if inner.strip() else []


def _canonical(text: str) -> str:
    if text.count("[") > MAX_DIMENSIONS or text.count("(") > MAX_DIMENSIONS:
        raise TransactionError("an argument is nested too deeply")
    try:
        kind = parse(normalize(text))  # type: ignore[no-untyped-call]
        kind.validate()
        # The library takes any word for a type until a value of it is encoded.
        known = registry.has_encoder(_name(kind))
    except (ParseError, ABITypeError, ValueError, RecursionError):
        known = False
    if not known:
        raise TransactionError(f"{text[:60]!r} is no type of an argument")
    return _name(kind)


def _from_text(kind: ABIType, text: str, chain_id: int | None) -> Any:
    if kind.is_array or isinstance(kind, TupleType):
        try:
            return _from_json(kind, parse_json(text.encode(errors="surrogatepass")), chain_id)
        except UnknownTransaction as error:
            raise TransactionError(f"{_name(kind)} is written as JSON: {error}") from None
    return _basic(kind, text, chain_id)


def _from_json(kind: ABIType, value: Json, chain_id: int | None) -> Any:
    if kind.is_array:
        if not isinstance(value, list):
            raise TransactionError(f"{_name(kind)} needs a list")
        return [_from_json(kind.item_type, item, chain_id) for item in value]
    if isinstance(kind, TupleType):
        if not isinstance(value, list) or len(value) != len(kind.components):
            raise TransactionError(f"{_name(kind)} needs {len(kind.components)} values")
        return tuple(
            _from_json(part, item, chain_id)
            for part, item in zip(kind.components, value, strict=True)
        )
    if isinstance(value, bool):
        return _basic(kind, "true" if value else "false", chain_id)
    if not isinstance(value, str | int):
        raise TransactionError(f"{_name(kind)} needs one value")
    return _basic(kind, str(value), chain_id)


def _basic(kind: ABIType, text: str, chain_id: int | None) -> Any:
    if not isinstance(kind, BasicType):
        return _bad(kind, text)
    try:
        match kind.base:
            case "address":
                return parse_any_address(text, chain_id)
            case "uint" | "int":
                return int(text) if re.fullmatch(r"-?[0-9]{1,78}", text) else _bad(kind, text)
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case "bytes":
                return _bytes(kind, text)
            case "string":
                return text
            case _:
                return _bad(kind, text)
    except InvalidAddress:
        raise
    except (ValueError, KeyError):
        return _bad(kind, text)


def _bytes(kind: BasicType, text: str) -> bytes:
    """Return bytes in full: the library would fill short ones up, to a value that nobody wrote."""
    data = bytes.fromhex(text.removeprefix("0x")) if _BYTES.fullmatch(text) else None
    if data is None or (kind.sub and len(data) != kind.sub):
        raise TransactionError(f"{text[:60]!r} is no {_name(kind)}")
    return data


def _bad(kind: ABIType, text: str) -> Any:
    raise TransactionError(f"{text[:60]!r} is no {_name(kind)}")


def _name(kind: ABIType) -> str:
    return str(kind.to_type_str())  # type: ignore[no-untyped-call]
