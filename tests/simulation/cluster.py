"""Three whole nodes in one process and one virtual clock, on fakes whose faults follow a seed."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from console.adapters.bus.in_process import InProcessBus
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.api import CommandRefused
from console.application.commands import Command, Outcome, Unlock
from console.application.console_service import ConsoleService
from console.application.core import Core, Ports
from console.application.errors import LedgerUnavailable
from console.application.node import Node
from console.application.ports.event_store import EventStore, RecordedEvent
from console.application.ports.threshold import ThresholdScheme
from console.application.ports.vault import HeadAnchorPort
from console.application.views import NodeState
from console.domain.events import Event
from console.domain.ids import MemberId
from console.domain.member import Member
from console.domain.values import Chain
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.chain import FakeChain, FakeCluster
from tests.fakes.clock import LoopClock
from tests.fakes.event_store import MemoryEventStore
from tests.fakes.network import FakeNetwork, FakePort
from tests.fakes.vault import DEFAULT_PIN, FakeIdentity, FakeVault

MEMBERS = (MemberId("ana"), MemberId("ben"), MemberId("chiara"))
POLL_S = 0.2

T = TypeVar("T")


class RepeatableIdentity(FakeIdentity):
    """Signs the same bytes the same way, so that a seed gives one history (RFC 6979)."""

    def __init__(self, vault: FakeVault, secret: int) -> None:
        super().__init__(vault)
        self._key = ec.derive_private_key(secret, ec.SECP256R1())

    async def sign(self, message: bytes) -> bytes:
        self._vault.require_unlocked()
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self._key.sign(message, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class SlowEventStore(MemoryEventStore):
    """Takes a disk's time: a caller can be cancelled after its record is durable."""

    def __init__(
        self,
        member: MemberId,
        clock_ms: Callable[[], int],
        anchor: HeadAnchorPort,
        pause_s: Callable[[], float],
    ) -> None:
        super().__init__(member, clock_ms, anchor)
        self._writing = asyncio.Lock()
        self._pause_s = pause_s

    async def append(
        self, stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        async with self._writing:
            await asyncio.sleep(self._pause_s())
            recorded = await super().append(stream, expected_version, events)
            await asyncio.sleep(self._pause_s())
        self._require_open()
        return recorded


@dataclass(slots=True)
class Seat:
    """One member: what outlives its process, and the process if it runs."""

    member: MemberId
    identity_secret: int
    token: FakeVault
    """What is in the token; each process has its own session with it, `vault`."""
    ledger: MemoryEventStore
    crash_at: dict[str, int] = field(default_factory=dict)
    """How often a fault point is still to be passed before the process ends there."""
    node: Node | None = None
    console: ConsoleService | None = None
    port: FakePort | None = None
    store: MemoryEventStore | None = None
    vault: FakeVault | None = None
    restarts: int = 0
    joined_as: Member | None = None
    """The member's new machine, if the founding one is lost."""

    @property
    def alive(self) -> bool:
        return self.node is not None

    @property
    def core(self) -> Core:
        assert self.node is not None
        return self.node.core

    def session(self, clock: LoopClock) -> FakeVault:
        """Open the token anew; what an ended process does with its own session changes nothing."""
        vault = FakeVault(self.member, now_ms=clock.now_ms)
        vault.identity = RepeatableIdentity(vault, self.identity_secret)
        vault.shares.sealer = self.token.shares.sealer
        vault.shares.records = self.token.shares.records
        vault.anchor.head = self.token.anchor.head
        return vault


async def no_export(_store: EventStore, _name: str, _records: tuple[int, ...]) -> str:
    raise LedgerUnavailable("nothing is exported in a simulation")


class SimulatedCluster:
    """Builds, crashes and restarts the nodes; gives their operators' commands."""

    def __init__(
        self,
        seed: int,
        members: tuple[MemberId, ...] = MEMBERS,
        schemes: tuple[ThresholdScheme, ...] = (EddsaEd25519(),),
        *,
        pull_pause_s: float = 1.5,
    ) -> None:
        self.pull_pause_s = pull_pause_s
        self.members = members
        self.schemes = {scheme.kind: scheme for scheme in schemes}
        self.random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self.network = FakeNetwork(self.random.getrandbits(32))
        self.chain = FakeCluster(self.random.getrandbits(32))
        self.loop = asyncio.get_running_loop()
        self.halts: list[str] = []
        self.slowest_disk_s = self.random.choice((0.0, 0.01, 0.2))
        self.seats: dict[MemberId, Seat] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Enrol and start everybody."""
        clock = LoopClock(self.loop)
        for number, name in enumerate(self.members, start=1):
            token = FakeVault(name, now_ms=clock.now_ms)
            token.identity = RepeatableIdentity(token, number)
            ledger = MemoryEventStore(name, clock.now_ms)
            self.seats[name] = Seat(name, number, token, ledger)
        self._roster = tuple(
            [
                Member(
                    member=m,
                    display_name=m.title(),
                    identity_key=await s.token.identity.public_key(),
                    tls_pin=m.encode() * 4,
                    address=f"{m}:1",
                )
                for m, s in self.seats.items()
            ]
        )
        for name in self.members:
            await self.restart(name)

    async def restart(
        self, name: MemberId, *, ahead_ms: int = 0, clock_is_right: bool = False
    ) -> None:
        """Start a member's process on what its disk and token hold, and unlock it."""
        seat = self.seats[name]
        assert not seat.alive
        clock = LoopClock(self.loop, skew_ms=ahead_ms + self.random.randrange(-2000, 2000))
        seat.vault = seat.session(clock)
        seat.store = SlowEventStore(name, clock.now_ms, seat.vault.anchor, self._disk_pause_s)
        # The same list: what the process before has recorded is there.
        seat.store.records = seat.ledger.records
        seat.port = self.network.plug(name, self.members, clock)
        ports = Ports(
            vault=seat.vault,
            network=seat.port,
            bus=InProcessBus(),
            clock=clock,
            chains={Chain.SOLANA: FakeChain(self.chain)},
            schemes=self.schemes,
            export_ledger=no_export,
            open_ledger=_opener(seat.store),
            checkpoint=self._checkpoint(seat),
            pull_pause_s=self.pull_pause_s,
        )
        mine = seat.joined_as or next(m for m in self._roster if m.member == name)
        seat.node = Node(mine, self._roster, ports, name=name, version="test")
        seat.console = ConsoleService(seat.node)
        seat.restarts += 1
        await seat.node.start()
        await seat.console.execute(Unlock(SecretBytes(DEFAULT_PIN), clock_is_right))

    def crash(self, name: MemberId) -> None:
        """End a member's process as a power cut would: nothing more is recorded or sent."""
        seat = self.seats[name]
        node, seat.node = seat.node, None
        if node is None:
            return
        assert seat.port is not None
        assert seat.store is not None
        seat.port.unplug()
        seat.store.closed = True
        assert seat.vault is not None
        seat.vault.missing = True
        seat.token.anchor.head = seat.vault.anchor.head
        self._note_halt(name, node)
        for task in self._tasks_of(node):
            task.cancel()

    def _tasks_of(self, node: Node) -> set[asyncio.Task[None]]:
        """Return the tasks of a node's process that run now."""
        tasks = asyncio.all_tasks(self.loop)
        return {task for task in tasks if task.get_name() == node.task_name}

    async def lose_machine(self, name: MemberId) -> str:
        """End a member's machine for good, disk and token; return the new one's entry line."""
        self.crash(name)
        self.network.ports.pop(name)
        return await self.join(name)

    async def join(self, name: MemberId) -> str:
        """Start a machine that nobody has admitted yet; return its entry line."""
        if name not in self.members:
            self.members = (*self.members, name)
        clock = LoopClock(self.loop)
        token = FakeVault(name, now_ms=clock.now_ms)
        secret = 1000 + self.random.getrandbits(32)
        token.identity = RepeatableIdentity(token, secret)
        seat = Seat(name, secret, token, MemoryEventStore(name, clock.now_ms))
        identity_key = await token.identity.public_key()
        certificate = f"certificate {secret}"
        seat.joined_as = Member(
            member=name,
            display_name=name.title(),
            identity_key=identity_key,
            tls_pin=certificate.encode(),
            address=f"{name}:2",
        )
        self.seats[name] = seat
        await self.restart(name)
        return json.dumps(
            {
                "member": name,
                "name": name.title(),
                "address": f"{name}:2",
                "identity_key": identity_key.hex(),
                "certificate": certificate,
            }
        )

    def crash_and_return(self, name: MemberId, after_s: float) -> None:
        """Crash, and come back some seconds later."""
        if self.seats[name].alive:
            self.crash(name)
            self._spawn(self._return_later(name, after_s))

    async def stop(self) -> None:
        """End every process and task."""
        for task in tuple(self._background):
            task.cancel()
        for name, seat in self.seats.items():
            ending = self._tasks_of(seat.node) if seat.node else set()
            self.crash(name)
            if ending:
                await asyncio.wait(ending)
        await self.network.settle()

    async def command(self, name: MemberId, command: Callable[[], Command]) -> Outcome:
        """Give a command, again and again while the process is down. Raises: CommandRefused."""
        while True:
            seat = self.seats[name]
            if seat.alive and seat.console is not None:
                try:
                    outcome = await seat.console.execute(command())
                except CommandRefused as refused:
                    if seat.alive and refused.code not in {"vault-locked", "ledger-unavailable"}:
                        raise
                else:
                    if seat.alive:
                        return outcome
            await asyncio.sleep(POLL_S)

    async def until(self, what: str, look: Callable[[], T | None], limit_s: float = 900.0) -> T:
        """Wait in virtual time until `look` returns something; fail by name otherwise."""
        end = self.loop.time() + limit_s
        while self.loop.time() < end:
            if found := look():
                return found
            await asyncio.sleep(POLL_S)
        states = {
            s.member: f"{s.node.state.value} {s.node.halted_because}" if s.node else "down"
            for s in self.seats.values()
        }
        raise AssertionError(f"{what}: not within {limit_s:.0f} s; {states}")

    def ready(self) -> list[Core]:
        """The cores of all nodes that work."""
        nodes = (seat.node for seat in self.seats.values())
        return [node.core for node in nodes if node and node.state is NodeState.READY]

    def all_ready(self) -> list[Core] | None:
        cores = self.ready()
        return cores if len(cores) == len(self.members) else None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _return_later(self, name: MemberId, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.restart(name)

    def _disk_pause_s(self) -> float:
        return self.random.uniform(0, self.slowest_disk_s)

    def _checkpoint(self, seat: Seat) -> Callable[[str], None]:
        restarts = seat.restarts

        def reached(point: str) -> None:
            if point not in seat.crash_at or seat.restarts != restarts + 1:
                return
            seat.crash_at[point] -= 1
            if seat.crash_at[point] < 0:
                del seat.crash_at[point]
                self.crash_and_return(seat.member, self.random.uniform(0.5, 6.0))

        return reached

    def _note_halt(self, name: MemberId, node: Node) -> None:
        if node.state is NodeState.HALTED:
            self.halts.append(f"{name}: {node.halted_because}")


def _opener(store: MemoryEventStore) -> Callable[[], Coroutine[Any, Any, EventStore]]:
    async def open_() -> EventStore:
        store.closed = store.read_only = False
        await store.verify()
        return store

    return open_
