"""Node: the life of a member's core, from locked to ready, and its halt when a check fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from console.application.api import Change, ChangeKind
from console.application.core import Core, Ports
from console.application.errors import (
    AdapterError,
    LedgerCorrupted,
    LedgerRolledBack,
    VaultLocked,
    VaultUnfit,
)
from console.application.peers.messages import MalformedPeerMessage, Refused, encode
from console.application.ports.event_store import EventStore, LedgerReport, RecordedEvent
from console.application.views import NodeState
from console.domain.errors import DomainError
from console.domain.ids import MemberId
from console.domain.member import Member
from console.domain.values import Network
from console.protocols.kernel.secret import SecretBytes

log = structlog.get_logger(__name__)

MAX_PENDING_CHANGES = 1024

T = TypeVar("T")


@dataclass(slots=True)
class LedgerCheck:
    """What the newest verification of the ledger found."""

    verified_to: int = 0
    at_ms: int | None = None
    broken_because: str = ""


class Node:
    """One member's node. Peers and consoles talk to it in every state; secrets only when ready."""

    def __init__(
        self, me: Member, roster: tuple[Member, ...], ports: Ports, *, name: str, version: str
    ) -> None:
        self.me: MemberId = me.member
        self.name = name
        self.version = version
        self.roster = roster
        self.ports = ports
        self.state = NodeState.LOCKED
        self.halted_because = ""
        self.opening = (0, 0)
        self.check = LedgerCheck()
        self._core: Core | None = None
        self._running: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._unfinished: set[asyncio.Future[Any]] = set()
        self._listeners: set[asyncio.Queue[Change]] = set()
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def task_name(self) -> str:
        """The name of the task that the unlocked node runs in, as asyncio shows it."""
        return f"node of {self.me}"

    @property
    def followers(self) -> int:
        """How many clients follow the changes: other windows and automation too."""
        return len(self._listeners)

    @property
    def core(self) -> Core:
        """The services of the unlocked node. Raises: VaultLocked, LedgerCorrupted."""
        if self.state is NodeState.HALTED:
            raise LedgerCorrupted(self.halted_because)
        if self._core is None or self.state is not NodeState.READY:
            raise VaultLocked("this member's vault is locked")
        return self._core

    async def start(self) -> None:
        """Begin to answer peers; until unlocked they are told to come back later."""
        self._unsubscribe = self.ports.bus.subscribe(self._on_event)
        loop = asyncio.get_running_loop()

        def lost(reason: str) -> None:
            # Called in the token's thread, which may outlive this loop.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._vault_lost, reason)

        self.ports.vault.on_lost(lost)
        await self.ports.network.serve(self._answer)

    async def unlock(self, pin: SecretBytes, *, clock_is_right: bool = False) -> None:
        """Log in, verify the ledger, join the peers.

        With `clock_is_right`, the operator says so although the ledger has later records.

        Raises: HsmError, LedgerError (the node halts), Conflict.
        """
        async with self._turn:
            if self._core is not None and self.state is NodeState.READY:
                if self._core.store.writable and (await self.ports.vault.status()).unlocked:
                    await self.ports.vault.verify_pin(pin)
                    return
                # A ledger that met a full disk, or a token that was reset: both are opened anew.
                await self._abandon(NodeState.LOCKED, "")
            await self._require_fit_vault()
            await self.ports.vault.unlock(pin)
            self._move(NodeState.OPENING)
            try:
                # Again: a token that did not answer before is known only now.
                await self._require_fit_vault()
                await self._open(clock_is_right)
            except (LedgerCorrupted, LedgerRolledBack, DomainError) as failure:
                await self._abandon(NodeState.HALTED, str(failure))
                raise
            except BaseException:  # Cancelled too: never leave a vault open without a core.
                await self._abandon(NodeState.LOCKED, "")
                raise

    async def _require_fit_vault(self) -> None:
        """Refuse a test token, or an unproven one, on a main network. Raises: VaultUnfit."""
        networks = {adapter.network for adapter in self.ports.chains.values()}
        status = await self.ports.vault.status()
        if Network.MAINNET in networks and status.for_tests_only:
            raise VaultUnfit(f"{status.model} is a test token; it may not hold keys of a mainnet")
        if Network.MAINNET in networks and status.unproven:
            raise VaultUnfit(
                f"this token may not hold keys of a mainnet: {status.backing}. If you accept that, "
                "write `accept_unproven = true` below [vault] in member.toml, and start again"
            )

    async def lock(self) -> None:
        """Burn what is running, close the ledger, log out. Safe in every state."""
        async with self._turn:
            await self._abandon(NodeState.LOCKED, "")

    async def close(self) -> None:
        """Lock and release everything."""
        await self.lock()
        await self.ports.network.close()
        for adapter in self.ports.chains.values():
            await adapter.close()
        await self.ports.vault.close()
        if self._unsubscribe:
            self._unsubscribe()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Finish `work` even when its caller gives up, as a peer's deadline makes it do.

        What is durable must also be folded and sent: half a step is worse than a late one.
        """
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    async def verify_ledger(self) -> LedgerReport:
        """Recompute the whole chain, telling progress. Raises: LedgerError (the node halts)."""
        core = self.core

        def progress(done: int, total: int) -> None:
            self.tell(Change(kind=ChangeKind.LEDGER_VERIFICATION, done=done, total=total))

        try:
            report = await core.store.verify(progress)
        except (LedgerCorrupted, LedgerRolledBack) as failure:
            self.check.broken_because = str(failure)
            async with self._turn:
                await self._abandon(NodeState.HALTED, str(failure))
            raise
        self.check = LedgerCheck(report.head.sequence, self.ports.clock.now_ms())
        self.tell(Change(kind=ChangeKind.LEDGER))
        return report

    def tell(self, change: Change) -> None:
        """Notify every console; a slow one loses notices, never facts."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)

    async def changes(self) -> AsyncIterator[Change]:
        """Yield changes from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue(MAX_PENDING_CHANGES)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def _open(self, clock_is_right: bool) -> None:
        store = await self.ports.open_ledger()
        head = await store.head()
        core = Core(self.me, self.ports, store, self.roster, self._run_moved, self._wallet_changed)
        self._core = core
        await core.open(head.sequence, self._opening, clock_is_right=clock_is_right)
        self.check = LedgerCheck(head.sequence, self.ports.clock.now_ms())
        ready = asyncio.Event()
        self._running = asyncio.create_task(self._supervise(core, ready.set), name=self.task_name)
        waiter = asyncio.create_task(ready.wait())
        await asyncio.wait({waiter, self._running}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if not ready.is_set():
            raise LedgerCorrupted(self.halted_because or "the node could not start")
        self._move(NodeState.READY)

    async def _supervise(self, core: Core, ready: Callable[[], None]) -> None:
        """Run the core; an unexpected error halts the node."""
        try:
            await core.run(ready)
        except Exception as group:  # Whatever failed, this node must stop.
            first = _first(group)
            # An unexpected error may quote a secret: only its type is reported.
            expected = isinstance(first, AdapterError | DomainError)
            reason = str(first) if expected else f"an internal error: {type(first).__name__}"
            log.exception("node-halted", why=reason)
            self.state, self.halted_because = NodeState.HALTED, reason
            core.host.drop_all()
            core.forget()
            await _release(core.store, self.ports.vault.lock)
            self.tell(Change(kind=ChangeKind.SESSION))

    async def _abandon(self, state: NodeState, reason: str) -> None:
        core, self._core = self._core, None
        if core:
            with contextlib.suppress(AdapterError, DomainError):
                await core.host.stop_all()
        running, self._running = self._running, None
        if running:
            running.cancel()
            await asyncio.wait({running})
        if core:
            await _release(core.store, self.ports.vault.lock)
        else:
            await self.ports.vault.lock()
        self.halted_because = reason
        self._move(state)

    async def _answer(self, peer: MemberId, data: bytes) -> bytes:
        if self.state is not NodeState.READY or self._core is None:
            return encode(Refused("this member's vault is locked", later=True))
        try:
            return await self.finish(self._core.answer(peer, data))
        except MalformedPeerMessage:
            log.warning("malformed-peer-message", peer=peer)
            return encode(Refused("the message is malformed"))

    def _vault_lost(self, reason: str) -> None:
        log.warning("vault-lost", why=reason)
        task = asyncio.ensure_future(self._drop_to_locked())
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)

    async def _drop_to_locked(self) -> None:
        """Lock this node when its vault has locked itself; unlocking opens both again."""
        async with self._turn:
            if self.state is NodeState.READY and not (await self.ports.vault.status()).unlocked:
                await self._abandon(NodeState.LOCKED, "")

    def _on_event(self, record: RecordedEvent) -> None:
        kind, _, name = record.stream.partition("/")
        notices = {
            "key-ceremony": ChangeKind.CEREMONY,
            "wallet": ChangeKind.WALLET,
            "signing-request": ChangeKind.REQUEST,
            "member": ChangeKind.MEMBER,
        }
        if kind in notices:
            self.tell(Change(kind=notices[kind], subject=name))
        self.tell(Change(kind=ChangeKind.LEDGER))

    def _wallet_changed(self, wallet: str) -> None:
        self.tell(Change(kind=ChangeKind.WALLET, subject=wallet))

    def _run_moved(self, subject: str) -> None:
        self.tell(Change(kind=ChangeKind.RUN, subject=subject))

    def _opening(self, done: int, total: int) -> None:
        self.opening = (done, total)
        self.tell(Change(kind=ChangeKind.SESSION))

    def _move(self, state: NodeState) -> None:
        self.state = state
        self.tell(Change(kind=ChangeKind.SESSION))


async def _release(store: EventStore, lock: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await store.close()
    finally:
        await lock()


def _first(group: BaseException) -> BaseException:
    found = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
