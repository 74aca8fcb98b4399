"""What travels: bounded, strict, and never quoting a PIN."""

import traceback

import msgspec
import pytest

from console.application.api import Change, ChangeKind, CommandRefused, GetInbox, GetWallet
from console.application.api_codec import (
    Answer,
    MalformedCall,
    decode_change,
    decode_command,
    decode_outcome,
    decode_query,
    decode_view,
    encode,
    refused,
)
from console.application.commands import ApproveRequest, DenyRequest, Lock, Outcome, Unlock
from console.application.peers.messages import (
    Ack,
    Announce,
    Begin,
    Invite,
    MalformedPeerMessage,
    PeerReply,
    PeerRequest,
    Pull,
    Pulled,
    Ready,
    Refused,
    SessionMessage,
    decode_reply,
    decode_request,
)
from console.application.peers.messages import encode as encode_peer
from console.application.peers.signed_statements import SignedStatement
from console.application.ports.network import MAX_MESSAGE_BYTES
from console.application.views import InboxView
from console.protocols.kernel.secret import SecretBytes

SIGNED = SignedStatement(b"body", "ana", b"s" * 64)
PIN = b"9071524386"
DEEP = b"\x91" * 100_000 + b"\xc0"
MALFORMED = [b"", b"\xc1", b"\x80", b"\x90", b"\xc0", b"\x82\xa1x" + DEEP + b"\xa1q\xa4pull"]


@pytest.mark.parametrize(
    "message",
    [
        Announce(SIGNED),
        Pull(7),
        Invite(SIGNED),
        Begin(SIGNED, (SIGNED, SIGNED)),
        SessionMessage(b"envelope", b"signature"),
    ],
)
def test_requests_travel(message: PeerRequest) -> None:
    data = encode_peer(message)  # type: ignore[arg-type]
    assert decode_request(data) == message
    for spoiled in (data[:-1], data + b"\x00"):
        with pytest.raises(MalformedPeerMessage):
            decode_request(spoiled)


@pytest.mark.parametrize(
    "message",
    [
        Ack(),
        Refused("no"),
        Refused("later", later=True),
        Ready(SIGNED),
        Pulled(statements=(SIGNED,), upto=3, your_head=None),
    ],
)
def test_replies_travel(message: PeerReply) -> None:
    assert decode_reply(encode_peer(message)) == message  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [*MALFORMED, b"\x82\xa1q\xa1\xff\xa1x\xa1\xff"])
def test_malformed_peer_messages_are_refused(data: bytes) -> None:
    for decode in (decode_request, decode_reply):
        with pytest.raises(MalformedPeerMessage):
            decode(data)


def test_peer_messages_are_bounded_both_ways() -> None:
    with pytest.raises(MalformedPeerMessage, match="too large"):
        encode_peer(SessionMessage(bytes(MAX_MESSAGE_BYTES), b""))
    for decode in (decode_request, decode_reply):
        with pytest.raises(MalformedPeerMessage, match="too large"):
            decode(bytes(MAX_MESSAGE_BYTES + 1))


def test_fields_of_a_later_version_are_passed_over() -> None:
    data = msgspec.msgpack.encode({"q": "pull", "after": 1, "and": 2})
    assert decode_request(data) == Pull(1)


def test_unknown_messages_are_refused() -> None:
    with pytest.raises(MalformedPeerMessage):
        decode_request(msgspec.msgpack.encode({"q": "sing", "after": 1}))


@pytest.mark.parametrize("data", [*MALFORMED, b"\x82\xa3ask\xa5inbox\xa1x" + DEEP])
def test_malformed_calls_are_refused(data: bytes) -> None:
    for decode in (decode_command, decode_query, decode_outcome, decode_change):
        with pytest.raises(MalformedCall):
            decode(data)
    with pytest.raises(MalformedCall):
        decode_view(data, InboxView)


def test_commands_and_queries_travel() -> None:
    assert decode_command(encode(DenyRequest("rq-1", "no"))) == DenyRequest("rq-1", "no")
    assert decode_command(encode(Lock())) == Lock()
    assert decode_query(encode(GetWallet("wl-1", refresh=True))) == GetWallet("wl-1", refresh=True)
    assert decode_query(encode(GetInbox())) == GetInbox()
    change = Change(kind=ChangeKind.RUN, subject="kc-1", done=1, total=2)
    assert decode_change(encode(change)) == change


def test_answers_carry_a_result_or_a_refusal() -> None:
    outcome = Outcome("rq-1", "Denied")
    assert decode_outcome(encode(Answer(encode(outcome)))) == outcome
    with pytest.raises(CommandRefused) as caught:
        decode_outcome(encode(refused(CommandRefused("code", "what", "safe", "next"))))
    told = caught.value
    assert (told.code, told.what, told.safe, told.next_step) == ("code", "what", "safe", "next")


def test_a_pin_travels_and_is_never_shown() -> None:
    for command in (Unlock(SecretBytes(PIN)), ApproveRequest("rq", "00", SecretBytes(PIN))):
        received = decode_command(encode(command))
        assert isinstance(received, Unlock | ApproveRequest)
        assert received.pin == SecretBytes(PIN)
        for text in (repr(command), repr(received), str(received)):
            assert PIN.decode() not in text


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "unlock", "pin": PIN.decode()},
        {"do": "unlock", "pin": b""},
        {"do": "unlock", "pin": PIN * 13},
        {"do": "unlock", "pin": [PIN]},
        {"do": "unlock", "pin": PIN, "and": PIN},
        {"do": "unlock", "pins": PIN},
        {"do": "approve-request", "request": PIN, "digest": "00", "pin": PIN},
    ],
)
def test_a_refused_command_does_not_quote_its_pin(fields: dict[str, object]) -> None:
    with pytest.raises(MalformedCall) as caught:
        decode_command(msgspec.msgpack.encode(fields))
    told = "".join(traceback.format_exception(caught.value))
    assert PIN.decode() not in told
    assert PIN.hex() not in told
