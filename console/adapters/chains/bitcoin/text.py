"""Amounts, data and messages as people read them."""

import hashlib
from datetime import UTC, datetime

from console.domain.values import Amount

UNIT = "BTC"
DECIMALS = 8
MAX_SHOWN_SCRIPT = 100


def amount_of(satoshis: int) -> Amount:
    """Return an amount of the chain's coin."""
    return Amount(satoshis, UNIT, DECIMALS)


def coins(satoshis: int) -> str:
    """Return an amount with its unit as text."""
    return f"{amount_of(satoshis).text()} {UNIT}"


def rate_text(fee: int, vsize: int) -> str:
    """Return satoshis per virtual byte with two decimals, rounded down."""
    hundredths = fee * 100 // vsize
    return f"{hundredths // 100}.{hundredths % 100:02d} sat/vB"


def date_text(seconds: int) -> str:
    """Return a time since 1970 as date and time, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y, %H:%M} UTC"


def shown_script(script: bytes) -> str:
    """Return a script as text; of a long one, its size and hash."""
    if len(script) <= MAX_SHOWN_SCRIPT:
        return f"script {script.hex()}"
    return f"script of {len(script)} bytes, SHA-256 {hashlib.sha256(script).hexdigest()}"


def visible(text: str) -> str:
    """Return text with invisible characters and direction marks escaped."""
    shown = (
        letter if letter.isprintable() and letter != "\\" else letter.encode("unicode_escape")
        for letter in text
    )
    return "".join(part if isinstance(part, str) else part.decode() for part in shown)


def shown_data(data: bytes) -> str:
    """Return data as quoted text if it is printable, else as hexadecimal."""
    text = data.decode(errors="replace")
    plain = text.encode() == data and text.isprintable() and text
    return f'"{text}"' if plain and '"' not in text else f"0x{data.hex()}"
