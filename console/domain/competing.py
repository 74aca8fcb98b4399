"""Changes of one wallet that compete: what each member may take part in, and which one counts.

Statements arrive in any order, so every change is recorded, and a whole certificate convinces
everybody: the highest epoch is in use in the end. That no change undoes another is held where
members sign: nobody certifies what began with shares that are out of use, or two changes at once.
"""

from collections.abc import Iterable

from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import KeyChangeProposed
from console.domain.ids import MemberId, WalletId
from console.domain.key_ceremony import OVER, CeremonyState, KeyCeremony
from console.domain.wallet import Wallet

MAX_EPOCHS_AHEAD = 64
"""How far beyond all known epochs of a wallet a change may lie: a huge one would be the last."""

Ceremonies = Iterable[KeyCeremony]


def is_superseded(ceremony: KeyCeremony, wallet: Wallet | None) -> bool:
    """Return whether a change began with shares that another change has replaced meanwhile."""
    proposal = ceremony.proposal
    return (
        isinstance(proposal, KeyChangeProposed)
        and wallet is not None
        and wallet.epoch > proposal.from_epoch
        and ceremony.state is not CeremonyState.CERTIFIED
    )


def is_open(ceremony: KeyCeremony, wallet: Wallet | None, now_ms: int) -> bool:
    """Return whether a ceremony can still be carried out."""
    in_time = now_ms < ceremony.proposal.expires_at_ms
    return ceremony.state not in OVER and in_time and not is_superseded(ceremony, wallet)


def origin_of(wallet: WalletId, epoch: int, ceremonies: Ceremonies) -> KeyCeremony | None:
    """Return the certified ceremony that began an epoch, whether or not it is in use here."""
    found = [
        c
        for c in ceremonies
        if c.proposal.wallet == wallet and c.epoch == epoch and c.state is CeremonyState.CERTIFIED
    ]
    return max(found, key=lambda c: c.rank, default=None)


def require_near(wallet: WalletId, epoch: int, ceremonies: Ceremonies) -> None:
    """Check that an epoch is not far beyond those known here. Raises: NotYetPossible."""
    known = max((c.epoch for c in ceremonies if c.proposal.wallet == wallet), default=0)
    if epoch > known + MAX_EPOCHS_AHEAD:
        raise NotYetPossible("the ceremony begins an epoch far beyond those known here")


def require_current(ceremony: KeyCeremony, wallet: Wallet | None) -> None:
    """Check that a change begins with the shares in use here. Raises: Conflict, NotYetPossible."""
    proposal = ceremony.proposal
    if not isinstance(proposal, KeyChangeProposed):
        return
    if wallet is None or wallet.epoch < proposal.from_epoch:
        raise NotYetPossible("the ceremony begins with shares that are not in use here yet")
    if wallet.epoch > proposal.from_epoch:
        raise Conflict(
            "another change of this wallet's shares was completed first; propose this one again"
        )


def require_acceptable(
    me: MemberId, ceremony: KeyCeremony, wallet: Wallet | None, all_of: Ceremonies, now_ms: int
) -> None:
    """Check that accepting a ceremony does not pit two changes of one wallet against each other.

    Raises: Conflict, NotYetPossible.
    """
    require_current(ceremony, wallet)
    require_certifiable(me, ceremony, wallet, all_of)
    for other in _others(ceremony, all_of):
        accepted = any(event.member == me for event in other.accepted)
        if accepted and is_open(other, wallet, now_ms):
            raise NotYetPossible(
                "you have accepted another change of this wallet that is open; finish it or cancel "
                "it first"
            )


def require_certifiable(
    me: MemberId, ceremony: KeyCeremony, wallet: Wallet | None, all_of: Ceremonies
) -> None:
    """Check that a member's signature under a ceremony's keys can undo no other change.

    Raises: Conflict, NotYetPossible.
    """
    require_current(ceremony, wallet)
    for other in _others(ceremony, all_of):
        if all(event.member != me for event in other.confirmations):
            continue
        if other.epoch >= ceremony.epoch:
            raise Conflict(
                "you have certified another change of this wallet for this epoch or a later one; "
                "propose this one again"
            )
        if other.state not in OVER:
            raise NotYetPossible(
                "you have certified another change of this wallet that is not complete; cancel it "
                "first"
            )


def holder_of_pending(
    me: MemberId, ceremony: KeyCeremony, all_of: Ceremonies
) -> KeyCeremony | None:
    """Return the other change whose pending shares lie under this one's epoch; None if none do.

    Shares are stored by wallet and epoch: two changes would overwrite each other's.
    """
    for other in _others(ceremony, all_of):
        if other.epoch != ceremony.epoch:
            continue
        if other.state in {CeremonyState.RUNNING, CeremonyState.SEALED} or other.has_confirmed(me):
            return other
    return None


def require_alone(me: MemberId, ceremony: KeyCeremony, all_of: Ceremonies) -> None:
    """Check that no other change has pending shares under this one's epoch.

    Raises: NotYetPossible.
    """
    if holder_of_pending(me, ceremony, all_of) is not None:
        raise NotYetPossible(
            "another change of this wallet for the same epoch is under way here; cancel it first"
        )


def _others(ceremony: KeyCeremony, all_of: Ceremonies) -> tuple[KeyCeremony, ...]:
    """Return the other ceremonies of the same wallet."""
    wallet, ceremony_id = ceremony.proposal.wallet, ceremony.proposal.ceremony
    return tuple(
        c for c in all_of if c.proposal.wallet == wallet and c.proposal.ceremony != ceremony_id
    )
