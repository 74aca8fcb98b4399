"""The table of screens, one line per screen."""

from collections.abc import Callable
from typing import NamedTuple

from ui.context import Context
from ui.screen import Screen
from ui.screens.approvals.view import ApprovalsScreen
from ui.screens.audit.view import AuditScreen
from ui.screens.ceremonies.view import CeremoniesScreen
from ui.screens.new_transfer.view import NewTransferScreen
from ui.screens.overview.view import OverviewScreen
from ui.screens.recovery.view import RecoveryScreen
from ui.screens.review.view import ReviewScreen
from ui.screens.settings.view import SettingsScreen
from ui.screens.wallets.view import WalletsScreen


class Entry(NamedTuple):
    """A screen: its name, its sidebar entry, and its constructor.

    A screen without an icon has no entry of its own; `section` names the highlighted entry.
    """

    name: str
    title: str
    icon: str
    section: str
    make: Callable[[Context], Screen]


SCREENS = (
    Entry("overview", "Overview", "home", "overview", OverviewScreen),
    Entry("approvals", "Approvals", "inbox", "approvals", ApprovalsScreen),
    Entry("wallets", "Wallets", "wallet", "wallets", WalletsScreen),
    Entry("ceremonies", "Ceremonies", "people", "ceremonies", CeremoniesScreen),
    Entry("recovery", "Recovery", "lifebuoy", "recovery", RecoveryScreen),
    Entry("audit", "Audit ledger", "book", "audit", AuditScreen),
    Entry("settings", "Settings", "gear", "settings", SettingsScreen),
    Entry("review", "Review request", "", "approvals", ReviewScreen),
    Entry("new_transfer", "New transfer", "", "wallets", NewTransferScreen),
)
BY_NAME = {entry.name: entry for entry in SCREENS}
SECTIONS = tuple(entry for entry in SCREENS if entry.icon)
_OTHER_WORDS = {
    "request": "review",
    "requests": "approvals",
    "inbox": "approvals",
    "wallet": "wallets",
    "ceremony": "ceremonies",
    "shares": "recovery",
    "machine": "recovery",
    "machines": "recovery",
    "ledger": "audit",
    "transfer": "new_transfer",
}


def find(name: str) -> Entry:
    """Return a screen by its name, or by the node's word for it. Raises: KeyError."""
    return BY_NAME[_OTHER_WORDS.get(name, name)]
