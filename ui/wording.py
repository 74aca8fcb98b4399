"""Times, counts, identifiers and masks as words, the same on every screen."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from console.application.views import CeremonyView, SessionView
from console.domain.values import CeremonyPurpose, SignatureKind

MASK = "\u2022\u2022\u2022\u2022"
_NUMBER = re.compile(r"\d[\d\u2009.,]*")
_DAY_MS = 24 * 3_600_000
_KINDS: dict[str, str] = {kind.value: kind.label for kind in SignatureKind}

_LAST_MS = 253_402_300_799_000
"""The last second of the year 9999, in UTC milliseconds: dates end there."""


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


def due(due_ms: int, now_ms: int) -> str:
    """Return "due in 12 days", "due in 5 h" or "overdue by 3 days"."""
    if due_ms >= now_ms:
        return f"due in {days(due_ms - now_ms)}"
    return f"overdue by {days(now_ms - due_ms)}"


def days(length_ms: int) -> str:
    """Return a length of time in days, finer only below 1 day."""
    whole = length_ms // _DAY_MS
    return count(whole, "day") if whole else span(length_ms)


def capital(text: str) -> str:
    """Return the text as the start of a sentence."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return a reason of the node as a complete sentence; "" stays ""."""
    end = "" if not text or text.endswith((".", "!", "?")) else "."
    return f"{capital(text)}{end}"


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
    """Return a text in groups of `size`."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def shortened(text: str, groups: int = 2) -> str:
    """Return the first and last groups of a long identifier, for lists only."""
    parts = chunks(text)
    if len(parts) <= 2 * groups:
        return " ".join(parts)
    tail = text[-4 * groups :]
    return f"{' '.join(parts[:groups])} \u2026 {' '.join(chunks(tail))}"


def masked(text: str, *, hide: bool) -> str:
    """Return the text, or a mask of fixed length."""
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


def kinds(names: Sequence[str]) -> str:
    """Return signature kinds in one short line, "ECDSA, Schnorr, EdDSA"."""
    return ", ".join(_KINDS.get(name, name) for name in names)


def quorum(threshold: int, custodians: int) -> str:
    """Return "2 of 3"."""
    return f"{threshold} of {custodians}"


def holders(view: CeremonyView) -> int:
    """Return how many custodians hold shares after a ceremony."""
    return sum(person.member not in view.leaving for person in view.custodians)


def node_state(session: SessionView) -> tuple[str, str]:
    """Return who of the members is ready to sign and online, and how far the ledger is sealed."""
    able = sum(member.able for member in session.members)
    online = sum(member.online for member in session.members)
    sealed = f"Ledger sealed to #{number(session.ledger_sequence)}"
    ready = f"{quorum(able, len(session.members))} members ready to sign, {online} online"
    return ready, sealed


def ceremony(view: CeremonyView) -> str:
    """Return a ceremony's title, "Refresh of Treasury"."""
    match view.purpose:
        case CeremonyPurpose.REFRESH:
            return f"Refresh of {view.wallet_name}"
        case CeremonyPurpose.REPAIR:
            names = {person.member: person.name for person in view.custodians}
            owner = names.get(view.repaired, view.repaired)
            return f"Repair of {owner}\u2019s share in {view.wallet_name}"
        case CeremonyPurpose.RESHARE:
            shape = quorum(view.threshold, holders(view))
            return f"Reshare of {view.wallet_name} to {shape}"
        case _:
            return f"Ceremony for {view.wallet_name}"


def _utc(at_ms: int) -> datetime:
    # Nodes and old records may hold any number: a page is shown whatever they say.
    return datetime.fromtimestamp(min(max(at_ms, 0), _LAST_MS) / 1000, UTC)
