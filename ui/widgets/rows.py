"""Short lists of rows that open: icon, two lines, and a mark at the right."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from ui import icons, theme
from ui.status import Look
from ui.widgets.chip import chip_width, paint_chip

_HEIGHT = 56


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


class ListRow(QAbstractButton):
    """One row, reachable by keyboard; inactive when it opens nothing."""

    def __init__(self, *, opens: bool, inset: int = 0) -> None:
        super().__init__()
        self._opens = opens
        self._inset = inset
        self._item = RowItem("", "info", "", "")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
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
        mark = item.chip.word if item.chip else item.trailing
        self.setAccessibleName(". ".join(part for part in (item.title, item.detail, mark) if part))
        self.setToolTip(f"{item.title}\n{item.detail}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        """Return two lines of room."""
        return QSize(240, _HEIGHT)

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
        end = self._paint_end(painter)
        title_font, detail_font = theme.font(14, QFont.Weight.Medium), theme.font(12)
        room = end - 36 - 12
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(title_font)
        painter.setPen(theme.color("text"))
        right = Qt.TextElideMode.ElideRight
        title = QFontMetrics(title_font).elidedText(item.title, right, round(room))
        painter.drawText(QRectF(36, 8 if item.detail else 18, room, 20), middle, title)
        painter.setFont(detail_font)
        painter.setPen(theme.color("muted"))
        detail = QFontMetrics(detail_font).elidedText(item.detail, right, round(room))
        painter.drawText(QRectF(36, 29, room, 18), middle, detail)
        painter.end()

    def _paint_end(self, painter: QPainter) -> float:
        end = float(self.width() - 2 * self._inset)
        if self._opens:
            box = QRectF(end - 18, 20, 16, 16)
            icons.paint(painter, "chevron-right", theme.color("muted"), box)
            end -= 28
        item = self._item
        if item.chip is not None:
            width = chip_width(item.chip.word, item.chip.icon)
            paint_chip(painter, QRectF(end - width, 16, width, 24), item.chip)
            end -= width
        elif item.trailing:
            font = theme.font(14, QFont.Weight.DemiBold)
            painter.setFont(font)
            painter.setPen(theme.color("text"))
            width = QFontMetrics(font).horizontalAdvance(item.trailing) + 2
            box = QRectF(end - width, 0, width, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, item.trailing)
            end -= width
        return end


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
