"""Machines: a member's new machine, or a new member's first, counts when enough others endorse.

What members endorse is the identity key, which no one can take out of the new token, and the
TLS certificate. Shares do not move with it: a repair follows.
"""

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
import structlog

from console.application.aggregates import Aggregates
from console.application.peers.addresses import Addresses
from console.application.peers.link_keys import LinkKeys
from console.application.peers.signed_statements import Publish, StatementRefused, Verified
from console.application.peers.statements import (
    MAX_CERTIFIED_SESSIONS,
    AddressChange,
    LinkKeyChange,
    MachineEndorsement,
)
from console.application.peers.telling import Telling
from console.application.ports.clock import Clock
from console.application.ports.link_keys import MachineUnusable
from console.application.ports.network import NetworkPort
from console.domain import member
from console.domain.addresses import proper_address
from console.domain.errors import Conflict
from console.domain.events import MachineEndorsed
from console.domain.ids import MEMBER_PATTERN, MemberId, SessionId, WalletId
from console.domain.names import proper_name
from console.domain.quotas import Counted
from console.domain.short_code import short_code
from console.domain.values import MAX_LABEL

log = structlog.get_logger(__name__)

MAX_ENTRY_CHARACTERS = 16_384
_PAUSE_S = 15.0
"""Between two attempts to tell those who were not reached."""

NOT_ELECTOR = "founding members endorse machines, or whom a quorum of them has chosen"

_DOMAIN = b"quorate/machine/v1"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry line as `quorate init` prints it."""

    member: Annotated[str, msgspec.Meta(pattern=MEMBER_PATTERN)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL)]
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=255)]
    identity_key: Annotated[str, msgspec.Meta(pattern=r"\A04[0-9a-f]{128}\Z")]
    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


@dataclass(frozen=True, slots=True)
class Machine:
    """What an entry line says: identity key (65 bytes), TLS certificate (PEM), address."""

    member: MemberId
    name: str
    address: str
    identity_key: bytes
    certificate: bytes

    @property
    def digest(self) -> bytes:
        """Digest of all fields, 32 bytes; people compare its short code."""
        digest = hashlib.sha256(_DOMAIN)
        for part in (
            self.member.encode(),
            self.name.encode(),
            self.address.encode(),
            self.identity_key,
            self.certificate,
        ):
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.digest()

    @property
    def code(self) -> str:
        return short_code(self.digest)


def read_entry(text: str) -> Machine:
    """Read an entry line. Raises: Conflict saying what is wrong with it."""
    if len(text) > MAX_ENTRY_CHARACTERS:
        raise Conflict("this is too long for an entry line")
    try:
        entry = msgspec.json.decode(text.strip(), type=_Entry)
        certificate = entry.certificate.encode("ascii")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Conflict("this is no entry line as `quorate init` prints it") from None
    name = proper_name(entry.name, "a member's name")
    address = proper_address(entry.address, "the address")
    return Machine(
        MemberId(entry.member), name, address, bytes.fromhex(entry.identity_key), certificate
    )


class MachineService:
    """Records endorsements of machines; links to an admitted machine immediately.

    `addresses` and `link_keys` are what changes of a machine later.
    """

    def __init__(
        self,
        me: MemberId,
        aggregates: Aggregates,
        *,
        network: NetworkPort,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._me = me
        self._aggregates = aggregates
        self._network = network
        self._publish = publish
        self._telling = Telling(me, aggregates, network)
        self._news = asyncio.Event()
        """Set when this machine changes its TLS key: what is due then is not put off."""
        self.addresses = Addresses(
            me=me, aggregates=aggregates, clock=clock, publish=publish, let_in=self.let_in
        )
        self.link_keys = LinkKeys(
            me=me,
            aggregates=aggregates,
            network=network,
            clock=clock,
            publish=publish,
            let_in=self.let_in,
            telling=self._telling,
            news=self._news,
        )
        self.handlers: dict[type, Callable[[Verified], Awaitable[None]]] = {
            MachineEndorsement: self.on_endorsement,
            AddressChange: self.addresses.on_change,
            LinkKeyChange: self.link_keys.on_change,
        }

    async def endorse(self, machine: Machine, at_ms: int) -> None:
        """Endorse as this member. Raises: Conflict, DomainError."""
        self.judge(machine)
        await self._publish(
            MachineEndorsement(
                at_ms=at_ms,
                member=machine.member,
                name=machine.name,
                address=machine.address,
                identity_key=machine.identity_key,
                certificate=machine.certificate,
                certified=certified_with(self._aggregates, machine.member),
                decided=self._aggregates.standing.number,
            )
        )

    def judge(self, machine: Machine) -> bytes:
        """Check what can be checked of a machine; return its TLS pin. Raises: Conflict."""
        if machine.member == self._me:
            raise Conflict("others endorse this member's machines")
        standing = self._aggregates.standing
        if self._me not in standing.admitting(machine.member, standing.number):
            raise Conflict(NOT_ELECTOR)
        try:
            pin = self._network.pin_of(machine.member, machine.certificate)
        except MachineUnusable as trouble:
            raise Conflict(str(trouble)) from None
        for known in self._aggregates.everybody():
            if pin in known.tls_pins or machine.identity_key == known.identity_key:
                raise Conflict(f"these keys are in use by {known.display_name}")
        return pin

    async def on_endorsement(self, verified: Verified) -> None:
        """Record that a member endorses. Raises: StatementRefused, Conflict."""
        s = verified.expect(MachineEndorsement)
        name = proper_name(s.name, "a member's name")
        address = proper_address(s.address, "the address")
        machine = Machine(MemberId(s.member), name, address, s.identity_key, s.certificate)
        try:
            pin = self._network.pin_of(machine.member, machine.certificate)
        except MachineUnusable as trouble:
            raise StatementRefused(str(trouble)) from None
        event = MachineEndorsed(
            member=machine.member,
            display_name=machine.name,
            identity_key=machine.identity_key,
            tls_pin=pin,
            certificate=machine.certificate,
            address=machine.address,
            digest=machine.digest,
            by=verified.signer,
            at_ms=s.at_ms,
            evidence=verified.evidence,
            certified=tuple(SessionId(session) for session in s.certified),
            decided=s.decided,
        )
        for known in self._aggregates.everybody():
            if known.member != machine.member and pin in known.tls_pins:
                raise StatementRefused(f"{known.member} uses the TLS key of this machine")
        electors = self._aggregates.standing.admitting(machine.member, s.decided)
        state = self._aggregates.person(machine.member)
        told = state.endorsed if state else ()
        if all((e.digest, e.by) != (machine.digest, verified.signer) for e in told):
            self._aggregates.quotas.require(verified.signer, Counted.ENDORSEMENT, s.at_ms)
        await self._aggregates.record_member(machine.member, member.Endorse(event, electors))
        await self.let_in(machine.member)

    async def let_in(self, member_id: MemberId) -> None:
        """Link to a member's admitted machine only, where and with which keys it is now."""
        state = self._aggregates.members.get(member_id)
        if state and member_id != self._me:
            links = state.links
            # What the roster file says of a first machine may have been corrected there by hand.
            of_ledger = state.address if state.certificate or links.moved else ""
            certificate = links.key.certificate if links.key else state.certificate
            coming = links.coming.certificate if links.coming else b""
            try:
                await self._network.admit(
                    member_id, links.set_here or of_ledger, certificate, coming
                )
            except MachineUnusable as trouble:
                # On record already, perhaps by an older program: only its links are refused.
                log.warning("machine-not-linked", member=member_id, why=str(trouble))

    async def keep_telling(self) -> None:
        """Tell the others what changes of this machine, and do what follows, until cancelled."""
        while True:
            self._news.clear()
            own = self._aggregates.members.get(self._me)
            if own and own.links.moved:
                await self._telling.tell(own.links.moved)
            await self.link_keys.go_on()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_S):
                    await self._news.wait()

    async def resume(self) -> None:
        """Link to all machines as they are now: the roster file has the first ones only."""
        for member_id in tuple(self._aggregates.members):
            await self.let_in(member_id)


def certified_with(aggregates: Aggregates, member_id: MemberId) -> tuple[SessionId, ...]:
    """Return the certified sessions that a member took part in: each wallet's newest one first."""
    by_wallet: defaultdict[WalletId, list[tuple[int, SessionId]]] = defaultdict(list)
    for ceremony in aggregates.ceremonies.values():
        session = ceremony.certified_session
        if session is not None and member_id in ceremony.indices:
            by_wallet[ceremony.proposal.wallet].append((ceremony.epoch, session))
    ranked = [
        (age, wallet, session)
        for wallet, sessions in by_wallet.items()
        for age, (_, session) in enumerate(sorted(sessions, reverse=True))
    ]
    return tuple(session for _, _, session in sorted(ranked)[:MAX_CERTIFIED_SESSIONS])


def waiting(aggregates: Aggregates, member_id: MemberId) -> tuple[MachineEndorsed, ...]:
    """Return the machines of a member that are endorsed, one each, newest first."""
    state = aggregates.person(member_id)
    if state is None:
        return ()
    first: dict[bytes, MachineEndorsed] = {}
    for endorsed in state.endorsed:
        first.setdefault(endorsed.digest, endorsed)
    return tuple(reversed(first.values()))
