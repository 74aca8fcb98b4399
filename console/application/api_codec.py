"""Commands, queries, answers and changes as bytes between a console and its node."""

from typing import Any

import msgspec

from console.application.api import (
    Change,
    CommandRefused,
    GetCeremonies,
    GetCeremony,
    GetInbox,
    GetLedger,
    GetMovements,
    GetOverview,
    GetRecovery,
    GetRequest,
    GetSession,
    GetWallet,
    GetWallets,
    PreviewAcceleration,
    PreviewCall,
    PreviewDecision,
    PreviewDurable,
    PreviewImport,
    PreviewMachine,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
    Query,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveMachine,
    ApproveRequest,
    CancelCeremony,
    ChangeAddress,
    ChangeLinkKey,
    Command,
    ConfirmCeremonyCode,
    DeclineCeremony,
    DenyRequest,
    ExportLedger,
    FinishLinkKey,
    FundFromFaucet,
    Lock,
    Outcome,
    Pin,
    ProposeCeremony,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    ProposeTransfer,
    RetrySigning,
    RunDrill,
    SetPeerAddress,
    SignDecision,
    Unlock,
    VerifyLedger,
    WithdrawRequest,
    secret_problem,
)
from console.application.views import View

EXECUTE = "/quorate.Console/Execute"
ASK = "/quorate.Console/Ask"
CHANGES = "/quorate.Console/Changes"
SERVICE = "quorate.Console"
MAX_API_BYTES = 4 << 20

AnyCommand = (
    AcceptCeremony
    | ApproveMachine
    | ApproveRequest
    | CancelCeremony
    | ChangeAddress
    | ChangeLinkKey
    | ConfirmCeremonyCode
    | DeclineCeremony
    | DenyRequest
    | ExportLedger
    | FinishLinkKey
    | FundFromFaucet
    | Lock
    | ProposeCeremony
    | ProposeMachine
    | ProposeRefresh
    | ProposeRepair
    | ProposeReshare
    | ProposeTransfer
    | RetrySigning
    | RunDrill
    | SignDecision
    | SetPeerAddress
    | Unlock
    | VerifyLedger
    | WithdrawRequest
)
AnyQuery = (
    GetCeremonies
    | GetCeremony
    | GetInbox
    | GetLedger
    | GetMovements
    | GetOverview
    | GetRecovery
    | GetRequest
    | GetSession
    | GetWallet
    | GetWallets
    | PreviewAcceleration
    | PreviewCall
    | PreviewDecision
    | PreviewDurable
    | PreviewImport
    | PreviewMachine
    | PreviewMessage
    | PreviewReplacement
    | PreviewTransfer
)


class MalformedCall(Exception):
    """Bytes that are no command, query or answer."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A `CommandRefused` on its way."""

    code: str
    what: str
    safe: str
    next_step: str


class Answer(msgspec.Struct, frozen=True):
    """Either the encoded result or a refusal."""

    result: bytes = b""
    refusal: Refusal | None = None


def _pin_out(value: Any) -> Any:
    if isinstance(value, Pin):
        return bytes(value.view())
    raise NotImplementedError


def _pin_in(kind: type, value: Any) -> Any:
    if kind is Pin and isinstance(value, bytes):
        problem = secret_problem(value)
        if not problem:
            return Pin(value)
        raise ValueError(f"a PIN: {problem}")
    raise ValueError("a PIN is bytes")


_encoder = msgspec.msgpack.Encoder(enc_hook=_pin_out)
_commands: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(
    AnyCommand, dec_hook=_pin_in
)
_queries: msgspec.msgpack.Decoder[AnyQuery] = msgspec.msgpack.Decoder(AnyQuery)
_answers = msgspec.msgpack.Decoder(Answer)
_outcomes = msgspec.msgpack.Decoder(Outcome)
_changes = msgspec.msgpack.Decoder(Change)
# Broken text and absurd nesting come out of the decoder as errors of their own.
_UNDECODABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def encode(message: Command | Query[Any] | Answer | Outcome | View | Change) -> bytes:
    """Return a message's bytes."""
    return _encoder.encode(message)


def decode_command(data: bytes) -> AnyCommand:
    """Raises: MalformedCall, which never quotes the bytes: they may hold a PIN."""
    try:
        return _commands.decode(data)
    except _UNDECODABLE:
        raise MalformedCall("these bytes are no command") from None


def decode_query(data: bytes) -> AnyQuery:
    """Raises: MalformedCall."""
    try:
        return _queries.decode(data)
    except _UNDECODABLE:
        raise MalformedCall("these bytes are no query") from None


def decode_outcome(data: bytes) -> Outcome:
    """Open an answer to a command. Raises: CommandRefused, MalformedCall."""
    try:
        return _outcomes.decode(_result(data))
    except _UNDECODABLE:
        raise MalformedCall("these bytes are no outcome") from None


def decode_view(data: bytes, kind: type[View]) -> View:
    """Open an answer to a query. Raises: CommandRefused, MalformedCall."""
    try:
        return msgspec.msgpack.decode(_result(data), type=kind)
    except _UNDECODABLE:
        raise MalformedCall("these bytes are no view") from None


def decode_change(data: bytes) -> Change:
    """Raises: MalformedCall."""
    try:
        return _changes.decode(data)
    except _UNDECODABLE:
        raise MalformedCall("these bytes are no change") from None


def refused(error: CommandRefused) -> Answer:
    """Return the answer that carries a refusal."""
    return Answer(
        refusal=Refusal(
            code=error.code, what=error.what, safe=error.safe, next_step=error.next_step
        )
    )


def _result(data: bytes) -> bytes:
    answer = _answers.decode(data)
    if answer.refusal:
        r = answer.refusal
        raise CommandRefused(r.code, r.what, r.safe, r.next_step)
    return answer.result
