"""Envelopes on their way: all are signed in clear, and what one peer alone is told is encrypted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from console.application.peers.messages import SessionMessage
from console.domain.events import SignedMessage
from console.domain.ids import MemberId
from console.protocols.kernel.abort import MessageRejected
from console.protocols.kernel.channel import ChannelRefused, PairwiseChannels
from console.protocols.kernel.session import Envelope, encode_envelope

SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class SignedEnvelopes:
    """Signs and seals what leaves in a session, opens and verifies what arrives.

    Signed first and encrypted then, signature and all, so that a receiver can show others what it
    was told. `verify` and `verify_shown` raise StatementRefused: (member, encoded envelope,
    signature). The former is for what arrives, the latter for what a peer shows, as all judge it:
    by the keys with which the session began.
    """

    me: MemberId
    channels: PairwiseChannels
    sign: Callable[[bytes], Awaitable[bytes]]
    verify: Callable[[MemberId, bytes, bytes], None]
    verify_shown: Callable[[MemberId, bytes, bytes], None]

    async def pack(self, envelope: Envelope) -> tuple[SignedMessage, SessionMessage]:
        """Return the envelope as we sign it, and as it travels."""
        clear = encode_envelope(envelope)
        signed = SignedMessage(self.me, clear, await self.sign(clear))
        if envelope.recipient is None:
            return signed, SessionMessage(clear, signed.signature)
        plain = signed.signature + envelope.payload
        sealed = self.channels.seal(envelope.recipient, plain, envelope.header)
        return signed, SessionMessage(encode_envelope(replace(envelope, payload=sealed)), b"")

    def unpack(
        self, sender: MemberId, envelope: Envelope, signature: bytes
    ) -> tuple[Envelope, SignedMessage]:
        """Return what arrived, in clear, and as its sender signed it.

        Raises: MessageRejected if it does not decrypt; StatementRefused.
        """
        if envelope.recipient is not None:
            try:
                plain = self.channels.open(envelope.sender, envelope.payload, envelope.header)
            except ChannelRefused as refused:
                raise MessageRejected(str(refused)) from None
            signature = plain[:SIGNATURE_BYTES]
            envelope = replace(envelope, payload=plain[SIGNATURE_BYTES:])
        clear = encode_envelope(envelope)
        self.verify(sender, clear, signature)
        return envelope, SignedMessage(sender, clear, signature)
