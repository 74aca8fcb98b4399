"""What this member's protocol sessions ended with when a check failed."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event
from console.domain.ids import MemberId, SessionId, WalletId


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A protocol message as its sender signed it: proof that others can check."""

    sender: MemberId
    envelope: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAborted(Event):
    """A check failed in a protocol session: this member's own verdict, recorded before it is told.

    `verdict` is "blame", "ban" or "freeze"; `check` names what fired. `wallet` and `epoch` say
    whose keys were used, "" and 0 in a key generation. `proof` holds signed messages of the
    blamed, where these let others repeat the check.
    """

    NAME: ClassVar[str] = "run.aborted.v1"
    session: SessionId
    purpose: str
    subject: str
    wallet: WalletId
    epoch: int
    verdict: str
    check: str
    reason: str
    blamed: tuple[MemberId, ...]
    proof: tuple[SignedMessage, ...]
    at_ms: int
