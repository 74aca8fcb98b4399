"""The envelope of a protocol message and its one canonical encoding, which the sender signs."""

import hmac
from dataclasses import dataclass, field, replace

from console.protocols.kernel.transcript import H, Tag
from console.protocols.kernel.wire import MalformedMessage

MAX_PAYLOAD = 1 << 20
"""The largest payload of any kind, in bytes; each kind has its own smaller bound."""

_MAGIC = b"QEN1"
_FIXED = len(_MAGIC) + 32 + 3 * 4


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message between parties.

    `session_id` has 32 bytes, `echo` none or 32; `recipient` None means everybody.
    The payload is not part of the representation: it may be confidential.
    """

    session_id: bytes
    sender: int
    recipient: int | None
    round: int
    kind: str
    echo: bytes = field(repr=False)
    payload: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if (
            len(self.session_id) != 32
            or len(self.echo) not in {0, 32}
            or not 0 < len(self.kind) <= 40
            or not self.kind.isascii()
            or not 0 < self.sender <= 0xFFFF
            or not 0 < self.round <= 0xFFFF
            or not (self.recipient is None or 0 < self.recipient <= 0xFFFF)
        ):
            raise MalformedMessage("the envelope is out of bounds")

    @property
    def confidential(self) -> bool:
        return self.recipient is not None

    @property
    def header(self) -> bytes:
        """Everything but the payload, encoded: the associated data of an encrypted payload."""
        return encode_envelope(replace(self, payload=b""))

    @property
    def digest(self) -> bytes:
        """A hash of the whole envelope, 32 bytes."""
        return digest_of(encode_envelope(self))

    def evidence(self) -> bytes:
        """Return what may be shown to others: the envelope, or a digest if it is confidential."""
        if self.confidential:
            return H(Tag.CONFIDENTIAL, self.header, self.digest)
        return encode_envelope(self)


def digest_of(encoded: bytes) -> bytes:
    """Return the digest of an envelope that is encoded already."""
    return H(Tag.ENVELOPE, encoded)


def encode_envelope(envelope: Envelope) -> bytes:
    """Encode canonically; raises MalformedMessage if the payload exceeds MAX_PAYLOAD."""
    if len(envelope.payload) > MAX_PAYLOAD:
        raise MalformedMessage("the payload is too long")
    kind = envelope.kind.encode("ascii")
    return b"".join(
        (
            _MAGIC,
            envelope.session_id,
            envelope.sender.to_bytes(4, "big"),
            (envelope.recipient or 0).to_bytes(4, "big"),
            envelope.round.to_bytes(4, "big"),
            len(kind).to_bytes(1, "big"),
            kind,
            len(envelope.echo).to_bytes(1, "big"),
            envelope.echo,
            len(envelope.payload).to_bytes(4, "big"),
            envelope.payload,
        )
    )


def decode_envelope(data: bytes) -> Envelope:
    """Decode exactly one envelope. Raises: MalformedMessage for anything not canonical."""
    if len(data) > MAX_PAYLOAD + 256 or len(data) < _FIXED + 6 or data[:4] != _MAGIC:
        raise MalformedMessage("this is not an envelope")
    session_id, numbers, rest = data[4:36], data[36:48], data[48:]
    kind, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    if not rest or not kind.isascii():
        raise MalformedMessage("the envelope is cut short")
    echo, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    recipient = int.from_bytes(numbers[4:8], "big")
    envelope = Envelope(
        session_id=session_id,
        sender=int.from_bytes(numbers[:4], "big"),
        recipient=recipient or None,
        round=int.from_bytes(numbers[8:], "big"),
        kind=kind.decode("ascii"),
        echo=echo,
        payload=rest[4:],
    )
    # One encoding per envelope: whatever does not come out the same is refused.
    if not hmac.compare_digest(encode_envelope(envelope), data):
        raise MalformedMessage("the envelope is not canonical")
    return envelope
