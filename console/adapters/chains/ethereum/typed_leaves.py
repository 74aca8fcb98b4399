"""Every value of an EIP-712 document as lines, for documents whose meaning is not known."""

from collections.abc import Iterator

from console.adapters.chains.ethereum.address import ADDRESS_BYTES
from console.adapters.chains.ethereum.meaning import shown_address, shown_bytes, shown_text
from console.adapters.chains.ethereum.typed_data import TypedData, Value
from console.adapters.chains.ethereum.typed_schema import Schema, element_of

MAX_TEXT = 512
_MARK = " (shortened)"


def leaves(document: TypedData) -> Iterator[tuple[str, str]]:
    """Yield each value of the message with the path to it."""
    yield from _leaves(document.schema, document.primary, document.message, "")


def has_hidden_text(document: TypedData) -> bool:
    """Return whether a text cannot be shown as it is: too long, or with invisible characters."""
    return any(
        text.endswith(_MARK) or "\\u" in text or "\\x" in text for _, text in leaves(document)
    )


def _leaves(schema: Schema, kind: str, value: Value, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        inner = dict(schema.types[kind])
        for name, part in value.items():
            yield from _leaves(schema, inner[name], part, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        array = element_of(kind)
        element = array[0] if array else kind
        yield path, f"{len(value)} items"
        for number, part in enumerate(value, start=1):
            yield from _leaves(schema, element, part, f"{path} {number}")
    else:
        yield path, shown_value(value, kind)


def shown_value(value: int | bytes | str | bool, kind: str) -> str:
    """Return one elementary value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        if kind == "address" and len(value) == ADDRESS_BYTES:
            return shown_address(value)
        return shown_bytes(value)
    if isinstance(value, str):
        text = shown_text(value)
        return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + _MARK
    return str(value)
