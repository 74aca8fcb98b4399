"""Complaints in key generation: who dealt a share that does not fit, or says so falsely.

Dealers sign what they tell each receiver. Whoever complains shows the signed message, so that all
can repeat the check: a share that does not fit blames its dealer, everything else its author.
"""

from collections.abc import Callable, Collection, Mapping

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.evidence import NotTold
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.messages import Complaint, Complaints, Subshare
from console.protocols.math.feldman import ShareMismatch, verify_share
from console.protocols.math.group import Group, Point

Check = Callable[[int, int, SecretBytes], None]
"""Checks what a dealer owes to a receiver: (dealer, receiver, share). Raises: ShareMismatch."""


def fits(group: Group, points: Mapping[int, tuple[Point, ...]]) -> Check:
    """Check shares against the dealers' Feldman commitments."""

    def check(dealer: int, receiver: int, share: SecretBytes) -> None:
        verify_share(group, points[dealer], receiver, share)

    return check


def find_bad_shares(me: int, received: Mapping[int, SecretBytes], check: Check) -> tuple[int, ...]:
    """Name the dealers whose share for us does not fit their commitment, in ascending order."""
    bad = []
    for dealer, share in sorted(received.items()):
        try:
            check(dealer, me, share)
        except ShareMismatch:
            bad.append(dealer)
    return tuple(bad)


async def complain(
    party: Party,
    dealers: Collection[int],
    receivers: Collection[int],
    check: Check,
    received: Mapping[int, SecretBytes],
) -> None:
    """Exchange complaints about the shares that we `received`; return if nobody has any.

    Raises: ProtocolAbort blaming every dealer of a share that does not fit (`share`), and everyone
    whose complaint is unfounded or cannot be (`false-complaint`).
    """
    bad = find_bad_shares(party.me, received, check)
    ours = Complaints(tuple(Complaint(dealer, party.told(dealer, Subshare)) for dealer in bad))
    await party.broadcast(ours)
    complaints = {party.me: ours, **await party.gather(Complaints)}
    accusations = Accusations()
    for receiver, message in sorted(complaints.items()):
        accused = [complaint.dealer for complaint in message.complaints]
        possible = set(dealers) - {receiver} if receiver in receivers else set()
        if not set(accused) <= possible or accused != sorted(set(accused)):
            accusations.add(receiver, "false-complaint")
            continue
        for complaint in message.complaints:
            if _is_founded(party, receiver, complaint, check):
                accusations.add(complaint.dealer, "share", witness=receiver)
            else:
                accusations.add(receiver, "false-complaint")
    accusations.raise_if_any()


def _is_founded(party: Party, receiver: int, complaint: Complaint, check: Check) -> bool:
    """Return whether the dealer signed a share for this receiver that does not fit."""
    try:
        share = party.read(complaint.told, receiver, complaint.dealer, Subshare).share
    except NotTold:
        return False
    try:
        check(complaint.dealer, receiver, share)
    except ShareMismatch:
        return True
    return False
