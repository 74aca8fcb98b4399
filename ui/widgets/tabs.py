"""A row of choices, one of which is chosen: tabs and settings."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from ui import theme


class Tab(QAbstractButton):
    """One choice, with an optional count."""

    def __init__(self, key: str, title: str, name: str) -> None:
        super().__init__()
        self.key = key
        self.setCheckable(True)
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Change the words."""
        self.setText(title)
        self.setAccessibleName(title)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the words."""
        metrics = QFontMetrics(theme.font(14, QFont.Weight.DemiBold))
        return QSize(metrics.horizontalAdvance(self.text()) + 24, 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw words and the line below the chosen one."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        painter.setFont(theme.font(14, QFont.Weight.DemiBold if chosen else QFont.Weight.Medium))
        painter.setPen(theme.color("text" if chosen or self.underMouse() else "text2"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if chosen:
            line = QRectF(8, self.height() - 3, self.width() - 16, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(line, 1.5, 1.5)
        painter.end()


class Tabs(QWidget):
    """Choices in a row; arrow keys move between them."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setObjectName(name)
        self._group = QButtonGroup(self)
        self._tabs = {key: Tab(key, title, f"{name}.{key}") for key, title in choices}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for tab in self._tabs.values():
            self._group.addButton(tab)
            layout.addWidget(tab)
            tab.clicked.connect(lambda _=False, key=tab.key: self.chosen.emit(key))
        layout.addStretch(1)
        next(iter(self._tabs.values())).setChecked(True)

    @property
    def current(self) -> str:
        """The key of the current choice."""
        return next(key for key, tab in self._tabs.items() if tab.isChecked())

    def choose(self, key: str) -> None:
        """Choose another choice, without a signal."""
        self._tabs[key].setChecked(True)

    def offer(self, keys: Collection[str]) -> None:
        """Show only these choices; if another one was chosen, choose the first."""
        for key, tab in self._tabs.items():
            tab.setVisible(key in keys)
        if self.current not in keys:
            self.choose(next(key for key in self._tabs if key in keys))

    def set_title(self, key: str, title: str) -> None:
        """Change the words of a choice."""
        self._tabs[key].set_title(title)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrow keys."""
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        keys = [key for key, tab in self._tabs.items() if not tab.isHidden()]
        key = keys[(keys.index(self.current) + step) % len(keys)]
        self._tabs[key].setFocus()
        self._tabs[key].click()
