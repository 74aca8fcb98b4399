"""Member: who belongs to this vault, by which keys, and what was seen of their ledgers."""

from dataclasses import dataclass, replace
from typing import assert_never

from console.domain.errors import Conflict, UnknownMember
from console.domain.events import Event, Evidence, MemberEnrolled, PeerHeadSeen, VaultUnlocked
from console.domain.ids import MemberId


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the roster. `head` is the newest ledger head that it signed for us."""

    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    address: str
    head_sequence: int = 0
    head_hash: bytes = b""
    head_signed_at_ms: int = 0
    last_unlocked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Enrol:
    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    address: str


@dataclass(frozen=True, slots=True)
class RecordUnlock:
    member: MemberId
    at_ms: int
    verified_to: int


@dataclass(frozen=True, slots=True)
class RecordHead:
    """A peer told its ledger head, signed at `signed_at_ms` by its own clock."""

    member: MemberId
    sequence: int
    hash: bytes
    signed_at_ms: int
    evidence: Evidence


MemberCommand = Enrol | RecordUnlock | RecordHead


def decide(state: Member | None, command: MemberCommand) -> tuple[Event, ...]:
    """Decide on a member's stream. Raises: UnknownMember, Conflict (a ledger went backwards)."""
    match command:
        case Enrol():
            return _enrol(state, command)
        case RecordUnlock(member, at_ms, verified_to):
            _known(state, member)
            return (VaultUnlocked(member, at_ms, verified_to),)
        case RecordHead():
            return _record_head(_known(state, command.member), command)
        case _:
            assert_never(command)


def evolve(state: Member | None, event: Event) -> Member | None:
    """Fold one event of a member's stream."""
    match event:
        case MemberEnrolled(member, display_name, identity_key, tls_pin, address):
            return Member(member, display_name, identity_key, tls_pin, address)
        case VaultUnlocked(at_ms=at_ms) if state:
            return replace(state, last_unlocked_ms=at_ms)
        case PeerHeadSeen(sequence=sequence, hash=hash_, signed_at_ms=at_ms) if state:
            return replace(state, head_sequence=sequence, head_hash=hash_, head_signed_at_ms=at_ms)
        case _:
            return state


def _enrol(state: Member | None, command: Enrol) -> tuple[Event, ...]:
    enrolled = MemberEnrolled(
        command.member,
        command.display_name,
        command.identity_key,
        command.tls_pin,
        command.address,
    )
    if state is None:
        return (enrolled,)
    if (state.identity_key, state.tls_pin) != (command.identity_key, command.tls_pin):
        raise Conflict(
            f"the roster names other keys for {command.member} than the ledger; a change of keys "
            "needs the quorum's signatures"
        )
    return ()


def _record_head(state: Member, command: RecordHead) -> tuple[Event, ...]:
    if command.sequence < state.head_sequence:
        if command.signed_at_ms <= state.head_signed_at_ms:
            # Of two runs that were agreed to at once, the one agreed to first may begin last.
            return ()
        raise Conflict(
            f"{command.member} reports ledger record {command.sequence}, older than "
            f"{state.head_sequence} that it signed before: its ledger was rolled back"
        )
    if command.sequence == state.head_sequence:
        if command.hash != state.head_hash:
            raise Conflict(f"{command.member} signed two different ledger heads with one number")
        return ()
    return (
        PeerHeadSeen(
            command.member,
            command.sequence,
            command.hash,
            command.signed_at_ms,
            command.evidence,
        ),
    )


def _known(state: Member | None, member: MemberId) -> Member:
    if state is None:
        raise UnknownMember(f"{member} is not in the roster")
    return state
