"""The idle timer: time without keys, clicks or scrolling."""

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

_SIGNS_OF_LIFE = {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
}


class IdleTimer(QObject):
    """Emits `expired` once after `seconds` without input, while it runs."""

    expired = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.expired)
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    @property
    def running(self) -> bool:
        """Whether idle time is counted."""
        return self._timer.isActive()

    def start(self, seconds: int) -> None:
        """Start counting from now."""
        self._timer.start(seconds * 1000)

    def stop(self) -> None:
        """Stop counting."""
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Restart the count on any input."""
        del watched
        if event.type() in _SIGNS_OF_LIFE and self._timer.isActive():
            self._timer.start()
        return False
