"""Short lists of rows that open: icon, two lines, and a mark at the right."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from ui import icons, theme
from ui.status import Look
from ui.widgets.chip import chip_width, paint_chip

_HEIGHT = 56
_LEAST_TITLE = 120
_LINE_GAP = 3


class RowItem(NamedTuple):
    """A row's content: the key that it opens, its texts, and its mark."""

    key: str
    icon: str
    title: str
    detail: str
    chip: Look | None = None
    trailing: str = ""
    tone_icon: str = "muted"
    chosen: bool = False
    whole: bool = False
    """Whether its texts wrap where they do not fit, as those with amounts or codes must."""
    detail_full: str = ""
    trailing_full: str = ""
    """The same with all decimals; shown while the row has the focus."""


class ListRow(QAbstractButton):
    """One row, reachable by keyboard; inactive when it opens nothing."""

    def __init__(self, *, opens: bool, inset: int = 0) -> None:
        super().__init__()
        self._opens = opens
        self._inset = inset
        self._item = RowItem("", "info", "", "")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if opens else Qt.FocusPolicy.NoFocus)
        self.setEnabled(opens)
        if opens:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def item(self) -> RowItem:
        """What the row shows."""
        return self._item

    def set_item(self, item: RowItem) -> None:
        """Show another item."""
        self._item = item
        mark = item.chip.word if item.chip else item.trailing_full or item.trailing
        detail = item.detail_full or item.detail
        self.setAccessibleName(". ".join(part for part in (item.title, detail, mark) if part))
        self.setToolTip(
            "\n".join(part for part in (item.title, detail, item.trailing_full) if part)
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room of the item at the present width."""
        return QSize(240, self.heightForWidth(max(self.width(), 240)))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest room."""
        return QSize(160, _HEIGHT)

    def hasHeightForWidth(self) -> bool:
        """Whole texts wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in which nothing that must be whole is cut."""
        item = self._item
        if not item.whole:
            return _HEIGHT
        room, below = self._rooms(width)
        return max(_HEIGHT, self._texts_height(room, below=below) + 16)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height of the new width."""
        super().resizeEvent(event)
        if self.height() != self.heightForWidth(self.width()):
            self.updateGeometry()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Highlight the row."""
        super().enterEvent(event)
        self.update()

    def move_by(self, step: int) -> None:
        """Focus another row; J and K do this."""
        if step > 0:
            self.focusNextChild()
        else:
            self.focusPreviousChild()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Enter; move by arrows."""
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        elif key == Qt.Key.Key_Down:
            self.move_by(1)
        elif key == Qt.Key.Key_Up:
            self.move_by(-1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        item = self._item
        if self._opens and (self.underMouse() or self.isDown() or item.chosen):
            plain = not self.isDown() and not item.chosen
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover" if plain else "selection"))
            reach = 0 if self._inset else 4
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(-reach, 2, reach, -2), 6, 6)
        painter.translate(self._inset, 0)
        icons.paint(painter, item.icon, theme.color(item.tone_icon), QRectF(2, 18, 20, 20))
        self._paint_end(painter)
        room, below = self._rooms(self.width())
        detail = item.detail_full if self.hasFocus() and item.detail_full else item.detail
        top = self._top(room, below=below)
        top = self._paint_line(painter, title_font(), "text", item.title, top, room)
        top = self._paint_line(painter, theme.font(12), "muted", detail, top, room)
        if below:
            self._paint_line(painter, title_font(), "text", self._trailing, top, room)
        painter.end()

    def _top(self, room: int, *, below: bool) -> int:
        """Return where the first text begins: texts that wrap are centred together."""
        item = self._item
        if not item.whole:
            return 8 if item.detail else 18
        return (self.height() - self._texts_height(room, below=below)) // 2

    def _texts_height(self, room: int, *, below: bool) -> int:
        item = self._item
        detail = item.detail_full or item.detail
        trailing = (item.trailing_full or item.trailing) if below else ""
        title, small = title_font(), theme.font(12)
        lines = ((title, item.title), (small, detail), (title, trailing))
        heights = [_lines(font, text, room) for font, text in lines if text]
        return sum(heights) + _LINE_GAP * (len(heights) - 1)

    @property
    def _trailing(self) -> str:
        item = self._item
        return item.trailing_full if self.hasFocus() and item.trailing_full else item.trailing

    def _rooms(self, width: int) -> tuple[int, bool]:
        """Return the width of the texts, and whether what trails is below them."""
        item, taken = self._item, 0
        if item.chip is not None:
            taken = chip_width(item.chip.word, item.chip.icon)
        elif item.trailing:
            font = QFontMetrics(title_font())
            longest = max(item.trailing, item.trailing_full, key=len)
            taken = font.horizontalAdvance(longest) + 2
        room = width - 2 * self._inset - 36 - 12 - (28 if self._opens else 0)
        below = item.whole and item.chip is None and room - taken < _LEAST_TITLE
        return max(room if below else room - taken, 1), below

    def _paint_line(
        self, painter: QPainter, font: QFont, token: str, text: str, top: int, room: int
    ) -> int:
        """Draw a text, wrapped or elided as the item says. Return where the next one begins."""
        if not text:
            return top
        painter.setFont(font)
        painter.setPen(theme.color(token))
        if self._item.whole:
            height = _lines(font, text, room)
            flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
            painter.drawText(QRectF(36, top, room, height), flags, text)
            return top + height + _LINE_GAP
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(36, top, room, 20), Qt.AlignmentFlag.AlignVCenter, shown)
        return top + 20

    def _paint_end(self, painter: QPainter) -> None:
        end = float(self.width() - 2 * self._inset)
        if self._opens:
            box = QRectF(end - 18, 20, 16, 16)
            icons.paint(painter, "chevron-right", theme.color("muted"), box)
            end -= 28
        item = self._item
        if item.chip is not None:
            width = chip_width(item.chip.word, item.chip.icon)
            paint_chip(painter, QRectF(end - width, 16, width, 24), item.chip)
        elif item.trailing and not self._rooms(self.width())[1]:
            painter.setFont(title_font())
            painter.setPen(theme.color("text"))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, 0, end, self.height()), flags, self._trailing)


def title_font() -> QFont:
    """Return the type of a row's title, and of what trails it."""
    return theme.font(14, QFont.Weight.Medium)


def _lines(font: QFont, text: str, room: int) -> int:
    """Return the height of a text that wraps."""
    if not text:
        return 0
    box = QRect(0, 0, max(room, 1), 10_000)
    return QFontMetrics(font).boundingRect(box, Qt.TextFlag.TextWordWrap, text).height()


class RowList(QWidget):
    """Rows below one another; updates keep the widgets, and with them the focus."""

    opened = Signal(str)

    def __init__(self, name: str, *, opens: bool = True, inset: int = 0) -> None:
        super().__init__()
        self.setObjectName(name)
        self._opens = opens
        self._inset = inset
        self._rows: list[ListRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    @property
    def rows(self) -> tuple[ListRow, ...]:
        """The rows on screen."""
        return tuple(self._rows)

    def set_items(self, items: Sequence[RowItem]) -> None:
        """Show these rows in order."""
        while len(self._rows) > len(items):
            gone = self._rows.pop()
            self._layout.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self._rows) < len(items):
            fresh = ListRow(opens=self._opens, inset=self._inset)
            fresh.clicked.connect(lambda _=False, row=fresh: self.opened.emit(row.item.key))
            self._rows.append(fresh)
            self._layout.addWidget(fresh)
        for widget, item in zip(self._rows, items, strict=True):
            widget.setObjectName(f"{self.objectName()}.{item.key}")
            widget.set_item(item)
