"""What a command on a key ceremony records, or why it is refused."""

from typing import assert_never

from console.domain.ceremony_commands import (
    Abort,
    Accept,
    CeremonyCommand,
    Certify,
    ConfirmCode,
    Decline,
    Dispute,
    FailSession,
    Propose,
    ProposeChange,
    SealShare,
    StartSession,
)
from console.domain.errors import AlreadyDecided, Conflict, Expired, NotYetPossible, UnknownMember
from console.domain.events import (
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
    Event,
    Evidence,
    KeyChangeProposed,
)
from console.domain.ids import MemberId
from console.domain.key_ceremony import OVER, CeremonyState, KeyCeremony
from console.domain.key_change import require_possible
from console.domain.times import MAX_CLOCK_SKEW_MS, require_during

_EXPIRED = "the ceremony's time is over; propose it again"


def decide(state: KeyCeremony | None, command: CeremonyCommand) -> tuple[Event, ...]:
    """Return the events that a command causes; () if they are already recorded.

    Raises: AlreadyDecided, Conflict, Expired, NotYetPossible, UnknownMember.
    """
    match command:
        case Propose():
            return _propose(state, command)
        case ProposeChange(proposal):
            return _propose_change(state, proposal)
        case Dispute(at_ms, evidence):
            return _dispute(_known(state), at_ms, evidence)
        case Accept() | Decline() | Abort():
            return _answer(_known(state), command)
        case StartSession() | FailSession() | SealShare():
            return _session(_known(state), command)
        case ConfirmCode():
            return _confirm(_known(state), command)
        case Certify(certificate):
            return _certify(_known(state), certificate)
        case _:
            assert_never(command)


def _propose(state: KeyCeremony | None, command: Propose) -> tuple[Event, ...]:
    proposed = CeremonyProposed(
        ceremony=command.ceremony,
        wallet=command.wallet,
        wallet_name=command.wallet_name,
        kinds=command.kinds,
        quorum=command.quorum,
        approvals_needed=command.approvals_needed,
        proposer=command.proposer,
        proposed_at_ms=command.proposed_at_ms,
        expires_at_ms=command.expires_at_ms,
        evidence=command.evidence,
    )
    if state is not None:
        if state.proposal.evidence.body != command.evidence.body:
            raise Conflict("another ceremony was proposed under the same id")
        return ()
    if command.proposer not in command.quorum.custodians:
        raise UnknownMember(f"{command.proposer} proposes a wallet of which it would hold no share")
    return (proposed,)


def _propose_change(state: KeyCeremony | None, proposal: KeyChangeProposed) -> tuple[Event, ...]:
    if state is not None:
        if state.proposal.evidence.body != proposal.evidence.body:
            raise Conflict("another ceremony was proposed under the same id")
        return ()
    require_possible(proposal)
    return (proposal,)


def _dispute(state: KeyCeremony, at_ms: int, evidence: Evidence) -> tuple[Event, ...]:
    if state.disputed or evidence.body == state.proposal.evidence.body:
        return ()
    proposal = state.proposal
    if evidence.signer != proposal.proposer:
        raise Conflict("another member proposed a ceremony under the same id")
    return (
        CeremonyDisputed(
            ceremony=proposal.ceremony, member=proposal.proposer, at_ms=at_ms, evidence=evidence
        ),
    )


def _answer(state: KeyCeremony, command: Accept | Decline | Abort) -> tuple[Event, ...]:
    """Record what members answered, in whatever order it arrives.

    A refusal or a cancellation outweighs acceptances, and a full certificate outweighs both.
    """
    _custodian(state, command.member)
    ceremony = state.proposal.ceremony
    has_accepted = any(event.member == command.member for event in state.accepted)
    match command:
        case Accept(member, at_ms, evidence):
            if has_accepted:
                return ()
            _in_time(state, at_ms)
            return (
                CeremonyAccepted(ceremony=ceremony, member=member, at_ms=at_ms, evidence=evidence),
            )
        case Decline(member=member, reason=reason, at_ms=at_ms, evidence=evidence):
            if any(d.member == member for d in state.declines):
                return ()
            _in_time(state, at_ms)
            return (
                CeremonyDeclined(
                    ceremony=ceremony, member=member, reason=reason, at_ms=at_ms, evidence=evidence
                ),
            )
        case Abort(member=member, reason=reason, at_ms=at_ms, evidence=evidence):
            if any(a.member == member for a in state.aborts):
                return ()
            if at_ms < state.proposal.proposed_at_ms - 2 * MAX_CLOCK_SKEW_MS:
                raise Conflict("the cancellation is dated before the proposal: a clock is wrong")
            return (
                CeremonyAborted(
                    ceremony=ceremony, member=member, reason=reason, at_ms=at_ms, evidence=evidence
                ),
            )
        case _:
            assert_never(command)


def _session(
    state: KeyCeremony, command: StartSession | FailSession | SealShare
) -> tuple[Event, ...]:
    ceremony = state.proposal.ceremony
    known = next((a for a in state.attempts if a.session == command.session), None)
    match command:
        case StartSession(session, at_ms):
            _open(state, at_ms)
            if known or state.running or state.sealed:
                raise AlreadyDecided("a session of this ceremony is under way or was used before")
            if not state.has_all_acceptances:
                raise NotYetPossible("not every custodian has accepted")
            return (CeremonySessionStarted(ceremony, session, at_ms),)
        case FailSession(
            session=session, reason=reason, blamed=blamed, at_ms=at_ms, evidence=evidence
        ):
            if known is None or state.state is CeremonyState.CERTIFIED:
                return ()
            sealed, keeper = state.sealed, command.unless_confirmed_by
            if sealed and sealed.session == session and keeper and state.has_confirmed(keeper):
                return ()
            # Names of others would be news without an end: each report fills a record.
            blamed = tuple(name for name in blamed if name in state.indices)
            if known.failure and set(blamed) <= set(known.blamed):
                # Who is blamed does not depend on whose report came first.
                return ()
            return (
                CeremonySessionFailed(
                    ceremony=ceremony,
                    session=session,
                    reason=reason,
                    blamed=blamed,
                    at_ms=at_ms,
                    evidence=evidence,
                ),
            )
        case SealShare(
            session=session,
            keys=keys,
            transcript=transcript,
            certificate_message=message,
            code=code,
            at_ms=at_ms,
        ):
            if known is None or known.failure or state.sealed:
                raise NotYetPossible("only the session under way can end with shares")
            return (
                CeremonyShareSealed(
                    ceremony=ceremony,
                    session=session,
                    keys=keys,
                    transcript=transcript,
                    certificate_message=message,
                    code=code,
                    at_ms=at_ms,
                ),
            )
        case _:
            assert_never(command)


def _confirm(state: KeyCeremony, command: ConfirmCode) -> tuple[Event, ...]:
    _custodian(state, command.member)
    for earlier in state.confirmations:
        if (earlier.member, earlier.session) == (command.member, command.session):
            return ()
    if state.sealed is None or state.sealed.session != command.session:
        raise NotYetPossible("this member has sealed no share of that session")
    return (
        CeremonyCodeConfirmed(
            ceremony=state.proposal.ceremony,
            session=command.session,
            member=command.member,
            certificate_signature=command.certificate_signature,
            at_ms=command.at_ms,
            evidence=command.evidence,
        ),
    )


def _certify(state: KeyCeremony, certificate: CeremonyCertified) -> tuple[Event, ...]:
    if {member for member, _ in certificate.signatures} != set(state.participants):
        raise NotYetPossible("a certificate needs the signatures of all who took part")
    known = state.certified or state.sealed
    if (
        known
        and known.session == certificate.session
        and known.certificate_message != certificate.certificate_message
    ):
        raise Conflict("a certificate is for other keys than those of its session here")
    if state.certified:
        return ()
    return (certificate,)


def _known(state: KeyCeremony | None) -> KeyCeremony:
    if state is None:
        raise NotYetPossible("this ceremony is not known here yet")
    return state


def _custodian(state: KeyCeremony, member: MemberId) -> None:
    if member not in state.indices:
        raise UnknownMember(f"{member} takes no part in this ceremony")


def _in_time(state: KeyCeremony, at_ms: int) -> None:
    proposal = state.proposal
    require_during(at_ms, proposal.proposed_at_ms, proposal.expires_at_ms, _EXPIRED)


def _open(state: KeyCeremony, at_ms: int) -> None:
    require_open(state)
    if at_ms >= state.proposal.expires_at_ms:
        raise Expired(_EXPIRED)


def require_open(state: KeyCeremony) -> None:
    """Check that an answer still decides something here. Raises: AlreadyDecided."""
    if state.state in OVER:
        raise AlreadyDecided("the ceremony is over")


def require_undecided(state: KeyCeremony, member: MemberId) -> None:
    """Check that a member can still decline. Raises: AlreadyDecided."""
    require_open(state)
    if any(event.member == member for event in state.accepted):
        raise AlreadyDecided(f"{member} has accepted this ceremony; cancel it instead")
