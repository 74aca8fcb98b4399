"""This machine's entry for the others: a file, a code for a scanner, or text to copy."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from console.client.set_up.messages import EntrySeen
from ui import files
from ui.first_run import names
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column
from ui.widgets.qr import QrCode
from ui.widgets.text import Label

QR_SIZE = 368
_WHAT = (
    "It holds public keys and your address, and no secret. The others check by voice that it "
    "arrived unchanged."
)


class OwnEntry(Card):
    """The entry as a QR code, with Save and Copy."""

    said = Signal(str)
    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__("Your entry", padding=24, spacing=16)
        self._entry: EntrySeen | None = None
        self.how = Label("", "", wrap=True)
        self.save = Button("Save as a file \u2026", icon="file", name=names.INVITATION_SAVE)
        self.copy = Button("Copy the line", icon="copy", name=names.INVITATION_COPY)
        self.saved = Label("", "caption", wrap=True)
        self.saved.hide()
        self.code = QrCode(QR_SIZE)
        self.code.setObjectName(names.INVITATION_QR)
        texts = QWidget()
        texts.setLayout(
            column(
                self.how,
                Label(_WHAT, "secondary", wrap=True),
                self.save,
                self.copy,
                self.saved,
                spacing=12,
                stretch=True,
            )
        )
        line = QHBoxLayout()
        line.setSpacing(24)
        line.addWidget(texts, 1)
        line.addWidget(self.code, 0, Qt.AlignmentFlag.AlignTop)
        self.add(line)
        self.save.clicked.connect(self._save)
        self.copy.clicked.connect(self._copy)

    def show_entry(self, entry: EntrySeen | None, how: str) -> None:
        """Show an entry, and what to do with it; hide the card while there is none."""
        self.setVisible(entry is not None)
        self.how.setText(how)
        if entry is not None and entry != self._entry:
            self.code.set_text(entry.line.strip(), what="this machine\u2019s entry")
        self._entry = entry

    def _save(self) -> None:
        entry = self._entry
        if entry is None:
            return
        target = files.choose_target(self, "Save your entry", f"{entry.member}.entry.json")
        if target is None:
            return
        try:
            target.write_text(f"{entry.line.strip()}\n", encoding="utf-8")
        except OSError as error:
            self.saved.show_text(f"It was not saved: {error.strerror}. Choose another folder.")
            return
        self.saved.show_text(f"Saved as {target.name}.")
        self.said.emit(self.saved.text())

    def _copy(self) -> None:
        if self._entry is not None:
            self.copied.emit(self._entry.line.strip())
            self.saved.show_text("Copied. The clipboard is emptied in 30 s.")
