"""What a member knows of a signature that it does not have: proven, or only possible.

A signature needs a share of exactly threshold custodians, and nobody tells the others that it gave
one. So a member knows what it did itself, and what the others could do without it.
"""

from enum import StrEnum

from console.domain.ids import MemberId
from console.domain.signing_request import UNSIGNED, RequestState, SigningRequest


class Doubt(StrEnum):
    """Whether a signature of a request may exist that is not on record here."""

    NONE = "none"
    """Proven: every signature needs this member's share, and it gave none."""
    UNAPPROVED = "unapproved"
    """None as far as is known here: nobody gives a share before the approvals are complete."""
    POSSIBLE = "possible"
    """The others can have signed without this member, in sessions that it was not asked for."""
    GIVEN = "given"
    """This member gave its share: the others of that session can have finished without it."""

    @property
    def may_be_signed(self) -> bool:
        """Whether nobody here can say that there is no signature."""
        return self in {Doubt.POSSIBLE, Doubt.GIVEN}


def doubt(request: SigningRequest, me: MemberId) -> Doubt:
    """Return what a member knows of a request without a signature on record.

    A session in which it took part without giving its share left no signature, whatever became of
    it. What it was not invited to it cannot see.
    """
    quorum = request.policy.quorum
    if request.has_released:
        return Doubt.GIVEN
    if not request.has_quorum:
        return Doubt.UNAPPROVED
    needed = me in quorum.custodians and quorum.threshold == len(quorum.custodians)
    return Doubt.NONE if needed else Doubt.POSSIBLE


def has_ended_unsigned(request: SigningRequest, epoch: int, now_ms: int) -> bool:
    """Return whether nobody gives a share any more and no signature is on record here.

    `epoch` is the one in use of the wallet's shares.
    """
    if request.state in {RequestState.DENIED, RequestState.WITHDRAWN}:
        return True
    late = now_ms >= request.proposal.expires_at_ms
    return request.state in UNSIGNED and (late or request.is_outdated(epoch))
