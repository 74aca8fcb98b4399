"""QR codes for addresses and entries, dark on white in all themes so that cameras can read them."""

import segno
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import theme

_QUIET = 4
_SHORT = 300
"""Characters up to which a code may be a quarter larger to survive more damage."""


class QrCode(QWidget):
    """A QR code of an address, or of an entry of some 1 KB."""

    def __init__(self, size: int = 164) -> None:
        super().__init__()
        self._size = size
        self._matrix: tuple[tuple[int, ...], ...] = ()
        self._masked = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def matrix(self) -> tuple[tuple[int, ...], ...]:
        """The modules on screen, 1 for a dark one; empty if there is no code."""
        return self._matrix

    def set_text(self, text: str, *, masked: bool = False, what: str = "the address") -> None:
        """Show a text as a code; no code while masked."""
        self._masked = masked
        level = "m" if len(text) <= _SHORT else "l"
        code = segno.make_qr(text, error=level, encoding="utf-8") if text and not masked else None
        self._matrix = tuple(tuple(line) for line in code.matrix) if code else ()
        self.setAccessibleName(
            "QR code, hidden by privacy mode" if masked else f"QR code of {what}"
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Return the fixed size."""
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw modules on whole pixels."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("border"))
        painter.setBrush(theme.color("neutral_bg") if self._masked else QColor("#FFFFFF"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._masked:
            painter.setPen(theme.color("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Hidden")
        if self._matrix:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            cell = self._size // (len(self._matrix) + 2 * _QUIET)
            start = (self._size - cell * len(self._matrix)) // 2
            for y, line in enumerate(self._matrix):
                for x, dark in enumerate(line):
                    if dark:
                        painter.fillRect(
                            start + x * cell, start + y * cell, cell, cell, QColor("#14181F")
                        )
        painter.end()
