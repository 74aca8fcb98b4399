"""Fields that people type into: text, PIN, numbers and confirmations."""

from PySide6.QtCore import QEvent, QMimeData, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextOption,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QWidget,
)

from console.application.commands import MAX_SECRET_CHARS, Pin
from ui import icons, theme, wording
from ui.announcing import announce
from ui.widgets.buttons import Button
from ui.widgets.text import Label

MAX_AREA = 200_000
"""Characters of a field of several lines; no message that can be signed is longer."""
_BOX = 22
_PARAGRAPH = "\u2029"
_NOT_KEPT = frozenset("\r\u2029\ufdd0\ufdd1")
"""What a QTextDocument replaces by its own line break as it is inserted."""
_NOT_PASTED = (
    "The text was not pasted: it has carriage returns or other line breaks that would be changed "
    "here, and the signature would be of another text. Convert its line breaks first."
)
_FORBIDDEN = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut,
)


class LimitedField(QLineEdit):
    """A line with a limit that is told; what is beyond it is never cut off in silence.

    `excess` says why its text is too long, or "". What uses the field does not act meanwhile.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self._told = False
        # Qt counts units of UTF-16. One more than fits is taken, so that an excess shows, and no
        # more, so that a megabyte on the clipboard is never laid out.
        self.setMaxLength(2 * (limit + 1))
        self.textChanged.connect(self._measure)

    @property
    def excess(self) -> str:
        """Why the text is too long, or ''."""
        if len(self.text()) <= self.limit:
            return ""
        return f"Too long: at most {wording.count(self.limit, 'character')}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say at the end of the line that it is too long."""
        super().paintEvent(event)
        if not self.excess:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.font(12, QFont.Weight.DemiBold)
        width = min(QFontMetrics(font).horizontalAdvance(self.excess) + 16, self.width() - 12)
        box = QRectF(self.width() - width - 6, 5, width, self.height() - 10)
        painter.setPen(theme.color("danger_fg"))
        painter.setBrush(theme.color("danger_bg"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(font)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.excess)
        painter.end()

    def _measure(self) -> None:
        said = self.excess
        self.setAccessibleDescription(said)
        self.setToolTip(said)
        if said and not self._told:
            announce(self, said, urgent=True)
        self._told = bool(said)


class LimitedArea(QPlainTextEdit):
    """A field of several lines that refuses what is beyond its limit before it is laid out."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.notice = Label("", "danger", wrap=True, parent=self)
        self.notice.setAutoFillBackground(True)
        self.notice.hide()
        # One word of 200 000 digits would take seconds to break at its words.
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.textChanged.connect(self._typed)

    @property
    def excess(self) -> str:
        """Why the text is too long, or ''."""
        # The document counts one more, for its end.
        over = self.document().characterCount() - 1 > self.limit
        return f"Too long: at most {wording.count(self.limit, 'character')}" if over else ""

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste, unless the text would be too long; then say so, and change nothing."""
        given = len(source.text())
        kept = self.document().characterCount() - 1 - len(self.textCursor().selectedText())
        if kept + given > self.limit:
            self._say(
                f"Nothing was pasted: {wording.count(given, 'character')} are more than the "
                f"{wording.number(self.limit)} that this field takes."
            )
            return
        self.insertPlainText(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the notice at the lower edge."""
        super().resizeEvent(event)
        self._place()

    def _typed(self) -> None:
        said = self.excess
        if said:
            self._say(said)
        else:
            self.notice.hide()
            self.setAccessibleDescription("")

    def _say(self, text: str) -> None:
        self.notice.show_text(text)
        self.setAccessibleDescription(text)
        announce(self, text, urgent=True)
        self._place()

    def _place(self) -> None:
        height = self.notice.heightForWidth(self.width() - 16)
        self.notice.setGeometry(8, self.height() - height - 4, self.width() - 16, height)


def text_field(
    name: str, accessible: str, placeholder: str = "", *, mono: bool = False, limit: int = 200
) -> LimitedField:
    """Return a single-line field."""
    field = LimitedField(limit)
    field.setObjectName(name)
    field.setAccessibleName(accessible)
    field.setPlaceholderText(placeholder)
    field.setProperty("mono", mono)
    return field


class ExactText(LimitedArea):
    """A field whose text is what was pasted, character by character, or nothing of it.

    Qt's own `toPlainText` makes blanks of no-break spaces and line breaks of others. Where not
    `keeps_all`, other line breaks become plain ones.
    """

    refused = Signal(str)
    keeps_all = True

    def exact_text(self) -> str:
        """Return the text as it was given."""
        return self.document().toRawText().replace(_PARAGRAPH, "\n")

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste or drop; refuse text with characters that Qt turns into other ones."""
        if not self.keeps_all or _NOT_KEPT.isdisjoint(source.text()):
            super().insertFromMimeData(source)
        else:
            self.refused.emit(_NOT_PASTED)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Type; every Enter is a plain line break."""
        if event.matches(QKeySequence.StandardKey.InsertLineSeparator):
            self.textCursor().insertBlock()
        else:
            super().keyPressEvent(event)


def text_area(
    name: str, accessible: str, placeholder: str = "", lines: int = 4, limit: int = MAX_AREA
) -> ExactText:
    """Return a field of several lines; Tab leaves it, and pasted text is plain."""
    area = ExactText(limit)
    area.setObjectName(name)
    area.setAccessibleName(accessible)
    area.setPlaceholderText(placeholder)
    area.setTabChangesFocus(True)
    area.setFont(theme.font(14, mono=True))
    area.setFixedHeight(lines * 22 + 20)
    return area


def labelled(text: str, field: QWidget) -> tuple[Label, QWidget]:
    """Return a caption that names a field, and the field."""
    caption = Label(text, "caption")
    caption.setBuddy(field)
    return caption, field


class PinField(LimitedField):
    """A field for a PIN: shown as dots, no copy, no undo, emptied once taken."""

    def __init__(self, name: str) -> None:
        super().__init__(MAX_SECRET_CHARS)
        self.setObjectName(name)
        self.setAccessibleName("Token PIN")
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setProperty("secret", True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setDragEnabled(False)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(
            hints.ImhHiddenText | hints.ImhSensitiveData | hints.ImhNoPredictiveText
        )

    def take(self) -> Pin:
        """Return the PIN and empty the field."""
        source = bytearray(self.text(), "utf-8")
        self.forget()
        return Pin(source)

    def forget(self) -> None:
        """Empty the field and its history."""
        self.setText("")

    def event(self, event: QEvent) -> bool:
        """Refuse undo, redo, copy and cut, also as shortcuts."""
        watched = event.type() in {QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride}
        if watched and isinstance(event, QKeyEvent) and any(map(event.matches, _FORBIDDEN)):
            event.accept()
            return True
        return super().event(event)


class CheckLine(QCheckBox):
    """A confirmation in a full sentence; its box is visible in both themes."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_sentence(self, text: str) -> None:
        """Change the sentence."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return room for one line."""
        metrics = QFontMetrics(theme.font(14))
        return QSize(metrics.horizontalAdvance(self.text()) + 36, 32)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest room."""
        return QSize(160, 32)

    def hasHeightForWidth(self) -> bool:
        """Sentences wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the wrapped sentence."""
        return max(32, self._bounds(width).height() + 12)

    def hitButton(self, pos: object) -> bool:
        """Accept clicks on the sentence as well."""
        del pos
        return self.isEnabled()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, tick and sentence."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(1, 5, _BOX - 2, _BOX - 2)
        ticked = self.isChecked()
        line = "accent" if ticked else "control"
        painter.setPen(QPen(theme.color(line if self.isEnabled() else "border"), 1.5))
        painter.setBrush(theme.color("accent" if ticked else "surface"))
        painter.drawRoundedRect(box, 4, 4)
        if ticked:
            icons.paint(painter, "check", theme.color("on_accent"), box.adjusted(2, 2, -2, -2))
        painter.setFont(theme.font(14))
        painter.setPen(theme.color("text" if self.isEnabled() else "muted"))
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(34, 0, self.width() - 34, self.height()), flags, self.text())
        painter.end()

    def _bounds(self, width: int) -> QRect:
        metrics = QFontMetrics(theme.font(14))
        return metrics.boundingRect(
            QRect(0, 0, max(width - 36, 80), 400), Qt.TextFlag.TextWordWrap, self.text()
        )


class Stepper(QWidget):
    """A small whole number with a button on each side."""

    value_changed = Signal(int)

    def __init__(self, name: str, accessible: str, low: int, high: int) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._low, self._high, self._value = low, high, low
        self._less = Button("", icon="minus", name=f"{name}.less", accessible=f"Less: {accessible}")
        self._more = Button("", icon="plus", name=f"{name}.more", accessible=f"More: {accessible}")
        self._shown = Label("", "strong")
        self._shown.setFixedWidth(48)
        self._shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self._less, self._shown, self._more):
            layout.addWidget(part)
        layout.addStretch(1)
        self._less.setFixedWidth(36)
        self._more.setFixedWidth(36)
        self._less.setStyleSheet("padding: 0;")
        self._more.setStyleSheet("padding: 0;")
        self._less.clicked.connect(lambda: self.set_value(self._value - 1))
        self._more.clicked.connect(lambda: self.set_value(self._value + 1))
        self.set_value(low)

    @property
    def value(self) -> int:
        """The number shown."""
        return self._value

    def set_range(self, low: int, high: int) -> None:
        """Change the bounds; the value moves inside."""
        self._low, self._high = low, max(low, high)
        self.set_value(self._value)

    def set_value(self, value: int) -> None:
        """Show a number within the bounds."""
        bounded = min(max(value, self._low), self._high)
        changed = bounded != self._value
        self._value = bounded
        self._shown.setText(str(bounded))
        self._less.setEnabled(bounded > self._low)
        self._more.setEnabled(bounded < self._high)
        self.setAccessibleDescription(str(bounded))
        if changed:
            self.value_changed.emit(bounded)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Count with the arrow keys."""
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Left: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.set_value(self._value + step)
