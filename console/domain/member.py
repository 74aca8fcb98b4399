"""Member: the members of this vault, their keys and machines, and their newest ledger heads."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from console.domain import machine_links
from console.domain.errors import Conflict, UnknownMember
from console.domain.events import (
    AddressChanged,
    AddressSetHere,
    ClockAccepted,
    Event,
    Evidence,
    LinkKeyChanged,
    MachineAdmitted,
    MachineEndorsed,
    MemberEnrolled,
    MemberForked,
    PeerHeadSeen,
    VaultUnlocked,
)
from console.domain.ids import MemberId, SessionId
from console.domain.machine_links import LinkEvent, MachineLinks
from console.domain.roster import majority


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the roster. `head` is the newest ledger head that it signed for us.

    `forked` holds two heads of its current machine that exclude each other.

    A `founder` is in the roster file. A member is `enrolled` once a machine of it is admitted.
    `endorsed` are machines that members endorsed. `certificate` is the machine's, in PEM; b""
    if the roster file has it. `former_keys` belong to machines that were replaced. `admitted` are
    the digests of machines that were admitted, each with the number of endorsements that it took;
    `admitted_after` the number of the decision about the roster that was in force for the last.
    `certified_before` are sessions known to be older than the member's leaving.
    `links` are changes of the machine's address and TLS key; `address` is the newest it signed.
    """

    member: MemberId
    display_name: str
    identity_key: bytes
    tls_pin: bytes
    address: str
    founder: bool = False
    enrolled: bool = True
    certificate: bytes = b""
    former_keys: tuple[bytes, ...] = ()
    admitted_after: int = 0
    certified_before: frozenset[SessionId] = frozenset()
    admitted: tuple[tuple[bytes, int], ...] = ()
    endorsed: tuple[MachineEndorsed, ...] = ()
    head_sequence: int = 0
    head_hash: bytes = b""
    head_signed_at_ms: int = 0
    head_evidence: Evidence | None = None
    forked: MemberForked | None = None
    last_unlocked_ms: int | None = None
    links: MachineLinks = field(default_factory=MachineLinks)

    @property
    def tls_pins(self) -> frozenset[bytes]:
        """The pins of the TLS keys that its machine may show."""
        return self.links.pins(self.tls_pin)

    def was_certified_before(self, session: SessionId) -> bool:
        """Return whether a session is known to be older than a replacement of this machine.

        More than half of as many founders as admitted the new machine had it on record as
        certified when they endorsed: without them a thief of the old key could date it back.
        """
        if session in self.certified_before:
            return True
        for digest, needed in self.admitted:
            listing = {e.by for e in self.endorsed if e.digest == digest and session in e.certified}
            if len(listing) > needed // 2:
                return True
        return False

    def without_machine(self, certified: frozenset[SessionId]) -> "Member":
        """Return a member that has left, with no key but former ones."""
        keys = (*self.former_keys, self.identity_key)
        return replace(self, identity_key=b"", former_keys=keys, certified_before=certified)


@dataclass(frozen=True, slots=True, kw_only=True)
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
class AcceptClock:
    member: MemberId
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHead:
    """A peer sent its ledger head, signed at `signed_at_ms` by its own clock."""

    member: MemberId
    sequence: int
    hash: bytes
    signed_at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFork:
    """Two heads with one number and different hashes, both verified by the caller."""

    member: MemberId
    first: Evidence
    second: Evidence
    at_ms: int


@dataclass(frozen=True, slots=True)
class Endorse:
    """The event is built, and its evidence verified, by the caller.

    `electors` are who endorses this machine after the decision about the roster that it names.
    Other admissions, in any order, do not change this set: all ledgers admit the same machines.
    """

    machine: MachineEndorsed
    electors: frozenset[MemberId]


@dataclass(frozen=True, slots=True)
class ChangeLink:
    """A machine moved or changes its TLS key; the caller builds the event and verifies it."""

    event: LinkEvent


MemberCommand = Enrol | RecordUnlock | AcceptClock | RecordHead | RecordFork | Endorse | ChangeLink


def decide(state: Member | None, command: MemberCommand) -> tuple[Event, ...]:
    """Return the events that a command causes. Raises: UnknownMember, Conflict (rolled back)."""
    match command:
        case Enrol():
            return _enrol(state, command)
        case RecordUnlock(member, at_ms, verified_to):
            _known(state, member)
            return (VaultUnlocked(member, at_ms, verified_to),)
        case AcceptClock(name, at_ms):
            _known(state, name)
            return (ClockAccepted(name, at_ms),)
        case RecordHead():
            return _record_head(_known(state, command.member), command)
        case RecordFork(member=name, first=first, second=second, at_ms=at_ms):
            if _known(state, name).forked:
                return ()
            return (MemberForked(member=name, first=first, second=second, at_ms=at_ms),)
        case Endorse(machine, electors):
            return _endorse(state, machine, electors)
        case ChangeLink(change):
            return machine_links.decide(_known(state, change.member).links, change)
        case _:
            assert_never(command)


def evolve(state: Member | None, event: Event) -> Member | None:
    """Return the state after one event of a member's stream."""
    match event:
        case MemberEnrolled(
            member=member,
            display_name=display_name,
            identity_key=identity_key,
            tls_pin=tls_pin,
            address=address,
        ):
            return Member(
                member=member,
                display_name=display_name,
                identity_key=identity_key,
                tls_pin=tls_pin,
                address=address,
                founder=True,
            )
        case MachineEndorsed():
            return _fold_endorsed(state, event)
        case MachineAdmitted() if state:
            return _fold_admitted(state, event)
        case VaultUnlocked(at_ms=at_ms) if state:
            return replace(state, last_unlocked_ms=at_ms)
        case PeerHeadSeen() if state:
            return replace(
                state,
                head_sequence=event.sequence,
                head_hash=event.hash,
                head_signed_at_ms=event.signed_at_ms,
                head_evidence=event.evidence,
            )
        case MemberForked() if state:
            return replace(state, forked=event)
        case AddressChanged(address=address) if state:
            return replace(state, address=address, links=machine_links.evolve(state.links, event))
        case AddressSetHere() | LinkKeyChanged() if state:
            return replace(state, links=machine_links.evolve(state.links, event))
        case _:
            return state


def _enrol(state: Member | None, command: Enrol) -> tuple[Event, ...]:
    enrolled = MemberEnrolled(
        member=command.member,
        display_name=command.display_name,
        identity_key=command.identity_key,
        tls_pin=command.tls_pin,
        address=command.address,
    )
    if state is None:
        return (enrolled,)
    if state.former_keys:
        # The roster file names the first machines only; later ones are in the ledger.
        return ()
    if (state.identity_key, state.tls_pin) != (command.identity_key, command.tls_pin):
        raise Conflict(
            f"the roster names other keys for {command.member} than the ledger; a change of keys "
            "needs the quorum's signatures"
        )
    return ()


def _record_head(state: Member, command: RecordHead) -> tuple[Event, ...]:
    if command.sequence < state.head_sequence:
        if command.signed_at_ms <= state.head_signed_at_ms:
            # Of two sessions agreed to at the same time, the one agreed to first may begin last.
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
            member=command.member,
            sequence=command.sequence,
            hash=command.hash,
            signed_at_ms=command.signed_at_ms,
            evidence=command.evidence,
        ),
    )


def _known(state: Member | None, member: MemberId) -> Member:
    if state is None:
        raise UnknownMember(f"{member} is not in the roster")
    return state


def _endorse(
    state: Member | None, machine: MachineEndorsed, electors: frozenset[MemberId]
) -> tuple[Event, ...]:
    if machine.by == machine.member:
        raise Conflict("no member endorses a machine of its own")
    if machine.by not in electors:
        # Otherwise two later members could replace a founder's machine with one of theirs.
        raise Conflict(f"{machine.by} does not endorse machines: founders do, or who they chose")
    if state:
        keys = {state.identity_key, *state.former_keys} if state.enrolled else set()
        if machine.identity_key in keys and machine.digest not in {
            v.digest for v in state.endorsed
        }:
            raise Conflict(f"{machine.member} has, or had, a machine with this key")
        same = [
            v for v in state.endorsed if (v.digest, v.decided) == (machine.digest, machine.decided)
        ]
        if any(v.by == machine.by for v in same):
            return ()
    else:
        same = []
    if len(same) + 1 != majority(len(electors)):
        return (machine,)
    admitted = MachineAdmitted(
        member=machine.member,
        digest=machine.digest,
        at_ms=machine.at_ms,
        decided=machine.decided,
    )
    return (machine, admitted)


def _fold_endorsed(state: Member | None, event: MachineEndorsed) -> Member:
    if state is None:
        # A new member is enrolled once enough founders have endorsed its machine.
        state = Member(
            member=event.member,
            display_name=event.display_name,
            identity_key=b"",
            tls_pin=b"",
            address=event.address,
            enrolled=False,
        )
    return replace(state, endorsed=(*state.endorsed, event))


def _fold_admitted(state: Member, event: MachineAdmitted) -> Member:
    endorsed = [v for v in state.endorsed if (v.digest, v.decided) == (event.digest, event.decided)]
    machine, own = endorsed[0], state.identity_key
    state = replace(state, admitted=(*state.admitted, (event.digest, len(endorsed))))
    if state.enrolled and machine.identity_key == own:
        # Two quorums admitted the same machine, each before it heard of the other: it goes on.
        return replace(state, admitted_after=max(state.admitted_after, event.decided))
    if state.enrolled and event.decided < state.admitted_after:
        # Heard of late, or made late by who decides no more: a later quorum's machine stays.
        return replace(state, former_keys=(*state.former_keys, machine.identity_key))
    return replace(
        state,
        admitted_after=event.decided,
        display_name=machine.display_name,
        identity_key=machine.identity_key,
        tls_pin=machine.tls_pin,
        address=machine.address,
        certificate=machine.certificate,
        enrolled=True,
        former_keys=(*state.former_keys, own) if state.enrolled else (),
        # The new machine starts its own ledger.
        head_sequence=0,
        head_hash=b"",
        head_signed_at_ms=0,
        head_evidence=None,
        forked=None,
        links=MachineLinks(),
    )
