"""Complaints in key generation: who holds a share that does not fit, and what the dealer answers.

An accused dealer makes the share public. A share that fits ends the complaint and blames nobody:
the first one may have been bad, or the complaint false, and no third party can tell. A share that
does not fit, or a missing one, blames the dealer; an impossible complaint blames its author.
"""

from collections.abc import Callable, Collection, Mapping

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.messages import Complaints, Reveal, RevealedShare
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


def check_complaints(
    dealers: Collection[int], receivers: Collection[int], complaints: Mapping[int, Complaints]
) -> dict[int, tuple[int, ...]]:
    """Return who complained about each accused dealer: dealer -> receivers, both ascending.

    Raises: ProtocolAbort blaming who complained about itself, about somebody who deals nothing,
    without being owed anything, or out of order.
    """
    accusations = Accusations()
    accusers: dict[int, tuple[int, ...]] = {}
    for receiver, message in sorted(complaints.items()):
        accused = message.accused
        possible = set(dealers) - {receiver} if receiver in receivers else set()
        if not set(accused) <= possible or list(accused) != sorted(set(accused)):
            accusations.add(receiver, "false-complaint")
            continue
        for dealer in accused:
            accusers[dealer] = (*accusers.get(dealer, ()), receiver)
    accusations.raise_if_any()
    return accusers


async def complain(
    party: Party,
    dealers: Collection[int],
    receivers: Collection[int],
    evaluate: Callable[[int], SecretBytes],
    check: Check,
    received: dict[int, SecretBytes],
) -> tuple[dict[int, Complaints], dict[int, Reveal]]:
    """Exchange complaints about what we `received`, and settle them in one more round.

    Bad shares of ours are replaced. Returns all complaints, and all reveals if there was that
    round.
    Raises: ProtocolAbort as `check_complaints` and `settle`.
    """
    ours = Complaints(find_bad_shares(party.me, received, check))
    await party.broadcast(ours)
    complaints = {party.me: ours, **await party.gather(Complaints)}
    accusers = check_complaints(dealers, receivers, complaints)
    if not accusers:
        return complaints, {}
    return complaints, await settle(party, evaluate, check, accusers, received)


async def settle(
    party: Party,
    evaluate: Callable[[int], SecretBytes],
    check: Check,
    accusers: Mapping[int, tuple[int, ...]],
    received: dict[int, SecretBytes],
) -> dict[int, Reveal]:
    """Answer the complaints against us, check the others' answers, and replace our bad shares.

    `evaluate` returns what we owe to a receiver. All send in this round, the unaccused an empty
    message. Returns all reveals.
    Raises: ProtocolAbort blaming every dealer whose answer is missing or does not fit.
    """
    owed = accusers.get(party.me, ())
    ours = Reveal(tuple(RevealedShare(j, _reveal(evaluate, j)) for j in owed))
    await party.broadcast(ours)
    reveals = {party.me: ours, **await party.gather(Reveal)}
    accusations = Accusations()
    for dealer in party.others:
        owed = accusers.get(dealer, ())
        shares = reveals[dealer].shares
        if tuple(share.receiver for share in shares) != owed:
            accusations.add(dealer, "complaint-answer")
            continue
        for share in shares:
            revealed = SecretBytes(share.share)
            try:
                check(dealer, share.receiver, revealed)
            except ShareMismatch:
                accusations.add(dealer, "share")
                continue
            if share.receiver == party.me:
                received[dealer].wipe()
                received[dealer] = revealed
    accusations.raise_if_any()
    return reveals


def _reveal(evaluate: Callable[[int], SecretBytes], receiver: int) -> bytes:
    with evaluate(receiver) as share:
        return bytes(share)
