"""Panels above the page, inside the window: questions, help and lists; Esc closes them."""

import shiboken6
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget

from ui import theme
from ui.announcing import announce
from ui.widgets.buttons import Button
from ui.widgets.card import Card, centred, row
from ui.widgets.fields import text_field
from ui.widgets.text import Label
from ui.widgets.toast import FOOT

_LOWEST = 240


def front_sheet(window: QWidget) -> "Sheet | None":
    """Return the sheet that covers a window, the last one if there are several; None if none."""
    # `raise_` moves a child to the end of its parent's children.
    children = window.findChildren(Sheet, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return next((sheet for sheet in reversed(children) if not sheet.isHidden()), None)


class Sheet(QWidget):
    """A scrim over the window with one card, which keeps the focus until it is closed."""

    closed = Signal()

    def __init__(self, window: QWidget, title: str, *, width: int = 520, top: bool = False) -> None:
        super().__init__(window)
        self._before: QWidget | None = None
        self._last: QWidget | None = None
        self.card = Card(title, padding=24, spacing=16)
        self.card.setFixedWidth(width)
        self._margin = 72 if top else 24
        layout = QVBoxLayout(self)
        # A message at the foot of the window stays beside the card.
        layout.setContentsMargins(24, self._margin, 24, FOOT + 4)
        if not top:
            layout.addStretch(2)
        layout.addLayout(centred(_Scroller(self.card)))
        layout.addStretch(3)
        window.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)
        self.hide()

    def open(self, focus: QWidget | None = None) -> None:
        """Cover the window."""
        if self.isHidden():
            self._before = QApplication.focusWidget()
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self._last = focus or self
        self._last.setFocus()

    def close_sheet(self) -> None:
        """Uncover the window; the focus goes back to where it was, if that is still there."""
        if self.isHidden():
            return
        self.hide()
        before, self._before, self._last = self._before, None, None
        # The page may have been left and deleted while the sheet was open.
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus()
        self.closed.emit()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus by Tab, in a circle inside the card."""
        inside = self._focusable()
        if not inside:
            self.setFocus()
            return True
        focused = QApplication.focusWidget()
        step = 1 if forward else -1
        place = inside.index(focused) + step if focused in inside else (0 if forward else -1)
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        inside[place % len(inside)].setFocus(reason)
        return True

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
        inside = self.card.mapFrom(self, event.position().toPoint())
        if not self.card.rect().contains(inside):
            self.close_sheet()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken the window."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("scrim"))
        painter.end()

    def _focusable(self) -> list[QWidget]:
        """Return the card's controls in the order of Tab."""
        found: list[QWidget] = []
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            by_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            inside = self.card.isAncestorOf(widget) and widget.isVisibleTo(self)
            if by_tab and inside and widget.isEnabled():
                found.append(widget)
            widget = widget.nextInFocusChain()
        return found

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        """Take the focus back from what is covered, however it was moved there."""
        window = self.parentWidget()
        if new is None or window is None or self.isHidden() or front_sheet(window) is not self:
            return
        if new is self or self.isAncestorOf(new):
            self._last = new
            return
        covered = new is window or window.isAncestorOf(new)
        if not covered or isinstance(new, Sheet):
            return
        last = self._last
        usable = last is not None and shiboken6.isValid(last) and last.isVisible()
        (last if usable and last is not None else self).setFocus()


class _Scroller(QScrollArea):
    """Holds a card; scrolls it only where the window is lower than the card."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card
        self.setWidget(card)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QScrollArea { background: transparent; }")
        card.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return the room in which the card needs no scroll bar."""
        width = self._card.maximumWidth()
        height = self._card.heightForWidth(width) if self._card.hasHeightForWidth() else 0
        hints = (self._card.sizeHint(), self._card.minimumSizeHint())
        return QSize(width, max(height, *(hint.height() for hint in hints)))

    def minimumSizeHint(self) -> QSize:
        """Return a height in which a field and its button are still reached by scrolling."""
        return QSize(self._card.maximumWidth(), min(self.sizeHint().height(), _LOWEST))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the card when its content changes."""
        if watched is self._card and event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class QuestionSheet(Sheet):
    """Asks before an act that cannot be undone; Cancel has the focus.

    While it is open it follows its subject: what has become impossible says why, and is not
    offered any more.
    """

    confirmed = Signal()

    def __init__(self, window: QWidget, title: str, action: str, name: str) -> None:
        super().__init__(window, title)
        self.setObjectName(name)
        self._over = self._blocked = ""
        self.sentence = Label("", "secondary", wrap=True)
        self.why = Label("", "caption", wrap=True)
        self.confirm = Button(action, "danger-filled", name=f"{name}.confirm")
        self.cancel = Button("Cancel", name=f"{name}.cancel")
        self.card.add(self.sentence, *self.parts(name), self.why)
        self.card.add(row(self.cancel, 1, self.confirm))
        self.confirm.clicked.connect(self._confirm)
        self.cancel.clicked.connect(self.close_sheet)

    def parts(self, name: str) -> tuple[QWidget, ...]:
        """Return what is between sentence and buttons."""
        del name
        return ()

    def ask(self, sentence: str) -> None:
        """Open with a sentence that says what the act does."""
        self._over = self._blocked = ""
        self.sentence.setText(sentence)
        self._show()
        self.open(self.cancel)

    def follow(self, over: str, blocked: str = "") -> None:
        """While open, show why the act is over for ever, or cannot be taken now."""
        if self.isHidden():
            return
        if over and not self._over:
            self.sentence.setText(over)
            announce(self, over)
            self.cancel.setFocus()
        self._over, self._blocked = over or self._over, blocked
        self._show()

    def missing(self) -> str:
        """Return what is still to be filled in, or ''."""
        return ""

    def _show(self) -> None:
        self.confirm.setVisible(not self._over)
        self.cancel.setText("Close" if self._over else "Cancel")
        self.cancel.setAccessibleName(self.cancel.text())
        self.why.show_text("" if self._over else self._blocked)
        self.confirm.setEnabled(not (self._over or self._blocked or self.missing()))

    def _confirm(self) -> None:
        if self.confirm.isEnabled():
            self.close_sheet()
            self.confirmed.emit()


class ReasonSheet(QuestionSheet):
    """Asks for the reason of a refusal; the reason is recorded."""

    given = Signal(str)

    def __init__(self, window: QWidget, title: str, action: str, name: str) -> None:
        self.field = text_field(f"{name}.reason", "Reason", limit=280)
        self.caption = Label("Reason, recorded in every ledger", "caption")
        self.caption.setBuddy(self.field)
        super().__init__(window, title, action, name)
        self.field.textChanged.connect(self._show)
        self.confirmed.connect(lambda: self.given.emit(self.field.text().strip()))

    def parts(self, name: str) -> tuple[QWidget, ...]:
        """Return the caption and the field."""
        del name
        return self.caption, self.field

    def ask(self, sentence: str) -> None:
        """Open with an empty field."""
        self.field.clear()
        super().ask(sentence)
        self.field.setFocus()

    def missing(self) -> str:
        """Return that a reason is needed."""
        return self.field.excess if self.field.text().strip() else "A reason is needed."

    def _show(self) -> None:
        super()._show()
        for part in (self.caption, self.field):
            part.setVisible(not self._over)
