"""Pages of the audit ledger, each record as a sentence and in full."""

import msgspec

from console.application.event_codec import encode_event
from console.application.ports.event_store import EventStore, RecordedEvent
from console.application.views import LedgerRow
from console.domain.events import (
    AddressChanged,
    AddressSetHere,
    CeremonyAborted,
    CeremonyAccepted,
    CeremonyCertified,
    CeremonyCodeConfirmed,
    CeremonyDeclined,
    CeremonyDisputed,
    CeremonyProposed,
    CeremonySessionFailed,
    CeremonySessionStarted,
    CeremonyShareSealed,
    ClockAccepted,
    DrillPassed,
    Event,
    KeyChangeProposed,
    LinkKeyChanged,
    MachineAdmitted,
    MachineEndorsed,
    MemberEnrolled,
    MemberForked,
    PeerHeadSeen,
    RequestApproved,
    RequestDenied,
    RequestDisputed,
    RequestProposed,
    RequestSigned,
    RequestWithdrawn,
    RosterDecisionSigned,
    SessionAborted,
    SharesErased,
    SignatureShareReleased,
    SigningSessionFailed,
    SigningSessionStarted,
    TransactionBroadcast,
    TransactionConfirmed,
    TransactionFailed,
    TransactionRefused,
    TransactionTakenBack,
    VaultUnlocked,
    WalletActivated,
)

MAX_PAGE = 500
_SCAN = 512


async def ledger_rows(
    store: EventStore, before: int, limit: int, text: str
) -> tuple[tuple[LedgerRow, ...], int]:
    """Return up to `limit` matching rows with sequence < `before`, newest first, and the total."""
    limit = max(1, min(limit, MAX_PAGE))
    head = (await store.head()).sequence
    top = before - 1 if before > 0 else head
    if not text:
        bottom = max(0, top - limit)
        records = await store.read_all(bottom, top - bottom) if top > bottom else ()
        return tuple(ledger_row(r) for r in reversed(records)), head
    needle, matches, after = text.casefold(), [], 0
    while records := await store.read_all(after, _SCAN):
        matches += [row for row in map(ledger_row, records) if _matches(row, needle)]
        after = records[-1].sequence
    shown = [row for row in reversed(matches) if row.sequence <= top]
    return tuple(shown[:limit]), len(matches)


def ledger_row(record: RecordedEvent) -> LedgerRow:
    """Return one record as text."""
    member, summary = summarise(record.event)
    name, data = encode_event(record.event)
    return LedgerRow(
        sequence=record.sequence,
        at_ms=record.recorded_at_ms,
        name=name,
        stream=record.stream,
        summary=summary,
        member=member,
        hash=record.hash.hex(),
        previous_hash=record.previous_hash.hex(),
        detail=msgspec.json.format(data, indent=2).decode(),
    )


def summarise(event: Event) -> tuple[str, str]:
    """Return who acted, and a sentence on what happened."""
    match event:
        case MemberEnrolled():
            return event.member, f"{event.display_name} enrolled"
        case VaultUnlocked():
            return event.member, f"Vault unlocked, ledger verified to #{event.verified_to}"
        case MemberForked():
            return event.member, "Signed two ledger heads with one number"
        case PeerHeadSeen():
            return event.member, f"Signed ledger head #{event.sequence} received"
        case CeremonyProposed():
            q = event.quorum
            rule = f"{q.threshold}-of-{len(q.custodians)}"
            return event.proposer, f"Proposed key ceremony {event.wallet_name}, {rule}"
        case KeyChangeProposed():
            what = f"a {event.purpose.value} of {event.wallet_name} to epoch {event.epoch}"
            return event.proposer, f"Proposed {what}"
        case CeremonyAccepted():
            return event.member, "Accepted the ceremony"
        case CeremonyDeclined():
            return event.member, f"Declined the ceremony: {event.reason}"
        case CeremonySessionStarted():
            return "", "Ceremony session started"
        case CeremonySessionFailed():
            return event.evidence.signer, f"Ceremony session failed: {event.reason}"
        case CeremonyShareSealed():
            return "", f"Share sealed, pending. Code {event.code}"
        case CeremonyCodeConfirmed():
            return event.member, "Confirmed the code and certified the keys"
        case CeremonyAborted():
            return event.member, f"Cancelled the ceremony: {event.reason}"
        case CeremonyCertified():
            return event.evidence.signer, "Passed on the complete certificate of the keys"
        case _:
            return _summarise_shares(event)


def _summarise_shares(event: Event) -> tuple[str, str]:
    match event:
        case CeremonyDisputed():
            return event.member, "Signed two ceremonies under one id"
        case ClockAccepted():
            return event.member, "Said that the clock is right; earlier records were dated ahead"
        case SharesErased():
            return event.member, f"Erased its shares up to epoch {event.epoch}"
        case DrillPassed():
            return event.evidence.signer, f"Drill passed by {', '.join(event.signers)}"
        case WalletActivated():
            return "", f"Wallet {event.name} activated, epoch {event.epoch}"
        case SessionAborted():
            who = ", ".join(event.blamed) or "no member can be blamed"
            return "", f"Check {event.check} failed, {event.verdict}: {who}"
        case MachineEndorsed():
            return event.by, f"Endorsed a machine of {event.display_name}"
        case RosterDecisionSigned():
            who = ", ".join(event.retires) or "nobody"
            return event.by, f"Decided about the roster: {who} leaves, {len(event.electors)} decide"
        case MachineAdmitted():
            return event.member, "Machine admitted; any earlier one is revoked"
        case AddressChanged():
            return event.member, f"Its machine is reached at {event.address}"
        case AddressSetHere():
            return event.member, f"Reached from here at {event.address or 'its own address'}"
        case LinkKeyChanged():
            return event.member, f"New TLS key, {'alone' if event.alone else 'beside the old one'}"
        case _:
            return _summarise_request(event)


def _summarise_request(event: Event) -> tuple[str, str]:
    match event:
        case RequestProposed():
            return event.proposer, f"Proposed a transfer on {event.chain.value}"
        case RequestApproved():
            return event.member, "Approved the request"
        case RequestDenied():
            return event.member, f"Denied the request: {event.reason}"
        case RequestWithdrawn():
            return event.member, "Withdrew the request"
        case RequestDisputed():
            return event.member, "Signed two requests under one id"
        case SigningSessionStarted():
            return event.coordinator, f"Signing session with {', '.join(event.signers)}"
        case SignatureShareReleased():
            return "", "Signature share released, nonces consumed"
        case SigningSessionFailed():
            return "", f"Signing session failed: {event.reason}"
        case RequestSigned():
            return "", "Signature verified under the group key and recorded"
        case TransactionBroadcast():
            return "", f"Broadcast {event.transaction_id[:16]}…"
        case TransactionConfirmed():
            return "", f"Confirmed in block {event.block}"
        case TransactionTakenBack():
            return "", f"Taken back by the chain: {event.reason}"
        case TransactionRefused():
            return "", f"Refused by the chain's node: {event.reason}"
        case TransactionFailed():
            return "", f"Failed: {event.reason}"
        case _:
            return "", event.NAME


def _matches(row: LedgerRow, needle: str) -> bool:
    return any(
        needle in field.casefold() for field in (row.name, row.member, row.stream, row.summary)
    )
