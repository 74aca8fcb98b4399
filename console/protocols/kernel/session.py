"""Drives one protocol run without an event loop: envelopes in, envelopes out, then an outcome.

The session alone knows the session id, membership, duplicates, equivocation, early messages and
echo broadcast; the protocol holds mathematics and checks only.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from console.protocols.kernel.abort import MessageRejected, ProtocolAbort, blame, retry
from console.protocols.kernel.echo import ECHO_KIND, echo_digest, find_equivocation
from console.protocols.kernel.envelope import (
    MAX_PAYLOAD,
    Envelope,
    decode_envelope,
    encode_envelope,
)
from console.protocols.kernel.inbox import Inbox, Received
from console.protocols.kernel.party import Party
from console.protocols.kernel.wire import Delivery, Message, encode, message_type

__all__ = [
    "MAX_PAYLOAD",
    "Envelope",
    "Session",
    "decode_envelope",
    "encode_envelope",
    "find_equivocation",
]

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class _Gather:
    """The only thing a run may wait for: one message of `kind` from each other party."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __await__(self) -> Generator["_Gather", dict[int, Any], dict[int, Any]]:
        return (yield self)


class _SessionParty:
    """The `Party` a run sees."""

    def __init__(self, session: "Session[Any]") -> None:
        self._session = session

    @property
    def me(self) -> int:
        return self._session.me

    @property
    def parties(self) -> tuple[int, ...]:
        return self._session.parties

    @property
    def others(self) -> tuple[int, ...]:
        return self._session.others

    @property
    def session_id(self) -> bytes:
        return self._session.session_id

    async def broadcast(self, message: Message) -> None:
        self._session._say(None, message)  # noqa: SLF001  the two are one unit

    async def send(self, to: int, message: Message) -> None:
        self._session._say(to, message)  # noqa: SLF001

    async def gather(self, kind: type[M]) -> dict[int, M]:
        return await _Gather(message_type(kind).kind)


class Session(Generic[T]):
    """One party's part in one run, from `start` to `outcome` or an abort.

    A round starts with the first message we send after having gathered. `session_id` is 32
    bytes; `parties` are distinct indices from 1 and include `me`.
    """

    def __init__(
        self,
        *,
        session_id: bytes,
        me: int,
        parties: Iterable[int],
        run: Callable[[Party], Coroutine[Any, Any, T]],
    ) -> None:
        self.session_id = session_id
        self.me = me
        indices = list(parties)
        self.parties = tuple(sorted(set(indices)))
        self.others = tuple(index for index in self.parties if index != me)
        if len(session_id) != 32 or me not in self.parties or len(indices) != len(self.parties):
            raise ValueError("a session needs 32 bytes of id and distinct parties including us")
        if not 1 <= self.parties[0] <= self.parties[-1] <= 0xFFFF:
            raise ValueError("party indices are 1..65535")
        self._run = run
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._inbox = Inbox(session_id, me, self.parties)
        self._outbox: list[Envelope] = []
        self._round = 1
        self._echo = b""
        self._gathered: set[str] = set()
        self._said: dict[tuple[str, int | None], bytes] = {}
        self._waiting: str | None = None
        self._abort: ProtocolAbort | None = None
        self._outcome: list[T] = []
        self._started = self._done = self._closed = False

    # What the caller sees

    @property
    def round(self) -> int:
        """The current round, from 1."""
        return self._round

    @property
    def done(self) -> bool:
        return self._done

    @property
    def abort(self) -> ProtocolAbort | None:
        return self._abort

    @property
    def outcome(self) -> T:
        """The result, once every party has confirmed to have heard the same as we did."""
        if not self._done:
            raise RuntimeError("the session has no outcome yet")
        return self._outcome[0]

    @property
    def rounds_received(self) -> Mapping[int, frozenset[int]]:
        """For each round, the parties from which at least one message was accepted."""
        return self._inbox.senders()

    @property
    def awaiting(self) -> frozenset[int]:
        """The parties whose message we need before we can go on."""
        if self._done or self._closed or self._abort is not None:
            return frozenset()
        kind = self._waiting
        return frozenset(
            j for j in self.others if kind is None or self._inbox.get(self._round, kind, j) is None
        )

    @property
    def unsent(self) -> tuple[Envelope, ...]:
        """What the run had said before it aborted: send it, so that all reach the same verdict."""
        return tuple(self._outbox)

    def received_envelopes(self) -> tuple[Envelope, ...]:
        """All accepted broadcasts, to be exchanged when echoes differ (`find_equivocation`)."""
        return self._inbox.broadcasts()

    def start(self) -> list[Envelope]:
        """Run up to the first wait and return what to send. Once only."""
        if self._started or self._closed:
            raise RuntimeError("a session starts once")
        self._started = True
        self._coroutine = self._run(_SessionParty(self))
        try:
            self._check_echoes(self._inbox.of_round(self._round))
            self._resume(None)
            self._continue()
        except ProtocolAbort as abort:
            self._fail(abort)
        return self._flush()

    def receive(self, envelope: Envelope) -> list[Envelope]:
        """Take one envelope, whose signature the caller has checked; return what to send.

        Raises: MessageRejected if it is dropped and nothing has changed; ProtocolAbort if the
        session ends, and again on every later call. After an abort see `unsent`.
        """
        if self._abort is not None:
            raise self._abort
        if self._done or self._closed:
            raise MessageRejected("the session is over")
        try:
            received = self._inbox.admit(envelope, self._round)
            if received is not None and self._started:
                if envelope.round == self._round:
                    self._check_echoes([received])
                self._continue()
        except ProtocolAbort as abort:
            self._fail(abort)
        return self._flush()

    def close(self) -> None:
        """Drop the run and what was received; its `finally` blocks wipe the secrets."""
        self._closed = True
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            coroutine.close()
        if not self._done:
            self._inbox.forget()

    # Driving the run

    def _fail(self, abort: ProtocolAbort) -> NoReturn:
        if abort.culprits and not abort.evidence:
            abort.evidence = self._inbox.evidence_against(abort.culprits)
        self._abort = abort
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            coroutine.close()
        raise abort

    def _flush(self) -> list[Envelope]:
        out, self._outbox = self._outbox, []
        return out

    def _continue(self) -> None:
        """Feed the run for as long as what it waits for is there."""
        while self._waiting is not None and not self.awaiting:
            kind, self._waiting = self._waiting, None
            self._gathered.add(kind)
            if kind == ECHO_KIND and self._outcome:
                self._check_unexpected()
                self._done = True
                return
            items = {j: self._inbox.get(self._round, kind, j) for j in self.others}
            self._resume({j: item.message for j, item in items.items() if item is not None})

    def _resume(self, value: dict[int, Any] | None) -> None:
        if self._coroutine is None:
            raise RuntimeError("the run is over")
        try:
            request = self._coroutine.send(value)
        except StopIteration as stop:
            self._coroutine = None
            self._conclude(stop.value)
            return
        except ProtocolAbort:
            raise
        except BaseException:
            self.close()
            raise
        if not isinstance(request, _Gather):
            raise TypeError("a protocol awaits its party and nothing else")
        self._waiting = request.kind

    def _conclude(self, value: T) -> None:
        """Hold the outcome back until all echoes of the last round agree."""
        self._outcome.append(value)
        self._open_round()
        if not self._echo:
            self._done = True
            return
        self._post(None, ECHO_KIND, b"")
        self._waiting = ECHO_KIND

    # Rounds and echoes

    def _say(self, to: int | None, message: Message) -> None:
        known = message_type(type(message))
        if (to is None) != (known.delivery is Delivery.BROADCAST):
            raise ValueError(f"{known.kind} travels as {known.delivery.value}")
        if to is not None and to not in self.others:
            raise ValueError("the recipient is not a peer")
        if self._gathered:
            self._open_round()
        if (known.kind, to) in self._said:
            raise ValueError(f"{known.kind} was sent already in this round")
        self._post(to, known.kind, encode(message))

    def _post(self, to: int | None, kind: str, payload: bytes) -> None:
        envelope = Envelope(
            session_id=self.session_id,
            sender=self.me,
            recipient=to,
            round=self._round,
            kind=kind,
            echo=self._echo,
            payload=payload,
        )
        self._said[kind, to] = envelope.digest
        self._outbox.append(envelope)

    def _open_round(self) -> None:
        """Close the current round, digest its broadcasts and check what came early for the next."""
        self._check_unexpected()
        heard = {(self.me, kind): seen for (kind, to), seen in self._said.items() if to is None}
        heard |= {
            (item.sender, item.kind): item.digest
            for item in self._inbox.of_round(self._round)
            if item.broadcast is not None
        }
        self._echo = echo_digest(self.session_id, self._round, heard) if heard else b""
        self._round += 1
        self._gathered.clear()
        self._said.clear()
        self._check_echoes(self._inbox.of_round(self._round))

    def _check_unexpected(self) -> None:
        """Blame whoever sent a kind that this round has no place for."""
        stray = [i for i in self._inbox.of_round(self._round) if i.kind not in self._gathered]
        if stray:
            raise blame(
                {item.sender for item in stray},
                "unexpected",
                f"a message that does not belong in round {self._round}",
                tuple(item.evidence for item in stray),
            )

    def _check_echoes(self, items: list[Received]) -> None:
        # Before use: a share computed on what somebody else was told would blame its honest sender.
        for item in items:
            if item.echo == self._echo:
                continue
            if len(item.echo) != len(self._echo):
                raise blame(
                    {item.sender}, "echo-presence", "an echo is missing or out of place",
                    (item.evidence,),
                )  # fmt: skip
            raise retry("echo mismatch", check="echo-broadcast", evidence=(item.evidence,))
