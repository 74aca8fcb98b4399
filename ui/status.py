"""The look of states: one table from state to icon, word and tone for all screens."""

from typing import NamedTuple

from console.application.views import (
    CeremonyStage,
    MemberView,
    RequestStage,
    ShareState,
    ShareView,
    StepState,
)
from console.domain.values import CeremonyPurpose
from ui.theme import Tone


class Look(NamedTuple):
    """A state as an icon shape, a word and a colour; each alone identifies it."""

    icon: str
    word: str
    tone: Tone


STEP: dict[StepState, Look] = {
    StepState.NOT_STARTED: Look("circle-dashed", "Not yet", Tone.NEUTRAL),
    StepState.WAITING: Look("hourglass", "Waiting", Tone.INFO),
    StepState.SENT: Look("arrow-up", "Sent", Tone.INFO),
    StepState.RECEIVED: Look("arrow-down", "Received", Tone.INFO),
    StepState.DONE: Look("check-circle", "Verified", Tone.OK),
    StepState.LATE: Look("timer", "Late", Tone.WARN),
    StepState.DENIED: Look("x-octagon", "Denied", Tone.DANGER),
    StepState.FAILED: Look("x-circle", "Failed", Tone.DANGER),
}

REQUEST: dict[RequestStage, Look] = {
    RequestStage.AWAITING_APPROVAL: Look("hourglass", "Awaiting approval", Tone.INFO),
    RequestStage.APPROVED: Look("check-circle", "Approved", Tone.OK),
    RequestStage.SIGNING: Look("hourglass", "Signing", Tone.INFO),
    RequestStage.SIGNED: Look("check-circle", "Signed", Tone.OK),
    RequestStage.BROADCAST: Look("arrow-up", "Broadcast", Tone.INFO),
    RequestStage.CONFIRMED: Look("check-circle", "Confirmed", Tone.OK),
    RequestStage.DENIED: Look("x-octagon", "Denied", Tone.DANGER),
    RequestStage.WITHDRAWN: Look("ban", "Withdrawn", Tone.NEUTRAL),
    RequestStage.EXPIRED: Look("circle-dashed", "Expired", Tone.NEUTRAL),
    RequestStage.REFUSED: Look("triangle-alert", "Refused", Tone.WARN),
    RequestStage.FAILED: Look("x-circle", "Failed", Tone.DANGER),
}

CEREMONY: dict[CeremonyStage, Look] = {
    CeremonyStage.AWAITING_ACCEPTANCE: Look("hourglass", "Awaiting acceptance", Tone.INFO),
    CeremonyStage.READY: Look("check-circle", "Ready", Tone.OK),
    CeremonyStage.RUNNING: Look("hourglass", "Running", Tone.INFO),
    CeremonyStage.COMPARING: Look("eye", "Comparing codes", Tone.WARN),
    CeremonyStage.COMPLETED: Look("check-circle", "Completed", Tone.OK),
    CeremonyStage.DECLINED: Look("x-octagon", "Declined", Tone.DANGER),
    CeremonyStage.CANCELLED: Look("ban", "Cancelled", Tone.NEUTRAL),
    CeremonyStage.EXPIRED: Look("circle-dashed", "Expired", Tone.NEUTRAL),
}

PURPOSE: dict[CeremonyPurpose, Look] = {
    CeremonyPurpose.GENERATE: Look("key", "New keys", Tone.NEUTRAL),
    CeremonyPurpose.REFRESH: Look("refresh", "Refresh", Tone.NEUTRAL),
    CeremonyPurpose.REPAIR: Look("wrench", "Repair", Tone.NEUTRAL),
    CeremonyPurpose.RESHARE: Look("exchange", "Reshare", Tone.NEUTRAL),
}

SHARE: dict[ShareState, Look] = {
    ShareState.SEALED: Look("seal", "Sealed", Tone.INFO),
    ShareState.PROVED: Look("shield-check", "Proved", Tone.OK),
    ShareState.LOST: Look("x-circle", "Lost", Tone.DANGER),
    ShareState.BANNED: Look("ban", "Banned", Tone.WARN),
}

ADMITTED = Look("check-circle", "Admitted", Tone.OK)
WAITING = Look("hourglass", "Waiting", Tone.INFO)
ONLINE = Look("check-circle", "Ready", Tone.OK)
LOCKED = Look("lock", "Online, locked", Tone.WARN)
NO_SHARE = Look("x-octagon", "Share missing", Tone.DANGER)
UNREACHABLE = Look("question-dashed", "Unreachable", Tone.UNKNOWN)
OPEN_REQUESTS = frozenset(
    {
        RequestStage.AWAITING_APPROVAL,
        RequestStage.APPROVED,
        RequestStage.SIGNING,
        RequestStage.SIGNED,
        RequestStage.BROADCAST,
        RequestStage.REFUSED,
    }
)


UNSIGNED = frozenset({RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED, RequestStage.SIGNING})
"""The stages in which a request still needs signers."""


def presence(person: MemberView | ShareView) -> Look:
    """Return the look of a member: ready to sign, online but not ready, or unreachable."""
    if not person.online:
        why = person.trouble
        return Look(UNREACHABLE.icon, why, UNREACHABLE.tone) if why else UNREACHABLE
    if isinstance(person, MemberView) and person.lacks_share:
        return NO_SHARE
    return LOCKED if person.locked else ONLINE


def network(name: str) -> Look:
    """Return the look of a network; all but the main network stand out."""
    if name == "mainnet":
        return Look("shield", "MAINNET", Tone.NEUTRAL)
    return Look("flask", name.upper(), Tone.WARN)


def history(state: str) -> Look:
    """Return the look of a past transfer from its state."""
    try:
        return REQUEST[RequestStage(state)]
    except ValueError:
        return Look("question-dashed", state, Tone.UNKNOWN)


def purpose(name: str) -> Look:
    """Return the look of a ceremony's purpose."""
    try:
        return PURPOSE[CeremonyPurpose(name)]
    except ValueError:
        return Look("question-dashed", name, Tone.UNKNOWN)
