"""The questions before a set-up is left or thrown away."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import Draft, TokenKind
from ui.first_run import names
from ui.problem import Problem
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.fields import PinField
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_KEPT = "Your choices are kept on this machine. You can go on with them from the start page."
_NOT_KEPT = "Nothing is kept yet: what you typed is dropped."
_NOTHING_MADE = "Your choices are removed from this machine. No keys were made yet."
_KEYS_MADE = (
    "The keys that were made are removed from the token, and the files from this machine. No vault "
    "knows them yet. The token asks for its PIN."
)
_KEYS_IN_KMS = (
    "Keys that were made in AWS KMS cannot be used from then on, and AWS deletes them in 7 days. "
    "Keys that you named stay. The files are removed from this machine. No vault knows them yet."
)
_PIN_NEEDED = "pin-needed"


class LeaveSheet(Sheet):
    """Keep and close, throw away, or stay."""

    keep = Signal()
    throw_away = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Leave the set-up?", width=560)
        name = names.LEAVE_SHEET
        self.sentence = Label("", "secondary", wrap=True)
        self.kept = Button("Keep and close", "primary", name=f"{name}.keep")
        self.thrown = Button("Throw away \u2026", "danger", name=f"{name}.throwAway")
        self.stay = Button("Stay", name=f"{name}.cancel")
        self.card.add(self.sentence, row(self.stay, 1, self.thrown, self.kept))
        self.stay.clicked.connect(self.close_sheet)
        self.kept.clicked.connect(self._keep)
        self.thrown.clicked.connect(self._throw)

    def ask(self, *, kept: bool, typed: str) -> None:
        """Open, and say what is kept and what is not."""
        self.sentence.setText(
            " ".join(part for part in (_KEPT if kept else _NOT_KEPT, typed) if part)
        )
        self.kept.setText("Keep and close" if kept else "Close")
        self.kept.setAccessibleName(self.kept.text())
        self.thrown.setVisible(kept)
        self.open(self.stay)

    def _keep(self) -> None:
        self.close_sheet()
        self.keep.emit()

    def _throw(self) -> None:
        self.close_sheet()
        self.throw_away.emit()


class ThrowSheet(Sheet):
    """Throws a set-up away, with the PIN if keys are made; stays open while it is done."""

    confirmed = Signal(object)
    """The PIN, or None where there are no keys."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, "Throw this set-up away?", width=560)
        name = names.THROW_SHEET
        self.setObjectName(name)
        self._needs_pin = self._working = False
        self.sentence = Label("", "secondary", wrap=True)
        self.refusal = Banner(Tone.DANGER, f"{name}.refusal")
        self.pin = PinField(f"{name}.pin")
        self.caption = Label("Token PIN", "caption")
        self.caption.setBuddy(self.pin)
        self.confirm = Button("Throw away", "danger-filled", name=f"{name}.confirm", icon="")
        self.cancel = Button("Cancel", name=f"{name}.cancel")
        self.why = Label("", "caption", wrap=True)
        self.card.add(
            self.sentence,
            self.refusal,
            column(self.caption, self.pin, spacing=6),
            self.why,
            row(self.cancel, 1, self.confirm),
        )
        self.pin.textChanged.connect(self._show)
        self.pin.returnPressed.connect(self._confirm)
        self.cancel.clicked.connect(self.close_sheet)
        self.confirm.clicked.connect(self._confirm)

    def ask_about(self, draft: Draft) -> None:
        """Ask about a set-up."""
        who = draft.name or "this member"
        in_kms = draft.token is not None and draft.token.kind is TokenKind.KMS
        # There, keys may be made without a word of that in the draft, and no PIN is asked for.
        text = _KEYS_IN_KMS if in_kms else _KEYS_MADE if draft.keys_made else _NOTHING_MADE
        needs_pin = draft.keys_made and not in_kms
        self._ask(f"The set-up of {who} is thrown away. {text}", needs_pin=needs_pin)

    def ask_about_trial(self) -> None:
        """Ask about the demonstration vault."""
        self._ask(
            "The demonstration vault is stopped and removed, with its three members. It holds test "
            "coins only.",
            needs_pin=False,
        )

    def show_work(self, *, working: bool, problem: Problem | None) -> None:
        """Show that it is being done, or why it was refused."""
        self._working = working
        if problem is not None and problem.code == _PIN_NEEDED:
            # The draft is kept after the keys are made: a crash in between leaves it behind.
            self.sentence.setText(self.sentence.text().replace(_NOTHING_MADE, _KEYS_MADE))
            self._show_pin(needed=True)
        self.refusal.show_problem(problem)
        self._show()
        if problem is not None and self._needs_pin and not self.isHidden():
            self.pin.setFocus()

    def close_sheet(self) -> None:
        """Forget the PIN, and close."""
        self.pin.forget()
        super().close_sheet()

    def _ask(self, sentence: str, *, needs_pin: bool) -> None:
        self._working = False
        self._show_pin(needed=needs_pin)
        self.sentence.setText(sentence)
        self.refusal.show_problem(None)
        self._show()
        self.open(self.pin if needs_pin else self.cancel)

    def _show_pin(self, *, needed: bool) -> None:
        self._needs_pin = needed
        self.pin.setVisible(needed)
        self.caption.setVisible(needed)

    def _show(self) -> None:
        missing = ""
        if self._needs_pin:
            missing = self.pin.excess if self.pin.text() else "Enter the PIN."
        self.pin.setEnabled(not self._working)
        self.why.show_text("Removing." if self._working else missing)
        self.confirm.setEnabled(not missing and not self._working)

    def _confirm(self) -> None:
        if self.confirm.isEnabled():
            self.confirmed.emit(self.pin.take() if self._needs_pin else None)
