"""Identifiers that cannot be mistaken for one another, and the one place that checks their form."""

import re
from typing import NewType

from console.domain.errors import MalformedIdentifier

MemberId = NewType("MemberId", str)
"""A member's short name in the roster: 1 to 32 characters of a-z, 0-9 and '-'."""
WalletId = NewType("WalletId", str)
CeremonyId = NewType("CeremonyId", str)
RequestId = NewType("RequestId", str)
"""`rq-` and 16 hexadecimal digits."""
SessionId = NewType("SessionId", str)
"""64 hexadecimal digits: one attempt at one protocol session."""

MEMBER_PATTERN = r"\A[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\Z"
_NAME = re.compile(MEMBER_PATTERN)
_HEX_64 = re.compile(r"[0-9a-f]{64}\Z")


def member_id(text: str) -> MemberId:
    """Return a member's name after checking its form. Raises: MalformedIdentifier."""
    if not _NAME.match(text):
        raise MalformedIdentifier("a member's name is 1 to 32 characters of a-z, 0-9 and '-'")
    return MemberId(text)


def wallet_id(entropy: bytes) -> WalletId:
    """Return a wallet id from 8 random bytes."""
    return WalletId(_named("wl", entropy))


def ceremony_id(entropy: bytes) -> CeremonyId:
    """Return a ceremony id from 8 random bytes."""
    return CeremonyId(_named("kc", entropy))


def request_id(entropy: bytes) -> RequestId:
    """Return a request id from 8 random bytes."""
    return RequestId(_named("rq", entropy))


def session_id(digest: bytes) -> SessionId:
    """Return the name of a protocol session from its 32-byte session id."""
    text = digest.hex()
    if not _HEX_64.match(text):
        raise MalformedIdentifier("a session id has 32 bytes")
    return SessionId(text)


def _named(prefix: str, entropy: bytes) -> str:
    if len(entropy) != 8:
        raise MalformedIdentifier("an identifier is named from 8 random bytes")
    return f"{prefix}-{entropy.hex()}"
