"""What must hold of any history, judged from the ledgers alone."""

from collections import Counter

from console.application.ports.event_store import RecordedEvent
from console.domain.events import (
    CeremonySessionFailed,
    CeremonySessionStarted,
    RequestApproved,
    RequestProposed,
    RequestSigned,
    SessionAborted,
    SignatureShareReleased,
    SigningSessionFailed,
    SigningSessionStarted,
    TransactionConfirmed,
    WalletActivated,
)
from console.domain.ids import MemberId

Ledgers = dict[MemberId, tuple[RecordedEvent, ...]]


def require_no_session_reused(ledgers: Ledgers) -> None:
    """I1: a session releases at most one share a member, and belongs to one subject only."""
    subjects: dict[str, set[str]] = {}
    for member, records in ledgers.items():
        released = Counter(
            r.event.session for r in records if isinstance(r.event, SignatureShareReleased)
        )
        assert all(count == 1 for count in released.values()), (member, released)
        started = [
            (r.event.session, r.stream)
            for r in records
            if isinstance(r.event, CeremonySessionStarted | SigningSessionStarted)
        ]
        assert len({session for session, _ in started}) == len(started), member
        assert set(released) <= {session for session, _ in started}, member
        for session, stream in started:
            subjects.setdefault(session, set()).add(stream)
    assert all(len(streams) == 1 for streams in subjects.values()), subjects


def require_one_key(ledgers: Ledgers) -> None:
    """I2: whoever has a wallet's epoch has the same shares, and all epochs the same keys."""
    facts: dict[tuple[str, int], set[object]] = {}
    public: dict[str, set[object]] = {}
    for records in ledgers.values():
        for record in records:
            event = record.event
            if isinstance(event, WalletActivated):
                known = (event.keys, event.quorum, event.certificate_message)
                facts.setdefault((event.wallet, event.epoch), set()).add(known)
                keys = tuple((key.kind, key.public_key) for key in event.keys)
                public.setdefault(event.wallet, set()).add(keys)
    assert all(len(known) == 1 for known in facts.values()), facts
    assert all(len(keys) == 1 for keys in public.values()), "a change of shares changed a key"


def require_quorum_before_signature(ledgers: Ledgers) -> None:
    """I3: before a signature, enough others approved exactly its digest in time."""
    for member, records in ledgers.items():
        proposals: dict[str, RequestProposed] = {}
        approvers: dict[str, set[MemberId]] = {}
        needed = {
            r.event.wallet: r.event.approvals_needed
            for r in records
            if isinstance(r.event, WalletActivated)
        }
        for record in records:
            match record.event:
                case RequestProposed() as proposed:
                    proposals[proposed.request] = proposed
                case RequestApproved() as approved:
                    proposal = proposals[approved.request]
                    assert approved.intent_digest == proposal.intent_digest
                    assert approved.at_ms < proposal.expires_at_ms
                    assert approved.member != proposal.proposer
                    approvers.setdefault(approved.request, set()).add(approved.member)
                case SignatureShareReleased() | RequestSigned() as used:
                    enough = needed[proposals[used.request].wallet]
                    assert len(approvers[used.request]) >= enough, (member, used)
                case _:
                    pass


def require_one_transaction(ledgers: Ledgers) -> None:
    """Whatever signatures there are, all members see the same transaction confirmed."""
    confirmed: dict[str, set[str]] = {}
    for records in ledgers.values():
        for record in records:
            if isinstance(record.event, TransactionConfirmed):
                ids = confirmed.setdefault(record.event.request, set())
                ids.add(record.event.transaction_id)
    assert all(len(ids) == 1 for ids in confirmed.values()), confirmed


def require_nobody_blamed(ledgers: Ledgers) -> None:
    """I6: faults of network and power are nobody's."""
    for member, records in ledgers.items():
        for record in records:
            if isinstance(record.event, CeremonySessionFailed | SigningSessionFailed):
                assert not record.event.blamed, (member, record.event)
            assert not isinstance(record.event, SessionAborted), (member, record.event)


def require_all(ledgers: Ledgers) -> None:
    require_no_session_reused(ledgers)
    require_one_key(ledgers)
    require_quorum_before_signature(ledgers)
    require_nobody_blamed(ledgers)
    require_one_transaction(ledgers)
