"""Events of members, their machines and their ledgers."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event, Evidence
from console.domain.ids import MemberId, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnrolled(Event):
    """A member is part of this vault: identity key (65 bytes) and TLS pin (SHA-256 of SPKI)."""

    NAME: ClassVar[str] = "member.enrolled.v1"
    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    address: str


@dataclass(frozen=True, slots=True)
class VaultUnlocked(Event):
    """The operator logged in to the vault and the ledger was verified up to `verified_to`."""

    NAME: ClassVar[str] = "member.vault-unlocked.v1"
    member: MemberId
    at_ms: int
    verified_to: int


@dataclass(frozen=True, slots=True)
class ClockAccepted(Event):
    """The operator says that the clock is right, though the ledger has records of a later time.

    Records after this one are compared with its time, not with those before it.
    """

    NAME: ClassVar[str] = "member.clock-accepted.v1"
    member: MemberId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHeadSeen(Event):
    """A peer's signed ledger head, with which others detect that its ledger was rolled back."""

    NAME: ClassVar[str] = "member.peer-head-seen.v1"
    member: MemberId
    sequence: int
    hash: bytes
    signed_at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberForked(Event):
    """A member signed two ledger heads with one number: it shows different ledgers to others."""

    NAME: ClassVar[str] = "member.forked.v1"
    member: MemberId
    first: Evidence
    second: Evidence
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineEndorsed(Event):
    """A member's operator endorses a machine: a member's new one, or a new member's first.

    `digest` covers all its fields; `certificate` is its TLS certificate in PEM. `certified` names
    ceremonies' sessions that the machine before it took part in, certified before the endorsement.
    `decided` is the number of the decision about the roster by which the endorser counts itself in.
    """

    NAME: ClassVar[str] = "member.machine-vouched.v1"
    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    certificate: bytes
    address: str
    digest: bytes
    by: MemberId
    at_ms: int
    evidence: Evidence
    certified: tuple[SessionId, ...] = ()
    decided: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineAdmitted(Event):
    """Enough members endorsed: from now on the member has this machine and no other."""

    NAME: ClassVar[str] = "member.machine-admitted.v1"
    member: MemberId
    digest: bytes
    at_ms: int
    decided: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChanged(Event):
    """A member says where its machine is reached from now on; `digest` is its statement's."""

    NAME: ClassVar[str] = "member.address-changed.v1"
    member: MemberId
    address: str
    digest: bytes
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AddressSetHere(Event):
    """This node's operator entered where a peer is reached; "" takes it back.

    It is this node's alone, and ends with the next address that the peer signs.
    """

    NAME: ClassVar[str] = "member.address-set-here.v1"
    member: MemberId
    address: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkKeyChanged(Event):
    """A member says which TLS key its machine has: beside the one before, or `alone`.

    `certificate` (PEM) holds the key and `tls_pin` is its pin; `digest` is the statement's.
    """

    NAME: ClassVar[str] = "member.link-key-changed.v1"
    member: MemberId
    certificate: bytes
    tls_pin: bytes
    alone: bool
    digest: bytes
    at_ms: int
    evidence: Evidence
