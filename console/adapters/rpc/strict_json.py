"""JSON from outside, read as one type: no duplicate keys, no NaN, bounded depth.

The libraries' own parsers are not used: one of them raises, at an unknown variant, what is no
`Exception`, so one odd answer could end a node.
"""

import json
from typing import Any

import msgspec


class MalformedJson(ValueError):
    """The bytes are not what was expected; nothing of them may be used."""


def strict_json(data: bytes, kind: Any) -> Any:
    """Read JSON as `kind`, a type that msgspec knows. Raises: MalformedJson.

    No object may name a key twice: two readers could each take another one of them.
    """
    try:
        json.loads(data, object_pairs_hook=_without_duplicates)
        return msgspec.json.decode(data, type=kind)
    # Numbers that are too long, bad UTF-8 and the library's own errors are ValueErrors.
    except (ValueError, RecursionError):
        raise MalformedJson("this is not the JSON that was expected") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key is named twice")
