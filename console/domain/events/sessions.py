"""How this member's protocol sessions ended when a check failed."""

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
    """A check failed in a protocol session: this member's verdict, recorded before it is sent.

    `verdict` is "blame", "ban" or "freeze"; `check` names the check that failed. `wallet` and
    `epoch` name the keys in use, "" and 0 in a key generation. `proof` holds signed messages of
    the blamed members, where these let others repeat the check.
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
