"""The panel with the founders' entries, which a machine that joins needs: file, text or codes."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from console.client import Founder, FoundersUnreadable, founders
from ui import files, wording
from ui import object_names as names
from ui.problem import Problem
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.qr import QrCode
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_WIDTH, _CODE = 760, 368
_FILE = "founders.entries.json"
_WHY = (
    "Give these entries to whoever sets the new machine up: its page \u201cInvitation\u201d asks "
    "for them. They hold public keys and addresses, and no secret."
)
_WHO = "The vault was begun by {0}."
_COMPARE = "Whoever joins compares each founder\u2019s code by voice before the machine joins."
_COPIED = "Copied. The clipboard is emptied in 30 s."
_UNREADABLE = Problem(
    "founders-unreadable",
    "The founders\u2019 entries on this machine cannot be read.",
    "Keys, shares and ledger are not affected.",
    "Ask another member for the entries, or restore the file roster.toml in the member\u2019s "
    "folder from a backup.",
)


class FoundersPanel(Sheet):
    """Save, Copy, and one code after the other. `copied` carries all lines."""

    copied = Signal(str)

    def __init__(self, window: QWidget, directory: Path) -> None:
        super().__init__(window, "The founders\u2019 entries", width=_WIDTH)
        self._directory = directory
        self._founders: tuple[Founder, ...] = ()
        self._place = 0
        name = names.FOUNDERS_PANEL
        self.problem = Banner(Tone.DANGER, f"{name}.problem")
        self.who = Label("", "", wrap=True)
        self.save = Button("Save as a file \u2026", "primary", icon="file", name=f"{name}.save")
        self.copy = Button("Copy the lines", icon="copy", name=f"{name}.copy")
        self.said = Label("", "caption", wrap=True)
        self.code = QrCode(_CODE)
        self.code.setObjectName(f"{name}.code")
        self.whose = Label("", "caption", wrap=True)
        self.before = self._turn("chevron-left", f"{name}.before", "Code before", -1)
        self.after = self._turn("chevron-right", f"{name}.after", "Next code", 1)
        self.close_button = Button("Close", name=f"{name}.close")
        self.close_button.clicked.connect(self.close_sheet)
        self.save.clicked.connect(self._save)
        self.copy.clicked.connect(self._copy)
        self._lay_out()

    def ask(self) -> None:
        """Open, with what stands in this member's roster file."""
        self.said.show_text("")
        self._place = 0
        try:
            self._founders = founders(self._directory)
        except FoundersUnreadable:
            self._founders = ()
        known = bool(self._founders)
        self.problem.show_problem(None if known else _UNREADABLE)
        self._content.setVisible(known)
        people = wording.listed([founder.name for founder in self._founders])
        self.who.setText(_WHO.format(people))
        self._show_code()
        self.open(self.save if known else self.close_button)

    def _turn(self, icon: str, name: str, accessible: str, step: int) -> Button:
        button = Button("", icon=icon, name=name, accessible=accessible)
        button.clicked.connect(lambda: self._go(step))
        return button

    def _lay_out(self) -> None:
        texts = QWidget()
        texts.setLayout(
            column(
                Label(_WHY, "", wrap=True),
                self.who,
                Label(_COMPARE, "secondary", wrap=True),
                self.save,
                self.copy,
                self.said,
                spacing=12,
                stretch=True,
            )
        )
        codes = QWidget()
        turn = row(self.before, spacing=8)
        turn.addWidget(self.whose, 1)
        turn.addWidget(self.after)
        self.whose.setAlignment(Qt.AlignmentFlag.AlignCenter)
        codes.setLayout(column(self.code, turn, spacing=8))
        codes.setFixedWidth(_CODE)
        self._content = QWidget()
        line = QHBoxLayout(self._content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(24)
        line.addWidget(texts, 1)
        line.addWidget(codes, 0, Qt.AlignmentFlag.AlignTop)
        self.card.add(self.problem, self._content, row(1, self.close_button))

    def _go(self, step: int) -> None:
        self._place += step
        self._show_code()

    def _show_code(self) -> None:
        number = len(self._founders)
        if not number:
            return
        founder = self._founders[self._place]
        self.code.set_text(founder.line, what=f"the entry of {founder.name}")
        self.whose.setText(f"Code {self._place + 1} of {number}: {founder.name}")
        for button, able, other in (
            (self.before, self._place > 0, self.after),
            (self.after, self._place < number - 1, self.before),
        ):
            if button.hasFocus() and not able:
                other.setEnabled(True)
                other.setFocus()
            button.setEnabled(able)
            button.setVisible(number > 1)

    def _text(self) -> str:
        return "".join(f"{founder.line}\n" for founder in self._founders)

    def _save(self) -> None:
        target = files.choose_target(self, "Save the founders\u2019 entries", _FILE)
        if target is None:
            return
        try:
            target.write_text(self._text(), encoding="utf-8")
        except OSError as error:
            why = error.strerror or "the system refuses it"
            self.said.show_text(f"They were not saved: {why}. Choose another folder.")
            return
        self.said.show_text(f"Saved as {target.name}.")

    def _copy(self) -> None:
        self.copied.emit(self._text())
        self.said.show_text(_COPIED)
