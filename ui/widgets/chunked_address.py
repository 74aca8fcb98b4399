"""An address in groups of four, for reading aloud."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.wording import MASK, chunks

_LINE = 26


class ChunkedAddress(QWidget):
    """A complete address, never shortened: alternating colours, first and last two groups bold."""

    def __init__(self, pixels: int = 16, per_row: int = 6) -> None:
        super().__init__()
        self._groups: list[str] = []
        self._pixels = pixels
        self._per_row = per_row
        self._masked = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The painted text, without spaces between groups."""
        return MASK if self._masked else "".join(self._groups)

    def set_address(self, address: str, *, masked: bool = False) -> None:
        """Show an address, or a mask of fixed length."""
        self._masked = masked
        self._groups = [MASK] * 4 if masked else chunks(address)
        spoken = "hidden by privacy mode" if masked else " ".join(self._groups)
        self.setAccessibleName(f"Address {spoken}")
        self.setVisible(bool(address))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room for complete rows."""
        rows = -(-len(self._groups) // self._per_row)
        return QSize(round(self._step() * self._per_row), rows * _LINE)

    def minimumSizeHint(self) -> QSize:
        """Return the full size: an address is never cut."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the groups."""
        del event
        painter = QPainter(self)
        step, last = self._step(), len(self._groups) - 1
        for index, group in enumerate(self._groups):
            line, place = divmod(index, self._per_row)
            edge = index < 2 or index > last - 2
            weight = QFont.Weight.Bold if edge else QFont.Weight.Normal
            painter.setFont(theme.font(self._pixels, weight, mono=True))
            painter.setPen(theme.color("address_alt" if index % 2 else "text"))
            box = QRectF(place * step, line * _LINE, step, _LINE)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, group)
        painter.end()

    def _step(self) -> float:
        return QFontMetricsF(theme.font(self._pixels, mono=True)).horizontalAdvance("00000")
