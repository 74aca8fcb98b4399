"""JSON as EIP-712 documents use it: no duplicate keys, no fractions, bounded in size and depth."""

import json
from typing import NoReturn, TypeAlias

from console.application.errors import UnknownTransaction

Json: TypeAlias = str | int | bool | list["Json"] | dict[str, "Json"] | None

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
_MAX_DIGITS = 78
"""The longest number that fits into 256 bits."""


def parse_json(data: bytes) -> Json:
    """Read a document. Raises: UnknownTransaction."""
    if len(data) > MAX_BYTES:
        raise UnknownTransaction(f"the document has more than {MAX_BYTES} bytes")
    try:
        value: Json = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_whole,
        )
    except (ValueError, RecursionError):
        raise UnknownTransaction("the document is no JSON") from None
    _check_depth(value)
    return value


def object_of(value: Json, name: str) -> dict[str, Json]:
    """Return an object. Raises: UnknownTransaction."""
    if not isinstance(value, dict):
        raise UnknownTransaction(f"{name} is no object")
    return value


def list_of(value: Json, name: str) -> list[Json]:
    """Return a list. Raises: UnknownTransaction."""
    if not isinstance(value, list):
        raise UnknownTransaction(f"{name} is no list")
    return value


def text_of(value: Json, name: str) -> str:
    """Return a text. Raises: UnknownTransaction."""
    if not isinstance(value, str):
        raise UnknownTransaction(f"{name} is no text")
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Two readers could each take another one of them.
        raise UnknownTransaction("the document names a key twice")
    return found


def _no_fraction(_text: str) -> NoReturn:
    raise UnknownTransaction("the document holds a number that is not whole")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS + 1:
        raise UnknownTransaction("the document holds a number that is too long")
    return int(text)


def _check_depth(value: Json) -> None:
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        parts = [
            part.values() if isinstance(part, dict) else part
            for part in level
            if isinstance(part, dict | list)
        ]
        level = [inner for part in parts for inner in part]
        if not level:
            return
    raise UnknownTransaction("the document is nested too deeply")
