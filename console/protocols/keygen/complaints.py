"""Complaints in key generation: who holds a share that does not fit, and what the dealer answers.

An accused dealer makes the share public. A share that fits settles the matter and blames nobody:
the first one may have been bad, or the complaint false, and no third party can tell. A share that
does not fit, or a missing one, blames the dealer; an impossible complaint blames its author.
"""

from collections.abc import Mapping

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.messages import Reveal, RevealedShare, Verdict
from console.protocols.math.feldman import ShareMismatch, verify_share
from console.protocols.math.group import Group, Point
from console.protocols.math.polynomial import Polynomial


def find_bad_shares(
    group: Group,
    me: int,
    points: Mapping[int, tuple[Point, ...]],
    received: Mapping[int, SecretBytes],
) -> tuple[int, ...]:
    """Name the dealers whose share for us does not fit their commitment, in ascending order."""
    bad = []
    for dealer, share in sorted(received.items()):
        try:
            verify_share(group, points[dealer], me, share)
        except ShareMismatch:
            bad.append(dealer)
    return tuple(bad)


def check_verdicts(
    parties: tuple[int, ...], verdicts: Mapping[int, Verdict]
) -> dict[int, tuple[int, ...]]:
    """Turn verdicts into complaints: dealer -> receivers, both ascending.

    Raises: ProtocolAbort blaming who complained about itself, about a stranger or out of order.
    """
    accusations = Accusations()
    complaints: dict[int, tuple[int, ...]] = {}
    for receiver, verdict in sorted(verdicts.items()):
        accused = verdict.accused
        strangers = set(accused) - (set(parties) - {receiver})
        if strangers or list(accused) != sorted(set(accused)):
            accusations.add(receiver, "false-complaint")
            continue
        for dealer in accused:
            complaints[dealer] = (*complaints.get(dealer, ()), receiver)
    accusations.raise_if_any()
    return complaints


async def settle(
    party: Party,
    group: Group,
    polynomial: Polynomial,
    points: Mapping[int, tuple[Point, ...]],
    complaints: Mapping[int, tuple[int, ...]],
    received: dict[int, SecretBytes],
) -> dict[int, Reveal]:
    """Answer the complaints against us, check the others' answers, and replace our bad shares.

    Everybody speaks in this round, the unaccused with an empty message. Returns all reveals.
    Raises: ProtocolAbort blaming every dealer whose answer is missing or does not fit.
    """
    owed = complaints.get(party.me, ())
    ours = Reveal(tuple(RevealedShare(j, _reveal(polynomial, j)) for j in owed))
    await party.broadcast(ours)
    reveals = {party.me: ours, **await party.gather(Reveal)}
    accusations = Accusations()
    for dealer in party.others:
        owed = complaints.get(dealer, ())
        shares = reveals[dealer].shares
        if tuple(share.receiver for share in shares) != owed:
            accusations.add(dealer, "complaint-answer")
            continue
        for share in shares:
            revealed = SecretBytes(share.share)
            try:
                verify_share(group, points[dealer], share.receiver, revealed)
            except ShareMismatch:
                accusations.add(dealer, "share")
                continue
            if share.receiver == party.me:
                received[dealer].wipe()
                received[dealer] = revealed
    accusations.raise_if_any()
    return reveals


def _reveal(polynomial: Polynomial, receiver: int) -> bytes:
    with polynomial.evaluate(receiver) as share:
        return bytes(share)
