"""Rounds as one party sees them: what to send, whom to wait for, which echo to expect.

A round starts with the first message we send after having gathered. If it had broadcasts, every
message of the next round carries a digest of them.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from console.protocols.kernel.abort import blame, retry
from console.protocols.kernel.echo import ECHO_KIND, echo_digest
from console.protocols.kernel.envelope import Envelope, decode_envelope, encode_envelope
from console.protocols.kernel.evidence import NotTold, Told
from console.protocols.kernel.inbox import Inbox, Received
from console.protocols.kernel.wire import (
    Delivery,
    MalformedMessage,
    Message,
    decode,
    encode,
    message_type,
)

M = TypeVar("M", bound=Message)

Signed = Callable[[int, bytes, bytes], bool]
"""Whether a party signed an encoded envelope: (index, envelope, signature)."""


class Gather:
    """The only thing a run may wait for: one message of `kind` from each other party."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __await__(self) -> Generator["Gather", dict[int, Any], dict[int, Any]]:
        return (yield self)


class Rounds:
    """The `Party` that a run sees, and the bookkeeping behind it."""

    def __init__(
        self, session_id: bytes, me: int, parties: tuple[int, ...], signed: Signed
    ) -> None:
        self.session_id = session_id
        self.me = me
        self.parties = parties
        self.others = tuple(index for index in parties if index != me)
        self.number = 1
        self.inbox = Inbox(session_id, me, parties)
        self.outbox: list[Envelope] = []
        self._signed = signed
        self._echo = b""
        self._gathered: set[str] = set()
        self._sent: dict[tuple[str, int | None], bytes] = {}

    async def broadcast(self, message: Message) -> None:
        self._send(None, message)

    async def send(self, to: int, message: Message) -> None:
        self._send(to, message)

    async def gather(self, kind: type[M]) -> dict[int, M]:
        return await Gather(message_type(kind).kind)

    def told(self, sender: int, kind: type[Message]) -> Told:
        item = self.inbox.get(self.number, message_type(kind).kind, sender)
        if item is None or item.message is None or item.broadcast is not None:
            raise ValueError("that party told us nothing of this kind alone")
        envelope = replace(item.header, payload=encode(item.message))
        return Told(encode_envelope(envelope), item.signature)

    def read(self, told: Told, recipient: int, sender: int, kind: type[M]) -> M:
        try:
            envelope = decode_envelope(told.envelope)
            message = decode(kind, envelope.payload)
        except MalformedMessage as error:
            raise NotTold(str(error)) from None
        # Of this session and the round before: what it said elsewhere proves nothing here.
        place = (envelope.session_id, envelope.round, envelope.kind)
        expected = (self.session_id, self.number - 1, message_type(kind).kind)
        if place != expected or (envelope.sender, envelope.recipient) != (sender, recipient):
            raise NotTold("the envelope belongs elsewhere")
        if not self._signed(sender, told.envelope, told.signature):
            raise NotTold("the signature is not of its sender")
        return message

    def missing(self, kind: str | None) -> frozenset[int]:
        """Name the parties from which `kind` has not come in this round; None counts for any."""
        return frozenset(
            j for j in self.others if kind is None or self.inbox.get(self.number, kind, j) is None
        )

    def take(self, kind: str) -> dict[int, Any]:
        """Return the messages of `kind`, which then has its place in this round."""
        self._gathered.add(kind)
        items = [(j, self.inbox.get(self.number, kind, j)) for j in self.others]
        return {j: item.message for j, item in items if item is not None}

    def post_last_echo(self) -> bool:
        """Open one more round with nothing but the echo; False if there is nothing to echo."""
        self._turn()
        if self._echo:  # sent before the others' are checked, so that they notice as well
            self._post(None, ECHO_KIND, b"")
        self.check_echoes(self.inbox.of_round(self.number))
        return bool(self._echo)

    def check_echoes(self, items: list[Received]) -> None:
        """Compare the echoes of messages of this round with our own.

        Raises: ProtocolAbort: BLAME if an echo is missing or out of place, RETRY if it differs.
        """
        # Before use: a share computed on what somebody else was told would blame its honest sender.
        for item in items:
            if item.echo == self._echo:
                continue
            evidence = (item.evidence,)
            if len(item.echo) != len(self._echo):
                reason = "an echo is missing or out of place"
                raise blame({item.sender}, "echo-presence", reason, evidence)
            raise retry("echo mismatch", check="echo-broadcast", evidence=evidence)

    def check_unexpected(self) -> None:
        """Blame whoever sent a kind that this round has no place for."""
        stray = [i for i in self.inbox.of_round(self.number) if i.kind not in self._gathered]
        if stray:
            raise blame(
                {item.sender for item in stray},
                "unexpected",
                f"a message that does not belong in round {self.number}",
                tuple(item.evidence for item in stray),
            )

    def _send(self, to: int | None, message: Message) -> None:
        known = message_type(type(message))
        if (to is None) != (known.delivery is Delivery.BROADCAST):
            raise ValueError(f"{known.kind} travels as {known.delivery.value}")
        if to is not None and to not in self.others:
            raise ValueError("the recipient is not a peer")
        if self._gathered:
            self._open()
        if (known.kind, to) in self._sent:
            raise ValueError(f"{known.kind} was sent already in this round")
        self._post(to, known.kind, encode(message))

    def _post(self, to: int | None, kind: str, payload: bytes) -> None:
        envelope = Envelope(
            session_id=self.session_id,
            sender=self.me,
            recipient=to,
            round=self.number,
            kind=kind,
            echo=self._echo,
            payload=payload,
        )
        self._sent[kind, to] = envelope.digest
        self.outbox.append(envelope)

    def _open(self) -> None:
        """Begin the next round, and check what came early for it."""
        self._turn()
        self.check_echoes(self.inbox.of_round(self.number))

    def _turn(self) -> None:
        """Close this round and digest its broadcasts."""
        self.check_unexpected()
        received = {(self.me, kind): seen for (kind, to), seen in self._sent.items() if to is None}
        received |= {
            (item.sender, item.kind): item.digest
            for item in self.inbox.of_round(self.number)
            if item.broadcast is not None
        }
        self._echo = echo_digest(self.session_id, self.number, received) if received else b""
        self.number += 1
        self._gathered.clear()
        self._sent.clear()
