"""This member's verdicts about others: failed checks that bind until the next epoch.

A ban follows a secret-dependent check, which cannot be proven to others. A quarantine follows a
wrong signature for which no member can be blamed (docs/spec 0.3 and 13). Both end with a refresh,
which generates new pair states and new shares.
"""

from collections.abc import Iterable
from enum import StrEnum

from console.domain.events import SessionAborted
from console.domain.ids import MemberId, WalletId


class Verdict(StrEnum):
    """What a failed check obliges this member to do."""

    BLAME = "blame"
    BAN = "ban"
    FREEZE = "freeze"


def banned(
    verdicts: Iterable[SessionAborted], wallet: WalletId, epoch: int
) -> dict[MemberId, SessionAborted]:
    """Return the members that this one no longer signs with, each with the newest reason."""
    return {
        member: verdict
        for verdict in verdicts
        if (verdict.wallet, verdict.epoch, verdict.verdict) == (wallet, epoch, Verdict.BAN)
        for member in verdict.blamed
    }


def quarantine(
    verdicts: Iterable[SessionAborted], wallet: WalletId, epoch: int
) -> SessionAborted | None:
    """Return why this member does not sign with the wallet's keys; None if it does."""
    frozen = (
        v for v in verdicts if (v.wallet, v.epoch, v.verdict) == (wallet, epoch, Verdict.FREEZE)
    )
    return next(frozen, None)
