"""Panels above the page, inside the window: questions, help and lists; Esc closes them."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from ui import theme
from ui.widgets.buttons import Button
from ui.widgets.card import Card, centred, row
from ui.widgets.fields import labelled, text_field
from ui.widgets.text import Label


class Sheet(QWidget):
    """A scrim over the window with one card; closing it restores the focus."""

    closed = Signal()

    def __init__(self, window: QWidget, title: str, *, width: int = 520, top: bool = False) -> None:
        super().__init__(window)
        self._before: QWidget | None = None
        self.card = Card(title, padding=24, spacing=16)
        self.card.setFixedWidth(width)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 72 if top else 24, 24, 24)
        if not top:
            layout.addStretch(2)
        layout.addLayout(centred(self.card))
        layout.addStretch(3)
        window.installEventFilter(self)
        self.hide()

    def open(self, focus: QWidget | None = None) -> None:
        """Cover the window."""
        self._before = QApplication.focusWidget()
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        (focus or self).setFocus()

    def close_sheet(self) -> None:
        """Uncover the window."""
        if self.isHidden():
            return
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        self._before = None
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep covering the window when it is resized."""
        parent = self.parentWidget()
        if event.type() is QEvent.Type.Resize and parent is not None and watched is parent:
            self.setGeometry(parent.rect())
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc; pass no key to the page."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close on a click beside the card."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close_sheet()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken the window."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("scrim"))
        painter.end()


class ReasonSheet(Sheet):
    """Asks for the reason of a refusal; the reason is recorded."""

    given = Signal(str)

    def __init__(self, window: QWidget, title: str, sentence: str, action: str, name: str) -> None:
        super().__init__(window, title)
        self.sentence = Label(sentence, "secondary", wrap=True)
        self.field: QLineEdit = text_field(f"{name}.reason", "Reason", limit=280)
        caption, field = labelled("Reason, recorded in every ledger", self.field)
        self.confirm = Button(action, "danger-filled", name=f"{name}.confirm")
        cancel = Button("Cancel", name=f"{name}.cancel")
        self.confirm.setEnabled(False)
        self.card.add(self.sentence, caption, field, row(cancel, 1, self.confirm))
        self.field.textChanged.connect(lambda text: self.confirm.setEnabled(bool(text.strip())))
        self.confirm.clicked.connect(self._give)
        cancel.clicked.connect(self.close_sheet)

    def ask(self) -> None:
        """Open with an empty field."""
        self.field.clear()
        self.open(self.field)

    def _give(self) -> None:
        reason = self.field.text().strip()
        self.close_sheet()
        self.given.emit(reason)
