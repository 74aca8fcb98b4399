"""Settings: look, locking, keyboard, about, licences."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit

from ui import assets, wording
from ui import object_names as names
from ui.context import Context
from ui.screen import Screen
from ui.screens.settings.licences import LICENCES
from ui.screens.settings.view_model import SettingsModel
from ui.theme import ThemeName
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.facts import Fact, Facts
from ui.widgets.tabs import Tabs
from ui.widgets.text import Label

_LOCKS = (("60", "1 min"), ("300", "5 min"), ("900", "15 min"))


class SettingsScreen(Screen):
    """Changes are saved immediately."""

    NAME = "settings"
    TITLE = "Settings"
    HELP = (
        "Every change is saved immediately. Nothing on this page changes keys, wallets or quorums.",
    )
    model: SettingsModel
    shortcuts_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context, SettingsModel(context))

    def build(self) -> None:
        """Lay out the cards."""
        self.theme = Tabs(
            names.SETTINGS_THEME, (("system", "System"), ("light", "Light"), ("dark", "Dark"))
        )
        self.theme.chosen.connect(self.context.choose_theme)
        look = Card("Appearance", spacing=8)
        look.add(
            self.theme, Label("System follows the desktop's scheme, if it has one.", "caption")
        )
        self.lock = Tabs(names.SETTINGS_LOCK_AFTER, _LOCKS)
        self.lock.chosen.connect(lambda key: self.model.lock_after(int(key)))
        locking = Card("Lock when idle", spacing=8)
        locking.add(
            self.lock,
            Label(
                "Locking closes the vault. A signing session on this node stops and can be "
                "retried.",
                "caption",
                wrap=True,
            ),
        )
        shortcuts = Button("Show shortcuts", icon="keyboard", name=names.SETTINGS_SHORTCUTS)
        shortcuts.clicked.connect(self.shortcuts_wanted)
        keyboard = Card("Keyboard", spacing=8)
        keyboard.add(
            Label("Everything can be done without a mouse.", "secondary"), row(shortcuts, 1)
        )
        self.facts = Facts()
        about = Card("About Quorate", spacing=12)
        about.add(self.facts)
        licences = QPlainTextEdit(LICENCES + assets.font_licences())
        licences.setObjectName(names.SETTINGS_LICENCES)
        licences.setAccessibleName("Licences")
        licences.setReadOnly(True)
        licences.setFixedHeight(260)
        texts = Card("Licences", spacing=12)
        texts.add(licences)
        self.content.addLayout(
            columns(
                column(look, locking, keyboard, spacing=16, stretch=True),
                column(about, texts, spacing=16, stretch=True),
                (1, 1),
            )
        )

    def render_content(self) -> None:
        """Paint the current preferences."""
        settings = self.context.settings
        self.theme.choose(ThemeName(settings.theme).value)
        known = {key for key, _ in _LOCKS}
        seconds = str(settings.lock_after_s)
        self.lock.choose(seconds if seconds in known else "300")
        session = self.model.session
        if session is None:
            return
        token = " \u00b7 ".join(part for part in (session.vault.label, session.vault.model) if part)
        self.facts.set_facts(
            Fact("Version", session.version),
            Fact("Member", f"{session.member_name} ({session.member})"),
            Fact("Network", session.network),
            Fact("Chains", ", ".join(session.chains)),
            Fact("Token", token),
            Fact("Keys protected by", session.vault.backing),
            Fact("Last unlocked", wording.moment(session.last_unlocked_ms)),
        )
