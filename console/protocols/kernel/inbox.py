"""What peers have sent in one session: membership, duplicates, equivocation and bounds."""

from dataclasses import dataclass, replace

from console.protocols.kernel.abort import MessageRejected, blame
from console.protocols.kernel.echo import ECHO_KIND
from console.protocols.kernel.envelope import (
    MAX_PAYLOAD,
    Envelope,
    digest_of,
    encode_envelope,
)
from console.protocols.kernel.secret import wipe_all
from console.protocols.kernel.wire import (
    Delivery,
    MalformedMessage,
    Message,
    decode_kind,
    message_type,
)

MAX_KINDS = 4
"""How many different kinds one party may send in one round."""


@dataclass(frozen=True, slots=True)
class Received:
    """An accepted message; `evidence` is safe to show, `message` is None for a bare echo.

    `header` is the envelope without its payload; `signature` is the sender's, of all of it.
    """

    sender: int
    kind: str
    echo: bytes
    digest: bytes
    evidence: bytes
    broadcast: Envelope | None
    message: Message | None
    header: Envelope
    signature: bytes


class Inbox:
    """Keeps exactly one message per (round, kind, sender).

    A peer can be one round ahead of us, never two, since it needs our message to go on;
    this bounds what is buffered.
    """

    def __init__(self, session_id: bytes, me: int, parties: tuple[int, ...]) -> None:
        self._session_id = session_id
        self._me = me
        self._parties = frozenset(parties)
        self._received: dict[tuple[int, str, int], Received] = {}

    def admit(self, envelope: Envelope, signature: bytes, current: int) -> Received | None:
        """Accept a message in round `current` or the next one; None if it was here already.

        Raises: MessageRejected if it is dropped; ProtocolAbort blaming the sender if it is
        malformed, or differs from what the sender sent before.
        """
        self._check_address(envelope)
        key = (envelope.round, envelope.kind, envelope.sender)
        encoded = encode_envelope(envelope)
        digest = digest_of(encoded)
        known = self._received.get(key)
        if known is not None:
            if known.digest == digest:
                return None
            raise blame(
                {envelope.sender},
                "equivocation",
                f"two different {envelope.kind} messages in round {envelope.round}",
                (known.evidence, envelope.evidence()),
            )
        if not current <= envelope.round <= current + 1:
            raise MessageRejected(f"round {envelope.round} is not {current} or the next")
        if len(self.of_sender(envelope.round, envelope.sender)) >= MAX_KINDS:
            raise MessageRejected("too many messages of one party in one round")
        received = Received(
            sender=envelope.sender,
            kind=envelope.kind,
            echo=envelope.echo,
            digest=digest,
            evidence=envelope.evidence() if envelope.confidential else encoded,
            broadcast=None if envelope.confidential else envelope,
            message=_parse(envelope),
            header=replace(envelope, payload=b""),
            signature=signature,
        )
        self._received[key] = received
        return received

    def _check_address(self, envelope: Envelope) -> None:
        if envelope.session_id != self._session_id:
            raise MessageRejected("the envelope belongs to another session")
        if envelope.sender == self._me or envelope.sender not in self._parties:
            raise MessageRejected(f"party {envelope.sender} is not a peer in this session")
        if envelope.recipient not in {None, self._me}:
            raise MessageRejected("the envelope is for somebody else")
        if len(envelope.payload) > MAX_PAYLOAD:
            raise MessageRejected("the envelope is too long")

    def get(self, round_: int, kind: str, sender: int) -> Received | None:
        return self._received.get((round_, kind, sender))

    def of_round(self, round_: int) -> list[Received]:
        return [item for (number, _, _), item in self._received.items() if number == round_]

    def of_sender(self, round_: int, sender: int) -> list[Received]:
        return [item for item in self.of_round(round_) if item.sender == sender]

    def senders(self) -> dict[int, frozenset[int]]:
        """Map each round to the parties from which at least one message was accepted."""
        found: dict[int, set[int]] = {}
        for round_, _, sender in self._received:
            found.setdefault(round_, set()).add(sender)
        return {round_: frozenset(found[round_]) for round_ in sorted(found)}

    def broadcasts(self) -> tuple[Envelope, ...]:
        """All accepted broadcasts, in order of round, kind and sender."""
        rows = [self._received[key].broadcast for key in sorted(self._received)]
        return tuple(row for row in rows if row is not None)

    def said_by(self, parties: frozenset[int]) -> tuple[bytes, ...]:
        """All broadcasts accepted from `parties`, encoded."""
        return tuple(
            self._received[key].evidence
            for key in sorted(self._received)
            if key[2] in parties and self._received[key].broadcast is not None
        )

    def wipe(self) -> None:
        """Erase the secrets in all messages; broadcasts stay, as evidence."""
        wipe_all([item.message for item in self._received.values()])


def _parse(envelope: Envelope) -> Message | None:
    """Decode the payload, or blame the sender."""
    if envelope.kind == ECHO_KIND and not (envelope.payload or envelope.confidential):
        return None
    try:
        delivery = message_type(envelope.kind).delivery
        message = decode_kind(envelope.kind, envelope.payload)
    except MalformedMessage as error:
        raise blame(
            {envelope.sender},
            "encoding",
            f"malformed {envelope.kind} message: {error}",
            (envelope.evidence(),),
        ) from None
    if envelope.confidential != (delivery is Delivery.DIRECT):
        raise blame(
            {envelope.sender},
            "delivery",
            f"{envelope.kind} must travel as {delivery.value}",
            (envelope.evidence(),),
        )
    return message
