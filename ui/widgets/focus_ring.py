"""The focus ring: 2 pixels with a gap around the focused control, visible on any background."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QLineEdit, QWidget

from ui import theme

_REACH = 5
_KEYS = {QEvent.Type.KeyPress}
_POINTER = {QEvent.Type.MouseButtonPress, QEvent.Type.Wheel}
_MOVES = {QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide}


class FocusRing(QWidget):
    """An overlay above a window that follows the focus while the keyboard is used."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._window = window
        self._target: QWidget | None = None
        self._by_keyboard = False
        self.hide()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow)
            app.installEventFilter(self)

    @property
    def target(self) -> QWidget | None:
        """The control that has the ring."""
        return self._target if self.isVisible() else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Track whether the keyboard is used, and whether the control moved."""
        kind = event.type()
        if kind in _KEYS and not self._by_keyboard:
            self._by_keyboard = True
            self._place()
        elif kind in _POINTER and self._by_keyboard:
            self._by_keyboard = False
            self._place()
        elif kind in _MOVES and self._moves_target(watched):
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 9, 9)
        painter.end()

    def _moves_target(self, watched: QObject) -> bool:
        target = self._target
        return target is not None and (
            watched is target or (isinstance(watched, QWidget) and watched.isAncestorOf(target))
        )

    def _follow(self, _old: QWidget | None, new: QWidget | None) -> None:
        inside = new is not None and new.window() is self._window and new is not self._window
        self._target = new if inside else None
        self._place()

    def _place(self) -> None:
        target = self._target
        shown = self._by_keyboard or isinstance(target, QLineEdit)
        quiet = target is None or target.focusPolicy() is Qt.FocusPolicy.NoFocus
        if quiet or target is None or not shown or not target.isVisible():
            self.hide()
            return
        reach = -1 if isinstance(target, QAbstractScrollArea) else _REACH
        corner = target.mapTo(self._window, QPoint(0, 0))
        box = QRect(corner, target.size()).adjusted(-reach, -reach, reach, reach)
        self.setGeometry(box)
        self.raise_()
        self.show()
