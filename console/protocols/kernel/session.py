"""Drives one protocol run without an event loop: envelopes in, envelopes out, then an outcome.

The session alone knows the session id, membership, duplicates, equivocation, early messages and
echo broadcast; the protocol holds mathematics and checks only.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from console.protocols.kernel.abort import MessageRejected, ProtocolAbort
from console.protocols.kernel.echo import ECHO_KIND, find_equivocation
from console.protocols.kernel.envelope import (
    MAX_PAYLOAD,
    Envelope,
    decode_envelope,
    encode_envelope,
)
from console.protocols.kernel.party import Party
from console.protocols.kernel.rounds import Gather, Rounds, Signed
from console.protocols.kernel.secret import wipe_all

__all__ = [
    "MAX_PAYLOAD",
    "Envelope",
    "Session",
    "decode_envelope",
    "encode_envelope",
    "find_equivocation",
]

T = TypeVar("T")


class Session(Generic[T]):
    """One party's part in one run, from `start` to `outcome` or an abort.

    `session_id` is 32 bytes, never used before; `parties` are distinct indices in 1..65535 and
    include `me`. `signed` tells whether a party signed an envelope that another one shows.
    """

    def __init__(
        self,
        *,
        session_id: bytes,
        me: int,
        parties: Iterable[int],
        run: Callable[[Party], Coroutine[Any, Any, T]],
        signed: Signed,
    ) -> None:
        indices = sorted(parties)
        if len(session_id) != 32 or me not in indices or len(set(indices)) != len(indices):
            raise ValueError("a session needs 32 bytes of id and distinct parties including us")
        if not 1 <= indices[0] <= indices[-1] <= 0xFFFF:
            raise ValueError("party indices are 1..65535")
        self.session_id = session_id
        self.me = me
        self.parties = tuple(indices)
        self._run = run
        self._rounds = Rounds(session_id, me, self.parties, signed)
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._waiting: str | None = None
        self._abort: ProtocolAbort | None = None
        self._outcome: list[T] = []
        self._started = self._done = self._closed = False

    @property
    def round(self) -> int:
        """The current round, from 1."""
        return self._rounds.number

    @property
    def done(self) -> bool:
        return self._done

    @property
    def abort(self) -> ProtocolAbort | None:
        return self._abort

    @property
    def outcome(self) -> T:
        """The result, once every party has confirmed to have received the same as we did."""
        if not self._done:
            raise RuntimeError("the session has no outcome yet")
        return self._outcome[0]

    @property
    def rounds_received(self) -> Mapping[int, frozenset[int]]:
        """For each round, the parties from which at least one message was accepted."""
        return self._rounds.inbox.senders()

    @property
    def awaiting(self) -> frozenset[int]:
        """The parties whose message we need before we can go on."""
        if self._done or self._closed or self._abort is not None:
            return frozenset()
        return self._rounds.missing(self._waiting)

    @property
    def unsent(self) -> tuple[Envelope, ...]:
        """What the run had to send before it aborted: send it, so that all reach one verdict."""
        return tuple(self._rounds.outbox)

    def received_envelopes(self) -> tuple[Envelope, ...]:
        """All accepted broadcasts, as `find_equivocation` compares them. Library only."""
        return self._rounds.inbox.broadcasts()

    def start(self) -> list[Envelope]:
        """Run up to the first wait and return what to send. Once only; aborts as `receive`."""
        if self._abort is not None:
            raise self._abort
        if self._started or self._closed:
            raise RuntimeError("a session starts once")
        self._started = True
        self._coroutine = self._run(self._rounds)
        try:
            self._rounds.check_echoes(self._rounds.inbox.of_round(1))
            self._resume(self._coroutine, None)
            self._continue()
        except ProtocolAbort as abort:
            self._fail(abort)
        return self._flush()

    def receive(self, envelope: Envelope, signature: bytes = b"") -> list[Envelope]:
        """Take one envelope, whose signature the caller has checked; return what to send.

        Without the signature, what a peer tells us alone cannot be shown to the others.

        Raises: MessageRejected if it is dropped and nothing has changed; ProtocolAbort if the
        session ends, and again on every later call. After an abort see `unsent`.
        """
        if self._abort is not None:
            raise self._abort
        if self._done or self._closed:
            raise MessageRejected("the session is over")
        try:
            received = self._rounds.inbox.admit(envelope, signature, self.round)
            if received is not None and self._started:
                if envelope.round == self.round:
                    self._rounds.check_echoes([received])
                self._continue()
        except ProtocolAbort as abort:
            self._fail(abort)
        return self._flush()

    def close(self) -> None:
        """Drop the run and the secrets received; the run's `finally` blocks wipe its own."""
        self._closed = True
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is not None:
            coroutine.close()
        if not self._done:
            self._drop_secrets()

    def _fail(self, abort: ProtocolAbort) -> NoReturn:
        if abort.culprits and not abort.evidence:
            abort.evidence = self._rounds.inbox.said_by(abort.culprits | abort.witnesses)
        self._abort = abort
        self.close()
        # The frames of the run hold secrets: an abort that is kept or reported must not.
        abort.__context__ = abort.__cause__ = None
        raise abort.with_traceback(None)

    def _drop_secrets(self) -> None:
        """Wipe what was received in confidence, and an outcome that will not be released."""
        self._rounds.inbox.wipe()
        wipe_all(self._outcome)
        self._outcome.clear()

    def _flush(self) -> list[Envelope]:
        out = list(self._rounds.outbox)
        self._rounds.outbox.clear()
        return out

    def _continue(self) -> None:
        """Feed the run for as long as what it waits for is there."""
        while self._waiting is not None and not self.awaiting:
            kind, self._waiting = self._waiting, None
            messages = self._rounds.take(kind)
            if self._coroutine is None:  # the run has returned: these were the last echoes
                self._rounds.check_unexpected()
                self._done = True
                return
            self._resume(self._coroutine, messages)

    def _resume(self, run: Coroutine[Any, Any, T], value: dict[int, Any] | None) -> None:
        try:
            request = run.send(value)
        except StopIteration as stop:
            self._coroutine = None
            self._conclude(stop.value)
            return
        except ProtocolAbort:
            raise
        except BaseException:  # Whatever ended the protocol, its secrets are wiped.
            self.close()
            raise
        if not isinstance(request, Gather):
            self.close()
            raise TypeError("a protocol awaits its party and nothing else")
        self._waiting = request.kind

    def _conclude(self, value: T) -> None:
        """Hold the outcome back until all echoes of the last round agree."""
        self._outcome.append(value)
        if self._rounds.post_last_echo():
            self._waiting = ECHO_KIND
        else:
            self._done = True
