"""Times, counts, identifiers and masks as words; pure, so that every screen says the same."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

MASK = "\u2022\u2022\u2022\u2022"
_NUMBER = re.compile(r"\d[\d\u2009.,]*")
_KINDS = {
    "ecdsa-secp256k1": "ECDSA secp256k1",
    "schnorr-bip340": "Schnorr BIP-340",
    "eddsa-ed25519": "EdDSA Ed25519",
    "bls12381-g2": "BLS12-381 G2",
}


def clock(at_ms: int) -> str:
    """Return "14:02 UTC"."""
    return f"{_utc(at_ms):%H:%M} UTC"


def moment(at_ms: int | None) -> str:
    """Return "2026-03-04 14:02 UTC"."""
    return f"{_utc(at_ms):%Y-%m-%d %H:%M} UTC" if at_ms else "never"


def exact(at_ms: int) -> str:
    """Return "2026-03-04 14:02:07.031 UTC"."""
    return f"{_utc(at_ms):%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d} UTC"


def ago(at_ms: int | None, now_ms: int) -> str:
    """Return how long ago something was, "2 min ago"."""
    if at_ms is None:
        return "never"
    return "just now" if now_ms - at_ms < 10_000 else f"{span(now_ms - at_ms)} ago"


def remaining(until_ms: int, now_ms: int) -> str:
    """Return "Expires in 1 h 52 min", or "Expired"."""
    return f"Expires in {span(until_ms - now_ms)}" if until_ms > now_ms else "Expired"


def span(length_ms: int) -> str:
    """Return a length of time with at most two units."""
    seconds = max(length_ms, 0) // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 request" or "2 requests"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u2009")


def number(value: int) -> str:
    """Return a whole number grouped by thin spaces."""
    return f"{value:,}".replace(",", "\u2009")


def listed(names: Sequence[str]) -> str:
    """Return "Ana, Ben and Chiara"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def chunks(text: str, size: int = 4) -> list[str]:
    """Cut a text into groups of `size`."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def shortened(text: str, groups: int = 2) -> str:
    """Return the first and last groups of a long identifier, for lists only."""
    parts = chunks(text)
    if len(parts) <= 2 * groups:
        return " ".join(parts)
    tail = text[-4 * groups :]
    return f"{' '.join(parts[:groups])} \u2026 {' '.join(chunks(tail))}"


def masked(text: str, *, hide: bool) -> str:
    """Return the text, or a mask of fixed length that tells nothing."""
    return MASK if hide and text else text


def without_digits(text: str, *, hide: bool) -> str:
    """Return a sentence of the node, with every number masked in privacy mode."""
    return _NUMBER.sub(MASK, text) if hide else text


def initials(name: str) -> str:
    """Return at most two initials of a person."""
    words = name.split()
    return "".join(
        word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)
    ).upper()


def kind(name: str) -> str:
    """Return a signature kind as people write it."""
    return _KINDS.get(name, name)


def kinds(names: Sequence[str]) -> str:
    """Return signature kinds in one line."""
    return ", ".join(kind(name) for name in names)


def quorum(threshold: int, custodians: int) -> str:
    """Return "2 of 3"."""
    return f"{threshold} of {custodians}"


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
