"""Aggregates: the fold of the verified ledger, and the only way to record something new."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from console.application.errors import LedgerNewer
from console.application.ports.event_bus import EventBus
from console.application.ports.event_store import EventStore, RecordedEvent
from console.domain import (
    ceremony_decisions,
    competing,
    key_ceremony,
    member,
    request_decisions,
    roster,
    signing_request,
    wallet,
)
from console.domain.ceremony_commands import CeremonyCommand
from console.domain.errors import NotYetPossible, UnknownMember
from console.domain.events import (
    AddressChanged,
    CeremonyProposed,
    Event,
    KeyChangeProposed,
    LinkKeyChanged,
    MachineAdmitted,
    MachineEndorsed,
    MemberEnrolled,
    RequestProposed,
    RosterDecisionSigned,
    SessionAborted,
)
from console.domain.ids import CeremonyId, MemberId, RequestId, WalletId
from console.domain.key_ceremony import KeyCeremony
from console.domain.member import Member, MemberCommand
from console.domain.policy import Policy
from console.domain.quotas import Counted, Quotas
from console.domain.request_commands import Propose, RequestCommand
from console.domain.roster import Roster, Standing
from console.domain.signing_request import SigningRequest
from console.domain.wallet import Wallet, WalletCommand
from console.version import VERSION

_PAGE = 512

K = TypeVar("K")
S = TypeVar("S")


class Aggregates:
    """Current state of every aggregate. State changes only by what the ledger has recorded."""

    def __init__(self, store: EventStore, bus: EventBus) -> None:
        self._store = store
        self._bus = bus
        self._versions: dict[str, int] = defaultdict(int)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.members: dict[MemberId, Member] = {}
        self.former: dict[MemberId, Member] = {}
        """Who has left by a decision about the roster: nothing that they sign counts."""
        self.candidates: dict[MemberId, Member] = {}
        """Who is endorsed as a new member, but not by enough yet."""
        self.ceremonies: dict[CeremonyId, KeyCeremony] = {}
        self.wallets: dict[WalletId, Wallet] = {}
        self.requests: dict[RequestId, SigningRequest] = {}
        self.verdicts: list[SessionAborted] = []
        self.roster = Roster()
        self._standing: Standing | None = None
        """As it was worked out last; None after a change."""
        self.quotas = Quotas()

    async def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Fold the whole ledger. Raises: LedgerCorrupted, LedgerNewer."""
        total = (await self._store.head()).sequence
        after = 0
        while records := await self._store.read_all(after, _PAGE):
            for record in records:
                self._fold(record)
            after = records[-1].sequence
            if progress:
                progress(after, total)

    def wallet(self, wallet_id: WalletId) -> Wallet:
        """Raises: NotYetPossible."""
        try:
            return self.wallets[wallet_id]
        except KeyError:
            raise NotYetPossible("this wallet is not known here") from None

    def policy_of(self, wallet_id: WalletId, epoch: int) -> Policy:
        """Return a wallet's policy in an epoch that was certified. Raises: NotYetPossible."""
        wallet = self.wallet(wallet_id)
        if wallet.epoch == epoch:
            return wallet.policy
        origin = competing.origin_of(wallet_id, epoch, self.ceremonies.values())
        if origin is None:
            raise NotYetPossible("this epoch of the wallet is not known here")
        return Policy(epoch + 1, origin.quorum, origin.proposal.approvals_needed)

    def ceremony(self, ceremony_id: CeremonyId) -> KeyCeremony:
        """Raises: NotYetPossible."""
        try:
            return self.ceremonies[ceremony_id]
        except KeyError:
            raise NotYetPossible("this ceremony is not known here yet") from None

    def request(self, request_id: RequestId) -> SigningRequest:
        """Raises: NotYetPossible."""
        try:
            return self.requests[request_id]
        except KeyError:
            raise NotYetPossible("this request is not known here yet") from None

    def member(self, member_id: MemberId) -> Member:
        """Raises: UnknownMember."""
        try:
            return self.members[member_id]
        except KeyError:
            raise UnknownMember(f"{member_id} is not in the roster") from None

    @property
    def standing(self) -> Standing:
        """What the decisions about the roster amount to."""
        if self._standing is None:
            self._standing = self.roster.standing(m.member for m in self.everybody() if m.founder)
        return self._standing

    def everybody(self) -> tuple[Member, ...]:
        """Return who belongs to the vault and who has left it."""
        return (*self.members.values(), *self.former.values())

    def certifiers(self) -> dict[MemberId, Member]:
        """Return who may have signed a certificate: members, and who has left since."""
        listed = self.standing.listed
        left = {name: m.without_machine(listed[name]) for name, m in self.former.items()}
        return self.members | left

    async def record_roster(self, signed: RosterDecisionSigned) -> bool:
        """Decide and record, as `record_member`."""
        async with self._locks["roster/"]:
            return await self._append("roster/", roster.decide(self.roster, self.standing, signed))

    async def record_member(self, member_id: MemberId, command: MemberCommand) -> bool:
        """Decide and record; True if it was new. Raises: DomainError, LedgerError."""
        stream = f"member/{member_id}"
        async with self._locks[stream]:
            state = self.person(member_id)
            return await self._append(stream, member.decide(state, command))

    async def record_ceremony(self, ceremony_id: CeremonyId, command: CeremonyCommand) -> bool:
        """Decide and record, as `record_member`."""
        stream = f"key-ceremony/{ceremony_id}"
        async with self._locks[stream]:
            state = self.ceremonies.get(ceremony_id)
            return await self._append(stream, ceremony_decisions.decide(state, command))

    async def activate_wallet(self, ceremony: KeyCeremony, at_ms: int) -> bool:
        """Record the wallet of a certified ceremony, as `record_member`."""
        wallet_id = ceremony.proposal.wallet
        stream = f"wallet/{wallet_id}"
        async with self._locks[stream]:
            state = self.wallets.get(wallet_id)
            return await self._append(stream, wallet.activate(state, ceremony, at_ms))

    async def record_wallet(self, wallet_id: WalletId, command: WalletCommand) -> bool:
        """Decide and record, as `record_member`."""
        stream = f"wallet/{wallet_id}"
        async with self._locks[stream]:
            state = self.wallets.get(wallet_id)
            return await self._append(stream, wallet.decide(state, command))

    async def record_verdict(self, verdict: SessionAborted) -> bool:
        """Record what a session of this member ended with, once. Raises: LedgerError."""
        stream = f"run/{verdict.session}"
        async with self._locks[stream]:
            known = any(v.session == verdict.session for v in self.verdicts)
            return await self._append(stream, () if known else (verdict,))

    async def record_request(
        self, request_id: RequestId, wallet_id: WalletId, command: RequestCommand
    ) -> bool:
        """Decide and record under the wallet's policy, as `record_member`."""
        stream = f"signing-request/{request_id}"
        async with self._locks[stream]:
            state = self.requests.get(request_id)
            if state:
                policy = state.policy
            elif isinstance(command, Propose):
                policy = self.policy_of(wallet_id, command.proposal.epoch)
            else:
                policy = self.wallet(wallet_id).policy
            return await self._append(stream, request_decisions.decide(state, command, policy))

    async def _append(self, stream: str, events: tuple[Event, ...]) -> bool:
        if not events:
            return False
        for record in await self._store.append(stream, self._versions[stream], events):
            self._fold(record)
            self._bus.publish(record)
        return True

    def _fold(self, record: RecordedEvent) -> None:
        event, (kind, _, name) = record.event, record.stream.partition("/")
        self._versions[record.stream] = record.version
        match kind:
            case "member":
                self._fold_member(MemberId(name), event)
            case "roster":
                self.roster, self._standing = roster.evolve(self.roster, event), None
                self._part_from_former()
            case "key-ceremony":
                _keep(self.ceremonies, CeremonyId(name), key_ceremony.evolve, event)
            case "wallet":
                _keep(self.wallets, WalletId(name), wallet.evolve, event)
            case "run" if isinstance(event, SessionAborted):
                self.verdicts.append(event)
            case "signing-request":
                self._fold_request(RequestId(name), event)
            case _:
                raise LedgerNewer(
                    f"the ledger was written by a later version of Quorate than {VERSION}"
                )
        self._count(event, record.recorded_at_ms)

    def _count(self, event: Event, recorded_at_ms: int) -> None:
        match event:
            case CeremonyProposed() | KeyChangeProposed():
                self.quotas.count(event.proposer, Counted.CEREMONY, event.proposed_at_ms)
            case RequestProposed():
                self.quotas.count(event.proposer, Counted.REQUEST, event.proposed_at_ms)
            case MachineEndorsed():
                self.quotas.count(event.by, Counted.ENDORSEMENT, event.at_ms)
            case AddressChanged() | LinkKeyChanged():
                # Not by its own date: years of old dates may be signed in one go.
                self.quotas.count(event.member, Counted.LINK_CHANGE, recorded_at_ms)
            case _:
                pass

    def _fold_member(self, member_id: MemberId, event: Event) -> None:
        evolved = member.evolve(self.person(member_id), event)
        if isinstance(event, MemberEnrolled):
            self._standing = None
        self.candidates.pop(member_id, None)
        if evolved is not None and not evolved.enrolled:
            self.candidates[member_id] = evolved
        elif evolved is not None:
            (self.former if member_id in self.former else self.members)[member_id] = evolved
            if isinstance(event, MachineAdmitted):
                self._part_from_former()

    def person(self, member_id: MemberId) -> Member | None:
        """Return a member, a former one, or who is endorsed as one."""
        groups = (self.members, self.former, self.candidates)
        return next((group[member_id] for group in groups if member_id in group), None)

    def _part_from_former(self) -> None:
        """Keep apart who has left, and was not admitted again since."""
        retired = self.standing.retired
        everybody = self.members | self.former
        self.members.clear()
        self.former.clear()
        for name, state in everybody.items():
            group = self.former if retired.get(name, 0) > state.admitted_after else self.members
            group[name] = state

    def _fold_request(self, request_id: RequestId, event: Event) -> None:
        state = self.requests.get(request_id)
        if isinstance(event, RequestProposed):
            policy = self.policy_of(event.wallet, event.epoch)
        elif state:
            policy = state.policy
        else:
            return
        evolved = signing_request.evolve(state, event, policy)
        if evolved:
            self.requests[request_id] = evolved


def _keep(
    states: dict[K, S], key: K, evolve: Callable[[S | None, Event], S | None], event: Event
) -> None:
    evolved = evolve(states.get(key), event)
    if evolved is not None:
        states[key] = evolved
