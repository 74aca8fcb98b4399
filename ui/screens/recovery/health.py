"""The state of a wallet's shares in one mark, for lists."""

from console.application.views import ShareState, WalletSharesView
from ui import wording
from ui.status import Look
from ui.theme import Tone


def wallet_look(wallet: WalletSharesView, now: int) -> Look:
    """Return the worst state among a wallet's shares."""
    states = [share.state for share in wallet.shares]
    lost, banned = states.count(ShareState.LOST), states.count(ShareState.BANNED)
    if wallet.quarantined_because:
        return Look("x-octagon", "Quarantined", Tone.DANGER)
    if lost:
        return Look("x-circle", f"{wording.count(lost, 'share')} lost", Tone.DANGER)
    if banned:
        return Look("ban", f"{wording.count(banned, 'share')} banned", Tone.WARN)
    if wallet.open_ceremony:
        return Look("hourglass", "Ceremony in progress", Tone.INFO)
    due = wording.due(wallet.refresh_due_ms, now)
    if wallet.refresh_due_ms < now:
        return Look("timer", wording.capital(due), Tone.WARN)
    if not wallet.epoch:
        return Look("seal", "Never refreshed", Tone.INFO)
    return Look("shield-check", f"Epoch {wallet.epoch} \u00b7 {due}", Tone.OK)
