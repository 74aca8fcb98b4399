"""What travels between nodes: a closed set of requests and replies, strictly decoded."""

from typing import Annotated, TypeVar

import msgspec

from console.application.errors import PeerRefused
from console.application.peers.signed_statements import SignedStatement
from console.application.peers.statements import Moment, WalletName
from console.application.ports.network import MAX_MESSAGE_BYTES

MAX_PULLED_STATEMENTS = 128
MAX_HEADS = 256
"""Ledger heads in one answer: a vault's members, and two of each that forked."""
MAX_LACKING = 256


class MalformedPeerMessage(PeerRefused):
    """A peer sent bytes that are none of these messages; handled as a refusal."""


class PeerRequest(msgspec.Struct, frozen=True, tag_field="q"):
    """A request from a peer. Fields of a later version are passed over."""


class Announce(PeerRequest, frozen=True, tag="announce"):
    """Offers a statement that the peer may not have."""

    statement: SignedStatement


class Pull(PeerRequest, frozen=True, tag="pull"):
    """Asks for the statements after this sequence of the answering node's ledger.

    `head` is the asker's own ledger head.
    """

    after: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
    head: SignedStatement | None = None


class Invite(PeerRequest, frozen=True, tag="invite"):
    """Asks a peer into a protocol session; the answer is a signed readiness."""

    invitation: SignedStatement


class Begin(PeerRequest, frozen=True, tag="begin"):
    """Starts a session: the invitation and one readiness for each participant."""

    invitation: SignedStatement
    ready: tuple[SignedStatement, ...]


class SessionMessage(PeerRequest, frozen=True, tag="run-message"):
    """An encoded envelope and its signature.

    With one recipient, the signature is empty: it is encrypted with the payload, before it.
    """

    envelope: bytes
    signature: bytes


class PeerReply(msgspec.Struct, frozen=True, tag_field="r"):
    """A reply to a peer. Fields of a later version are passed over."""


class Ack(PeerReply, frozen=True, tag="ack"):
    """Received."""


class Refused(PeerReply, frozen=True, tag="refused"):
    """Refused, with the reason for people. With `later`, the sender tries the same bytes again."""

    reason: str
    later: bool = False


class Ready(PeerReply, frozen=True, tag="ready"):
    readiness: SignedStatement


class Pulled(PeerReply, frozen=True, kw_only=True, tag="pulled"):
    """Statements in order, where to go on, and ledger heads.

    `your_head` is the asker's newest known here; `heads` are those of all members, also the
    answering one's own. `now_ms` is its clock and `version` its program's. `lacking` are wallets
    of which its own share does not open.
    """

    statements: tuple[SignedStatement, ...]
    upto: int
    your_head: SignedStatement | None
    heads: Annotated[tuple[SignedStatement, ...], msgspec.Meta(max_length=MAX_HEADS)] = ()
    now_ms: Moment = 0
    version: Annotated[str, msgspec.Meta(max_length=32)] = ""
    lacking: Annotated[tuple[WalletName, ...], msgspec.Meta(max_length=MAX_LACKING)] = ()


AnyRequest = Announce | Pull | Invite | Begin | SessionMessage
AnyReply = Ack | Refused | Ready | Pulled

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[AnyRequest] = msgspec.msgpack.Decoder(AnyRequest)
_replies: msgspec.msgpack.Decoder[AnyReply] = msgspec.msgpack.Decoder(AnyReply)

M = TypeVar("M")


def encode(message: AnyRequest | AnyReply) -> bytes:
    """Return the message's bytes. Raises: MalformedPeerMessage if it is too large to travel."""
    data = _encoder.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedPeerMessage(f"a message of {len(data)} bytes is too large")
    return data


def decode_request(data: bytes) -> AnyRequest:
    """Raises: MalformedPeerMessage."""
    return _decode(_requests, data)


def decode_reply(data: bytes) -> AnyReply:
    """Raises: MalformedPeerMessage."""
    return _decode(_replies, data)


def _decode(decoder: "msgspec.msgpack.Decoder[M]", data: bytes) -> M:
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedPeerMessage("the message is too large")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # The decoder lets broken text and absurd nesting through as errors of its own.
        raise MalformedPeerMessage("the bytes are none of the known messages") from None
