"""The sign-in page: member, token, network and PIN."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from console.client import Profile
from ui import object_names as names
from ui import status, wording
from ui.context import Context
from ui.screens.sign_in.view_model import SignInModel
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, centred, column, row, rule
from ui.widgets.chip import Chip, IconMark
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import CheckLine, PinField
from ui.widgets.navigation import Avatar
from ui.widgets.text import Label

_CLOCK = "The clock is right now. It was ahead when the newest records were written."


class SignInScreen(QWidget):
    """Shown whenever the node is not ready; shows no wallets or amounts."""

    member_chosen = Signal(str)
    first_run_wanted = Signal()

    def __init__(self, context: Context, profiles: Sequence[Profile]) -> None:
        super().__init__()
        self.setObjectName("screen.sign_in")
        self.context = context
        self.model = SignInModel(context)
        me = context.link.profile
        self.network = Chip()
        self.unreachable = Banner(Tone.UNKNOWN, "signIn.unreachable", action="Retry now")
        self.unreachable.acted.connect(context.link.help_now)
        self.halted = Banner(Tone.DANGER, "signIn.halted")
        self.refusal = Banner(Tone.DANGER, "signIn.refusal")
        self.token_icon = IconMark("token", "muted", 20)
        self.token = Label("", wrap=True)
        self.pin = PinField(names.SIGN_IN_PIN)
        self.pin_caption = Label("Token PIN", "caption")
        self.pin_caption.setBuddy(self.pin)
        self.attempts = Label("", "caption", wrap=True)
        self.clock = CheckLine(_CLOCK, names.SIGN_IN_CLOCK)
        self.unlock = Button("Unlock", "primary", name=names.SIGN_IN_UNLOCK, icon="lock")
        self.unlock.setMinimumWidth(132)
        self.why = Label("", "caption", wrap=True)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName("Ledger verification")
        self.progress_text = Label("", "caption")
        self.facts = Facts()
        self.another = Button("Another member or vault \u2026", "ghost", name=names.SIGN_IN_ANOTHER)
        self.another.clicked.connect(self.first_run_wanted)
        self._lay_out(me.name, profiles)
        self.pin.textChanged.connect(self._repaint_button)
        self.pin.returnPressed.connect(self._unlock)
        self.unlock.clicked.connect(self._unlock)
        self.model.changed.connect(self.repaint_page)
        context.link.session_changed.connect(self.repaint_page)
        context.link.trouble_changed.connect(self.repaint_page)
        self.model.open("")
        self.repaint_page()

    def _lay_out(self, name: str, profiles: Sequence[Profile]) -> None:
        card = Card("", padding=24, spacing=12)
        card.setFixedWidth(480)
        card.add(
            row(Label(name, "h1"), 1, self.network),
            Label(
                "Sign in with this member's token to open its ledger and join the quorum.",
                "secondary",
                wrap=True,
            ),
        )
        if len(profiles) > 1:
            card.add(self._people(profiles))
        card.add(
            self.unreachable,
            self.halted,
            self.refusal,
            rule(),
            row(self.token_icon, self.token, spacing=12),
            column(self.pin_caption, self.pin, self.attempts, spacing=8),
            self.clock,
            row(self.why, 1, self.unlock),
            self.progress,
            self.progress_text,
        )
        brand = row(1, IconMark("quorate", "accent", 28), Label("Quorate", "h1"), 1, spacing=12)
        page = QWidget()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        layout = QVBoxLayout(page)
        layout.setSpacing(24)
        layout.addStretch(2)
        layout.addLayout(brand)
        layout.addLayout(centred(card))
        self.facts.setFixedWidth(432)
        layout.addLayout(centred(self.facts))
        layout.addLayout(centred(self.another))
        layout.addStretch(3)

    def close_screen(self) -> None:
        """Close the page for ever."""
        self.pin.forget()
        self.context.link.session_changed.disconnect(self.repaint_page)
        self.context.link.trouble_changed.disconnect(self.repaint_page)
        self.model.changed.disconnect(self.repaint_page)
        self.model.close()

    def repaint_page(self) -> None:
        """Paint the model."""
        model, session = self.model, self.model.session
        self._show_reachable()
        self.halted.show_text(
            f"Stopped: {model.halted_because}" if model.halted_because else "",
            "Nothing is signed here. Leave the machine as it is, and call your security officer.",
        )
        self.refusal.show_problem(model.refusal)
        self.token.setText(model.token_line)
        missing = session is not None and not model.token_present
        self.token_icon.set_icon("token", "warn_fg" if missing else "muted")
        self.attempts.show_text(model.attempts_line)
        # A page that opens anew asks again: it is said for one unlock only.
        self.clock.setVisible(model.clock_in_doubt or (self.clock.isChecked() and model.opening))
        if not self.clock.isVisibleTo(self):
            self.clock.setChecked(False)
        ready = not model.blocked_because
        if ready and not self.pin.isEnabled():
            self.pin.setEnabled(True)
            self.pin.setFocus()
        self.pin.setEnabled(ready)
        done, total = model.progress
        self.progress.setVisible(model.opening)
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        of = f"Verifying the ledger: {wording.number(done)} of {wording.number(total)} records"
        self.progress_text.show_text(
            (of if total else "Opening the vault") if model.opening else ""
        )
        if session is not None:
            self.network.set_look(status.network(session.network))
            self.facts.set_facts(
                Fact("Last unlocked", wording.moment(session.last_unlocked_ms)),
                Fact("Keys protected by", session.vault.backing),
                Fact("Version", session.version),
            )
        self._repaint_button()

    def _show_reachable(self) -> None:
        link, trouble = self.context.link, self.context.link.trouble
        self.unreachable.set_action(link.remedy)
        self.unreachable.show_text(
            trouble.what if trouble else "",
            f"{trouble.safe} {trouble.next_step}" if trouble else "",
        )

    def _repaint_button(self) -> None:
        blocked = self.model.blocked_because
        entered = "" if self.pin.text() else "Enter the PIN of this token."
        missing = blocked or self.pin.excess or entered
        self.unlock.setEnabled(not missing)
        self.why.setText("" if self.model.opening else missing)
        self.unlock.setAccessibleDescription(missing)

    def _unlock(self) -> None:
        if self.unlock.isEnabled():
            self.model.unlock(self.pin.take(), clock_is_right=self.clock.isChecked())

    def _people(self, profiles: Sequence[Profile]) -> QHBoxLayout:
        line = row(spacing=8)
        for profile in profiles:
            avatar = Avatar(profile.name, f"{names.SIGN_IN_MEMBER}.{profile.member}")
            avatar.setChecked(profile.member == self.context.link.profile.member)
            member = profile.member
            avatar.clicked.connect(lambda _=False, member=member: self.member_chosen.emit(member))
            line.addWidget(avatar)
        line.addWidget(Label("Members on this machine", "caption"))
        line.addStretch(1)
        return line
