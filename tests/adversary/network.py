"""A seeded in-memory network of sessions, with rules that let parties and wires cheat."""

import hashlib
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from console.protocols.kernel.abort import MessageRejected, ProtocolAbort
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.session import Envelope, Session, encode_envelope
from console.protocols.kernel.wire import Message, decode_kind, encode

SESSION_ID = hashlib.sha256(b"session").digest()


def signature(sender: int, encoded: bytes) -> bytes:
    """Sign for a party; in these tests nobody forges but on purpose."""
    return hashlib.sha256(b"signed by %d " % sender + encoded).digest()


def signed(sender: int, encoded: bytes, shown: bytes) -> bool:
    """Tell whether a party signed an encoded envelope."""
    return shown == signature(sender, encoded)


Run = Callable[[Party], Coroutine[Any, Any, Any]]
Wire = Callable[[Envelope, int], Iterable[Envelope]]
"""What reaches party `to` when an envelope is sent to it."""


def stream(seed: str) -> Random:
    """Give deterministic bytes, a different block at each call."""
    calls = 0

    def random(size: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(f"{seed}/{calls}".encode()).digest(size)

    return random


class CheatingParty:
    """A party whose words are changed before its own session hears them.

    `change(message, to)` returns what is said instead; None says nothing.
    """

    def __init__(self, party: Party, change: Callable[[Any, int | None], Message | None]) -> None:
        self._party = party
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._party, name)

    async def broadcast(self, message: Message) -> None:
        changed = self._change(message, None)
        if changed is not None:
            await self._party.broadcast(changed)

    async def send(self, to: int, message: Message) -> None:
        changed = self._change(message, to)
        if changed is not None:
            await self._party.send(to, changed)


def cheating(run: Run, kind: type, change: Callable[..., Any], only: int | None = None) -> Run:
    """Let a run say `change(message)` for each message of `kind` (to `only`, if given)."""

    def changed(message: Any, to: int | None) -> Any:
        return change(message) if type(message) is kind and only in {None, to} else message

    return lambda party: run(CheatingParty(party, changed))


def rewrite(sender: int, kind: str, change: Callable[[Any], Any], to: int | None = None) -> Wire:
    """Change a message on the wire, below the sender's session: for all, or for one receiver."""

    def wire(envelope: Envelope, receiver: int) -> Iterable[Envelope]:
        if envelope.sender != sender or envelope.kind != kind or to not in {None, receiver}:
            return [envelope]
        return [replace(envelope, payload=encode(change(decode_kind(kind, envelope.payload))))]

    return wire


def faithful(envelope: Envelope, _to: int) -> Iterable[Envelope]:
    return [envelope]


@dataclass
class Network:
    """Runs one session per party; `deliver` until nothing moves, in an order set by `seed`.

    Whatever the parties in `late` say comes only when nothing else is under way.
    """

    runs: Mapping[int, Run]
    seed: str = "0"
    wire: Wire = faithful
    session_id: bytes = SESSION_ID
    late: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.sessions = {
            i: Session(session_id=self.session_id, me=i, parties=self.runs, run=run, signed=signed)
            for i, run in self.runs.items()
        }
        self.aborts: dict[int, ProtocolAbort] = {}
        self.rejected: list[MessageRejected] = []
        self.sent: list[Envelope] = []
        self._queue: list[tuple[int, Envelope]] = []
        self._random = stream(f"order/{self.seed}")

    def step(self, party: int, act: Callable[[], list[Envelope]]) -> None:
        try:
            out = act()
        except MessageRejected as rejected:
            self.rejected.append(rejected)
            return
        except ProtocolAbort as abort:
            self.aborts[party] = abort
            out = list(self.sessions[party].unsent)
        for envelope in out:
            self.sent.append(envelope)
            for to in self.runs if envelope.recipient is None else [envelope.recipient]:
                if to != party:
                    self._queue += [(to, item) for item in self.wire(envelope, to)]

    def deliver(self, at_most: int = sys.maxsize) -> "Network":
        """Start, and deliver that many envelopes; the rest is lost."""
        for i, session in self.sessions.items():
            self.step(i, session.start)
        while self._queue and at_most > 0:
            places = [k for k, (_, e) in enumerate(self._queue) if e.sender not in self.late]
            places = places or [*range(len(self._queue))]
            pick = places[int.from_bytes(self._random(4), "big") % len(places)]
            to, envelope = self._queue.pop(pick)
            at_most -= 1
            if to not in self.aborts:
                by = signature(envelope.sender, encode_envelope(envelope))
                self.step(to, partial(self.sessions[to].receive, envelope, by))
        return self

    @property
    def outcomes(self) -> dict[int, Any]:
        return {i: session.outcome for i, session in self.sessions.items() if session.done}

    def verdicts(self, *cheats: int) -> dict[int, tuple[str, frozenset[int], str]]:
        """Give what each honest party decided; an honest party without an abort is missing."""
        return {
            i: (abort.kind.value, abort.culprits, abort.check)
            for i, abort in sorted(self.aborts.items())
            if i not in cheats
        }


def assert_blamed(network: Network, culprits: set[int], check: str) -> None:
    """All honest parties blame exactly `culprits`, for `check`."""
    honest = sorted(set(network.runs) - culprits)
    expected = ("blame", frozenset(culprits), check)
    assert network.verdicts(*culprits) == dict.fromkeys(honest, expected)
    assert not set(network.outcomes) & set(honest)
    assert all(network.aborts[i].evidence for i in honest)
