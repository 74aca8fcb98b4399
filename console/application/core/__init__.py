"""Core: everything of a node that lives while its vault is unlocked, wired in one place."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from console.application.aggregates import Aggregates
from console.application.balances import Balances
from console.application.ceremonies.epochs import Epochs
from console.application.ceremonies.key_generation import KeyGenerationService
from console.application.ceremonies.records import CeremonyRecords
from console.application.core.recorders import recorders
from console.application.errors import LedgerClockBehind
from console.application.peers.exchange import UNACCEPTABLE, StatementExchange
from console.application.peers.heads import Heads
from console.application.peers.machines import MachineService
from console.application.peers.messages import (
    Announce,
    AnyReply,
    Begin,
    Invite,
    Pull,
    Refused,
    SessionMessage,
    decode_request,
    encode,
)
from console.application.peers.roster_decisions import RosterDecisions
from console.application.peers.signed_statements import Statements, vault_id
from console.application.peers.timeouts import AdaptiveTimeouts
from console.application.ports.chain import ChainAdapter
from console.application.ports.clock import Clock
from console.application.ports.event_bus import EventBus
from console.application.ports.event_store import EventStore
from console.application.ports.network import NetworkPort
from console.application.ports.threshold import ThresholdScheme
from console.application.ports.vault import VaultPort
from console.application.sagas.broadcast import BroadcastSaga
from console.application.sagas.ceremony import CeremonySaga
from console.application.sagas.doubt import DoubtWatch
from console.application.sagas.drill import DrillSaga
from console.application.sagas.signing import SigningSaga
from console.application.sessions.host import SessionHost, envelope_signer
from console.application.sessions.protocol_session import SessionContext
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.application.signing.coordinator import SigningCoordinator
from console.application.signing.drills import DrillService
from console.application.signing.requests import RequestRecords
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain import member
from console.domain.ids import MemberId
from console.domain.member import Member
from console.domain.values import Chain, SignatureKind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """What a node is made of. `checkpoint` is called before each round leaves (fault tests).

    Each peer is asked what is new `pull_pause_s` after its last answer; statements are told at
    once, so this is for those who missed them.
    """

    vault: VaultPort
    network: NetworkPort
    bus: EventBus
    clock: Clock
    chains: Mapping[Chain, ChainAdapter]
    schemes: Mapping[SignatureKind, ThresholdScheme]
    open_ledger: Callable[[], Coroutine[Any, Any, EventStore]]
    export_ledger: Callable[[EventStore, str, tuple[int, ...]], Coroutine[Any, Any, str]]
    """Exports to a file of this name all records, or those of these numbers; returns its path."""
    key_uses: Mapping[SignatureKind, tuple[str, ...]] = field(default_factory=dict)
    """What the product's chains use each kind of keys for, as people read it."""
    checkpoint: Callable[[str], None] = field(default=lambda _name: None)
    pull_pause_s: float = 1.5


class Core:
    """The services of an unlocked node. `run` owns every task; its end is the core's end."""

    def __init__(
        self,
        me: MemberId,
        ports: Ports,
        store: EventStore,
        roster: tuple[Member, ...],
        moved: Callable[[str], None],
        wallet_changed: Callable[[str], None],
    ) -> None:
        self.me = me
        self.store = store
        self.ports = ports
        self._roster = roster
        self._wallet_changed = wallet_changed
        self.aggregates = Aggregates(store, ports.bus)
        self._statements = Statements(me, ports.vault.identity, vault_id(roster))
        self.shares = ShareManager(me, ports.vault.shares)
        self.heads = Heads(
            me=me,
            aggregates=self.aggregates,
            store=store,
            statements=self._statements,
            clock=ports.clock,
            on_fork=lambda forked: self.host.stop_forked(forked),  # noqa: PLW0108 - made later
        )
        self.exchange = StatementExchange(
            store=store,
            me=me,
            statements=self._statements,
            aggregates=self.aggregates,
            network=ports.network,
            clock=ports.clock,
            spawn=self.spawn,
            heads=self.heads,
            shares=self.shares,
        )
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: list[Coroutine[Any, Any, None]] = []
        self._ended = False
        self._add_sessions(moved)
        self._add_ceremonies()
        self._add_signing()
        self._add_sagas(moved)
        self._register()

    def _add_sessions(self, moved: Callable[[str], None]) -> None:
        ports = self.ports
        tools = SessionContext(
            me=self.me,
            network=ports.network,
            timeouts=AdaptiveTimeouts(),
            sign_envelope=envelope_signer(ports.vault.identity),
            monotonic_s=ports.clock.monotonic_s,
            checkpoint=ports.checkpoint,
            moved=moved,
        )
        self.host = SessionHost(
            tools=tools,
            statements=self._statements,
            members=self.aggregates.members,
            store=self.store,
            clock=ports.clock,
            spawn=self.spawn,
            saw_head=self.heads.saw,
        )

    def _add_ceremonies(self) -> None:
        me, ports, publish = self.me, self.ports, self.exchange.publish
        self.verdicts = Verdicts(
            self.aggregates,
            self.shares,
            ports.clock,
            self.spawn,
            self.host.stop_with,
            self.host.stop_where,
        )
        self.epochs = Epochs(
            me=me,
            aggregates=self.aggregates,
            shares=self.shares,
            clock=ports.clock,
            publish=publish,
        )
        self.ceremony_records = CeremonyRecords(
            me=me,
            aggregates=self.aggregates,
            epochs=self.epochs,
            kinds=ports.schemes,
            clock=ports.clock,
        )
        self.key_generation = KeyGenerationService(
            me=me,
            aggregates=self.aggregates,
            shares=self.shares,
            epochs=self.epochs,
            schemes=ports.schemes,
            identity=ports.vault.identity,
            verdicts=self.verdicts,
            clock=ports.clock,
            publish=publish,
        )

    def _add_signing(self) -> None:
        me, ports, publish = self.me, self.ports, self.exchange.publish
        self.reservations = Reservations(me, self.aggregates, ports.chains, ports.clock)
        self.transactions = Transactions(self.aggregates, ports.schemes, ports.chains)
        self.requests = RequestRecords(
            me=me,
            aggregates=self.aggregates,
            transactions=self.transactions,
            schemes=ports.schemes,
            clock=ports.clock,
        )
        self.signing = SigningCoordinator(
            me=me,
            aggregates=self.aggregates,
            shares=self.shares,
            schemes=ports.schemes,
            transactions=self.transactions,
            requests=self.requests,
            reservations=self.reservations,
            verdicts=self.verdicts,
            clock=ports.clock,
            publish=publish,
        )
        self.drills = DrillService(
            me=me,
            aggregates=self.aggregates,
            shares=self.shares,
            schemes=ports.schemes,
            verdicts=self.verdicts,
            clock=ports.clock,
            publish=publish,
        )
        self.machines = MachineService(
            me, self.aggregates, network=ports.network, clock=ports.clock, publish=publish
        )
        self.decisions = RosterDecisions(
            me=me,
            aggregates=self.aggregates,
            network=ports.network,
            publish=publish,
            stop_with=self.host.stop_former,
            let_in=self.machines.let_in,
        )
        self.balances = Balances(self.aggregates, self.transactions, ports.chains, ports.clock)

    def _add_sagas(self, moved: Callable[[str], None]) -> None:
        me, ports = self.me, self.ports
        self.ceremony_saga = CeremonySaga(
            me=me,
            aggregates=self.aggregates,
            host=self.host,
            clock=ports.clock,
            spawn=self.spawn,
            moved=moved,
        )
        self.drill_saga = DrillSaga(
            me=me,
            aggregates=self.aggregates,
            host=self.host,
            verdicts=self.verdicts,
            spawn=self.spawn,
        )
        self.signing_saga = SigningSaga(
            me=me,
            aggregates=self.aggregates,
            host=self.host,
            verdicts=self.verdicts,
            clock=ports.clock,
            health=ports.network.health,
            locked=lambda: self.exchange.locked,
            spawn=self.spawn,
            moved=moved,
            lacking=self.exchange.lacking.of,
        )
        self.broadcast_saga = BroadcastSaga(
            me=me,
            aggregates=self.aggregates,
            chains=ports.chains,
            reservations=self.reservations,
            clock=ports.clock,
            spawn=self.spawn,
            moved=moved,
        )

        self.doubts = DoubtWatch(self.transactions, self.reservations, moved)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task inside the core. Before `run` it waits; after it, the work is dropped."""
        if self._ended:
            work.close()
        elif self._tasks is None:
            self._waiting.append(work)
        else:
            try:
                self._tasks.create_task(work)
            except RuntimeError:
                # The group is shutting down: nothing new is started.
                work.close()

    async def open(
        self, verified_to: int, progress: Callable[[int, int], None], *, clock_is_right: bool
    ) -> None:
        """Fold the ledger, enrol the roster, end what a crash interrupted.

        With `clock_is_right`, records of a later time are accepted as such, on record.
        Raises: LedgerError, Conflict if the roster's keys are not the ledger's.
        """
        await self.aggregates.load(progress)
        for m in self._roster:
            command = member.Enrol(
                member=m.member,
                display_name=m.display_name,
                identity_key=m.identity_key,
                tls_pin=m.tls_pin,
                address=m.address,
            )
            await self.aggregates.record_member(m.member, command)
        if self.me in self.aggregates.members:
            # A new member is unknown here until others have endorsed its machine.
            unlocked = member.RecordUnlock(self.me, self.ports.clock.now_ms(), verified_to)
            try:
                await self.aggregates.record_member(self.me, unlocked)
            except LedgerClockBehind:
                if not clock_is_right:
                    raise
                accept = member.AcceptClock(self.me, self.ports.clock.now_ms())
                await self.aggregates.record_member(self.me, accept)
                await self.aggregates.record_member(self.me, unlocked)

    async def run(self, ready: Callable[[], None]) -> None:
        """Work until cancelled or stopped. Raises what no task expected, as a group."""
        sagas = (self.ceremony_saga, self.drill_saga, self.signing_saga, self.broadcast_saga)
        unsubscribe = [self.ports.bus.subscribe(saga.on_event) for saga in sagas]
        unsubscribe.append(self.ports.bus.subscribe(self.balances.on_event))
        retry = self.exchange.retry_deferred
        unsubscribe.append(self.ports.bus.subscribe(lambda _: self.spawn(retry())))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for work in self._waiting:
                    tasks.create_task(work)
                self._waiting.clear()
                await self.exchange.lacking.check()
                await self.machines.resume()
                await self.decisions.carry_out()
                await self.key_generation.burn_interrupted()
                await self.epochs.resume()
                await self.requests.burn_interrupted()
                ready()
                for saga in sagas:
                    saga.resume()
                tasks.create_task(self.exchange.keep_up(self.ports.pull_pause_s))
                tasks.create_task(self.machines.keep_telling())
                tasks.create_task(self.balances.keep_fresh(self._wallet_changed))
                tasks.create_task(self.doubts.keep_asking())
        finally:
            self._tasks, self._ended = None, True
            for work in self._waiting:
                work.close()
            for undo in unsubscribe:
                undo()

    async def answer(self, peer: MemberId, data: bytes) -> bytes:
        """Answer a peer's request. Raises: MalformedPeerMessage."""
        request = decode_request(data)
        reply: AnyReply
        try:
            match request:
                case Announce():
                    reply = await self.exchange.on_announce(request)
                case Pull():
                    reply = await self.exchange.on_pull(peer, request)
                case Invite():
                    reply = await self.host.on_invite(peer, request)
                case Begin():
                    reply = await self.host.on_begin(peer, request)
                case SessionMessage():
                    reply = await self.host.on_message(peer, request)
        except UNACCEPTABLE as refusal:
            reply = Refused(str(refusal))
        return encode(reply)

    def _register(self) -> None:
        handlers = recorders(
            ceremonies=self.ceremony_records,
            epochs=self.epochs,
            drills=self.drills,
            machines=self.machines,
            decisions=self.decisions,
            requests=self.requests,
        )
        for run_kind in (self.key_generation, self.signing, self.drills):
            self.host.register(run_kind)
        for kind, handler in handlers.items():
            self.exchange.handle(kind, handler)

    def forget(self) -> None:
        """Wipe every share in use, at once."""
        for service in (self.key_generation, self.signing, self.drills):
            service.forget()
