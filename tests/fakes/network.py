"""A network in memory whose faults follow a seed: loss, delay, duplicates, partitions, crashes."""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.application.errors import PeerRefused, PeerUnavailable
from console.application.ports.clock import Clock
from console.application.ports.link_keys import MachineUnusable, OwnLink
from console.application.ports.network import MAX_MESSAGE_BYTES, PeerHandler, PeerHealth
from console.domain.ids import MemberId


@dataclass(slots=True)
class Faults:
    """Chances from 0 to 1 for each message, delays in seconds. `cut` holds pairs that are apart."""

    lose_request: float = 0.0
    lose_reply: float = 0.0
    duplicate: float = 0.0
    longest_delay_s: float = 0.02
    shortest_delay_s: float = 0.0
    cut: set[frozenset[MemberId]] = field(default_factory=set)

    def heal(self) -> None:
        """Take all faults away but the delay."""
        self.lose_request = self.lose_reply = self.duplicate = 0.0
        self.cut.clear()


class FakeNetwork:
    """The wire between all members. `sent` keeps what was handed to it, in order."""

    def __init__(self, seed: int = 0, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.sent: list[tuple[MemberId, MemberId, bytes]] = []
        self.listening: dict[MemberId, str] = {}
        """Where members that moved are reached; the others are at their name, port 1."""
        self.ports: dict[MemberId, FakePort] = {}
        self._random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self.handlers: dict[MemberId, PeerHandler] = {}
        self._late: set[asyncio.Task[None]] = set()

    def plug(self, member: MemberId, members: tuple[MemberId, ...], clock: Clock) -> "FakePort":
        """Return a member's port; a second one for the same member replaces the first."""
        port = FakePort(self, member, tuple(m for m in members if m != member), clock)
        port.keys = self.ports[member].keys if member in self.ports else FakeLinkKeys(member)
        self.ports[member] = port
        return port

    def attach(self, member: MemberId, handler: PeerHandler) -> None:
        self.handlers[member] = handler

    def detach(self, member: MemberId) -> None:
        self.handlers.pop(member, None)

    async def carry(self, source: MemberId, target: MemberId, message: bytes) -> bytes:
        """Bring a message and its reply, or wait for ever, as a lost packet does."""
        self.sent.append((source, target, message))
        faults = self.faults
        await asyncio.sleep(self._random.uniform(faults.shortest_delay_s, faults.longest_delay_s))
        handler = self.handlers.get(target)
        if handler is None:
            raise PeerUnavailable(f"{target} is down")
        if frozenset({source, target}) in faults.cut or self._chance(faults.lose_request):
            await _for_ever()
        if self._chance(faults.duplicate):
            self._deliver_again(handler, source, message)
        try:
            reply = await handler(source, message)
        except Exception as error:  # noqa: BLE001 - a process does not see why another failed
            # As over gRPC: what the other process trips over is told as a mere status.
            raise PeerRefused(f"{target} refused the call: {type(error).__name__}") from None
        if self._chance(faults.lose_reply):
            await _for_ever()
        await asyncio.sleep(self._random.uniform(faults.shortest_delay_s, faults.longest_delay_s))
        return reply

    async def settle(self) -> None:
        """End the duplicates that are still on their way."""
        for task in tuple(self._late):
            task.cancel()
        if self._late:
            await asyncio.wait(self._late)

    def _chance(self, chance: float) -> bool:
        return self._random.random() < chance

    def _deliver_again(self, handler: PeerHandler, source: MemberId, message: bytes) -> None:
        pause_s = self._random.uniform(0, 20 * self.faults.longest_delay_s)

        async def again() -> None:
            await asyncio.sleep(pause_s)
            with contextlib.suppress(Exception):
                await handler(source, message)

        task = asyncio.create_task(again())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


@dataclass(slots=True, eq=False)
class FakeLinkKeys:
    """Implements `LinkKeysPort`; a key is its own certificate. `shown` is b"" for the first."""

    member: MemberId
    ends_ms: int = 1 << 60
    shown: bytes = b""
    former: list[bytes] = field(default_factory=list)
    made: list[bytes] = field(default_factory=list)

    def own(self) -> OwnLink:
        return OwnLink(_digest(self.shown), self.ends_ms, former=bool(self.former))

    async def coming(self) -> bytes:
        waiting = next((key for key in self.made if key not in {self.shown, *self.former}), None)
        if waiting is None:
            waiting = f"key {len(self.made) + 2} of {self.member}".encode()
            self.made.append(waiting)
        return waiting

    async def holds(self, pin: bytes) -> bool:
        return pin in map(_digest, (self.shown, *self.made))

    async def go_over(self, pin: bytes) -> None:
        found = next((key for key in self.made if _digest(key) == pin), None)
        if found is None:
            raise MachineUnusable("this node does not have that key")
        if found != self.shown:
            self.former.append(self.shown)
            self.shown = found

    async def forget_former(self) -> None:
        self.former.clear()


def _digest(certificate: bytes) -> bytes:
    return hashlib.sha256(certificate).digest()


@dataclass(slots=True, eq=False)
class FakePort:
    """Implements `NetworkPort`. `unplug` plays the end of its process.

    A link needs the right address and, on both sides, a key that the other one takes.
    """

    network: FakeNetwork
    me: MemberId
    peers: tuple[MemberId, ...]
    clock: Clock
    unplugged: bool = False
    dismissed: set[MemberId] = field(default_factory=set)
    pin: Callable[[MemberId, bytes], bytes] = lambda _member, pem: hashlib.sha256(pem).digest()
    """How a certificate is read; the transport's own way costs time that most tests can spare."""
    keys: FakeLinkKeys = field(init=False)
    addresses: dict[MemberId, str] = field(default_factory=dict)
    taken: dict[MemberId, tuple[bytes, ...]] = field(default_factory=dict)
    """The keys that are taken from each member whose machine was let in; else its first."""
    _seen: dict[MemberId, PeerHealth] = field(default_factory=dict)

    async def serve(self, handler: PeerHandler) -> None:
        async def known(peer: MemberId, message: bytes) -> bytes:
            if peer in self.dismissed:
                raise PeerRefused("unknown certificate")
            return await handler(peer, message)

        self.network.attach(self.me, known)

    async def call(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        return await self._call(peer, message, timeout_s, self.keys.shown)

    async def tell(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        for key in (self.keys.shown, *reversed(self.keys.former)):
            try:
                return await self._call(peer, message, timeout_s, key)
            except PeerUnavailable:
                continue
        raise PeerUnavailable(f"{peer} does not answer")

    def takes(self, peer: MemberId, key: bytes) -> bool:
        taken = self.taken.get(peer, ())
        # A machine's first key is b"", whatever the certificate that it was admitted with.
        changed = any(known.startswith(b"key ") for known in taken)
        return key in taken if changed else key == b""

    async def _call(self, peer: MemberId, message: bytes, timeout_s: float, key: bytes) -> bytes:
        if peer not in self.peers:
            raise PeerUnavailable(f"this node has no link to {peer}")
        if len(message) > MAX_MESSAGE_BYTES:
            raise PeerRefused("the message is too large to send")
        if self.unplugged:
            raise PeerUnavailable("this process has ended")
        started = self.clock.monotonic_s()
        other = self.network.ports.get(peer)
        there = self.network.listening.get(peer, self.addresses.get(peer))
        agreed = other is None or (self.takes(peer, other.keys.shown) and other.takes(self.me, key))
        if self.addresses.get(peer) != there or not agreed:
            self._seen[peer] = PeerHealth(online=False, latency_s=0.0, last_seen_ms=None)
            raise PeerUnavailable(f"{peer} does not answer")
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self.network.carry(self.me, peer, message)
        except (TimeoutError, PeerUnavailable):
            self._seen[peer] = PeerHealth(online=False, latency_s=0.0, last_seen_ms=None)
            raise PeerUnavailable(f"{peer} does not answer") from None
        took = self.clock.monotonic_s() - started
        self._seen[peer] = PeerHealth(online=True, latency_s=took, last_seen_ms=self.clock.now_ms())
        return reply

    def health(self) -> Mapping[MemberId, PeerHealth]:
        unknown = PeerHealth(online=False, latency_s=0.0, last_seen_ms=None)
        return {peer: self._seen.get(peer, unknown) for peer in self.peers}

    def pin_of(self, member: MemberId, certificate: bytes) -> bytes:
        return self.pin(member, certificate)

    async def admit(
        self, member: MemberId, address: str = "", certificate: bytes = b"", coming: bytes = b""
    ) -> None:
        if member not in self.peers:
            self.peers = (*self.peers, member)
        self.dismissed.discard(member)
        if address:
            self.addresses[member] = address
        else:
            self.addresses.pop(member, None)
        self.taken[member] = (certificate, coming) if coming else (certificate,)

    async def dismiss(self, member: MemberId) -> None:
        self.peers = tuple(m for m in self.peers if m != member)
        self.dismissed.add(member)

    def unplug(self) -> None:
        self.unplugged = True
        self.network.detach(self.me)

    async def close(self) -> None:
        self.unplug()


async def _for_ever() -> None:
    await asyncio.Event().wait()
