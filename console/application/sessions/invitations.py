"""Invitations that this member answered and whose sessions have not begun, within bounds."""

from collections.abc import Callable
from dataclasses import dataclass

from console.application.peers.signed_statements import Verified
from console.application.peers.statements import Invitation
from console.domain.errors import AlreadyDecided, Conflict, NotYetPossible
from console.domain.ids import MemberId
from console.domain.times import MAX_CLOCK_SKEW_MS
from console.protocols.kernel.channel import ChannelKeys

MAX_PENDING = 16
"""Invitations of one coordinator that wait for their beginning: the oldest gives way."""
MAX_SESSION_MS = 600_000
"""How far ahead of its signing the deadline of an invitation may lie."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An invitation that we answered; our channel keys wait for the beginning."""

    invitation: Verified
    invited: Invitation
    keys: ChannelKeys
    readiness: Verified


def require_meant(invitation: Invitation, signer: MemberId, me: MemberId, now_ms: int) -> None:
    """Check what an invitation says by itself. Raises: NotYetPossible, Conflict."""
    if abs(now_ms - invitation.at_ms) > MAX_CLOCK_SKEW_MS or invitation.deadline_ms <= now_ms:
        raise NotYetPossible("the invitation's time is over, or a clock is wrong")
    if invitation.deadline_ms > invitation.at_ms + MAX_SESSION_MS:
        raise Conflict("an invitation for longer than a session takes")
    if signer not in invitation.participants:
        # Otherwise it costs nothing to keep others busy.
        raise Conflict("a coordinator takes part in its sessions")
    if me not in invitation.participants:
        raise NotYetPossible("this member is not invited")
    if len(set(invitation.participants)) != len(invitation.participants):
        raise Conflict("a member is invited twice")


class Invitations:
    """What waits for its beginning, by the digest of the invitation."""

    def __init__(self) -> None:
        self._pending: dict[bytes, Pending] = {}
        self._answered: dict[tuple[MemberId, str], int] = {}
        """When each coordinator signed its newest invitation about a subject: one that comes
        twice, or late, ends no session and undoes no share."""

    def __len__(self) -> int:
        return len(self._pending)

    def get(self, digest: bytes) -> Pending | None:
        """Return what waits under this digest."""
        return self._pending.get(digest)

    def require_newest(self, coordinator: MemberId, invitation: Invitation) -> None:
        """Refuse what is not newer than the last one answered. Raises: AlreadyDecided."""
        if invitation.at_ms <= self._answered.get((coordinator, invitation.subject), 0):
            raise AlreadyDecided("this invitation was used, or a newer one was answered")

    def keep(self, pending: Pending) -> None:
        """Keep an answered invitation until it begins or gives way."""
        coordinator = pending.invitation.signer
        self._answered[coordinator, pending.invited.subject] = pending.invited.at_ms
        same = [d for d, p in self._pending.items() if p.invitation.signer == coordinator]
        if len(same) >= MAX_PENDING:
            del self._pending[same[0]]
        self._pending[pending.invitation.digest] = pending

    def take(self, digest: bytes) -> Pending | None:
        """Remove and return: a session begins at most once."""
        return self._pending.pop(digest, None)

    def drop(self, which: Callable[[Invitation], bool]) -> None:
        """Remove those for which `which` is true: they begin no more."""
        for digest, pending in tuple(self._pending.items()):
            if which(pending.invited):
                del self._pending[digest]

    def forget_stale(self, now_ms: int) -> None:
        """Remove what is past its deadline, and records of answers that no clock reaches."""
        self.drop(lambda invited: invited.deadline_ms <= now_ms)
        for line, at_ms in tuple(self._answered.items()):
            if at_ms < now_ms - 2 * MAX_CLOCK_SKEW_MS:
                del self._answered[line]

    def clear(self) -> None:
        """Remove everything: the vault is being locked."""
        self._pending.clear()
