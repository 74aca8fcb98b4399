"""What a chain does with a signed request: broadcast, refused, confirmed, taken back, failed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from console.domain.errors import NotYetPossible
from console.domain.events import (
    Event,
    RequestProposed,
    RequestSigned,
    TransactionBroadcast,
    TransactionConfirmed,
    TransactionFailed,
    TransactionRefused,
    TransactionTakenBack,
)
from console.domain.request_commands import (
    ChainStep,
    RecordBroadcast,
    RecordConfirmation,
    RecordFailure,
    RecordRefusal,
    RecordTakenBack,
)

REPLACED = "replaced: "
"""Prefix of the failure reason when another request has consumed the coins or the nonce."""
MAX_REFUSALS = 16
"""Refusals of one request that are recorded: a node may take and refuse it in turn for ever."""


class Signed(Protocol):
    """What a chain's steps are judged by."""

    @property
    def proposal(self) -> RequestProposed: ...

    @property
    def signatures(self) -> Sequence[RequestSigned]: ...

    @property
    def broadcast(self) -> TransactionBroadcast | None: ...

    @property
    def refused(self) -> TransactionRefused | None: ...

    @property
    def refusals(self) -> int: ...

    @property
    def confirmed(self) -> TransactionConfirmed | None: ...

    @property
    def failed(self) -> TransactionFailed | None: ...

    @property
    def may_be_taken_back(self) -> bool: ...


def chain_step(state: Signed, command: ChainStep) -> tuple[Event, ...]:
    """Return the events of what a chain did. Raises: NotYetPossible."""
    if not state.signatures:
        raise NotYetPossible("the request is not signed")
    request = state.proposal.request
    if state.confirmed or state.failed:
        return _after_the_end(state, command)
    match command:
        case RecordBroadcast(transaction_id, at_ms):
            if state.broadcast and not state.refused:
                return ()
            _require_signature(state, transaction_id)
            return (TransactionBroadcast(request, transaction_id, at_ms),)
        case RecordConfirmation(transaction_id, block, at_ms):
            _require_signature(state, transaction_id)
            return (
                TransactionConfirmed(
                    request=request,
                    transaction_id=transaction_id,
                    block=block,
                    at_ms=at_ms,
                    settled=command.settled,
                ),
            )
        case RecordTakenBack():
            return ()
        case RecordRefusal(reason, at_ms):
            known = state.refused and state.refused.reason == reason
            if known or state.refusals >= MAX_REFUSALS:
                return ()
            return (TransactionRefused(request, reason, at_ms),)
        case RecordFailure(reason, at_ms):
            return (TransactionFailed(request, reason, at_ms),)
        case _:
            assert_never(command)


def _after_the_end(state: Signed, command: ChainStep) -> tuple[Event, ...]:
    """Return what may follow an end that the chain can take back; () for any other command."""
    request, confirmed = state.proposal.request, state.confirmed
    match command:
        case RecordTakenBack(reason, at_ms) if state.may_be_taken_back:
            return (TransactionTakenBack(request, reason, at_ms),)
        case RecordConfirmation() if confirmed is not None and not confirmed.settled:
            _require_signature(state, command.transaction_id)
            if command.transaction_id == confirmed.transaction_id and not command.settled:
                # In which block it stands is told once it is settled: till then it may change.
                return ()
            event = TransactionConfirmed(
                request=request,
                transaction_id=command.transaction_id,
                block=command.block,
                at_ms=command.at_ms,
                settled=command.settled,
            )
            return () if replace(event, at_ms=confirmed.at_ms) == confirmed else (event,)
        case _:
            return ()


def _require_signature(state: Signed, transaction_id: str) -> None:
    if all(s.transaction_id != transaction_id for s in state.signatures):
        raise NotYetPossible("no signature of this transaction is on record")
