"""Timed copies: the clipboard is emptied unless something else was copied since."""

from PySide6.QtCore import QMimeData, QObject, QTimer
from PySide6.QtGui import QGuiApplication

KEPT_MS = 30_000


class TimedClipboard(QObject):
    """The clipboard, with the last text that this window copied."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._text = ""
        self._timer = QTimer(self, singleShot=True, interval=KEPT_MS)
        self._timer.timeout.connect(self.clear)

    def copy(self, text: str) -> None:
        """Put a text on the clipboard for 30 s."""
        data = QMimeData()
        data.setText(text)
        data.setData("x-kde-passwordManagerHint", b"secret")
        self._text = text
        QGuiApplication.clipboard().setMimeData(data)
        self._timer.start()

    def clear(self) -> None:
        """Empty the clipboard if it still holds our text."""
        clipboard = QGuiApplication.clipboard()
        if self._text and clipboard.text() == self._text:
            clipboard.clear()
        self._text = ""
