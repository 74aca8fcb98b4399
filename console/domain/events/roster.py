"""Events of the roster: who belongs to the vault, and who admits machines."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event, Evidence
from console.domain.ids import MemberId, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterDecisionSigned(Event):
    """A member's operator signed decision `number` about the roster.

    `prior` is the digest, 32 bytes, of the decision in force before it; zeros for the first.
    `retires` leave the vault, and `electors` decide and admit machines from then on. `certified`
    names sessions of ceremonies that those who leave took part in, certified before.
    """

    NAME: ClassVar[str] = "roster.decision-signed.v1"
    number: int
    prior: bytes
    retires: tuple[MemberId, ...]
    electors: tuple[MemberId, ...]
    certified: tuple[SessionId, ...]
    by: MemberId
    at_ms: int
    evidence: Evidence
