"""Memos: text in a message, shown with controls and direction marks escaped."""

from console.adapters.chains.solana.message import Call
from console.application.errors import TransactionError

MAX_MEMO_BYTES = 180


def encode_memo(text: str) -> bytes:
    """Return a memo's bytes.

    Raises: TransactionError if it is too long, or not one visible line.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:  # lone surrogates
        raise TransactionError("a memo is text") from None
    if len(data) > MAX_MEMO_BYTES:
        raise TransactionError(f"a memo has at most {MAX_MEMO_BYTES} bytes")
    if not text.isprintable():
        raise TransactionError("a memo is one line of characters that can be seen")
    if text != text.strip():
        raise TransactionError("a memo neither begins nor ends with a blank, which nobody sees")
    return data


def read_memo(call: Call) -> tuple[str, tuple[str, ...]]:
    """Return the text of a memo to show, and its red flags."""
    try:
        text = call.data.decode()
    except UnicodeDecodeError:
        return call.data.hex(), ("The memo is not text",)
    if text.isprintable():
        return text, ()
    # Controls and direction marks could make the screen differ from the bytes.
    return ascii(text)[1:-1], ("The memo holds characters that cannot be seen",)
