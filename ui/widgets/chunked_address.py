"""An address in groups of four, for reading aloud."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.wording import MASK, chunks

_LINE = 26
_SIZE = 4
_CONSTANT = ("bcrt1q", "bcrt1p", "bc1q", "bc1p", "tb1q", "tb1p", "0x")
"""What all addresses of a kind begin with: comparing it proves nothing."""


def groups(address: str) -> list[str]:
    """Return an address in groups of four: what is the same in all addresses stands by itself.

    A shorter group stands before the last two, so that these are whole: an attacker who makes
    addresses that look alike must find all 16 digits that people compare.
    """
    constant = next((word for word in _CONSTANT if address.lower().startswith(word)), "")
    start, rest = address[: len(constant)], address[len(constant) :]
    odd = len(rest) % _SIZE
    if len(rest) < 4 * _SIZE:
        parts = chunks(rest, _SIZE)
    elif odd:
        end = len(rest) - 2 * _SIZE
        parts = [*chunks(rest[: end - odd], _SIZE), rest[end - odd : end], *chunks(rest[end:])]
    else:
        parts = chunks(rest, _SIZE)
    return [start, *parts] if start else parts


def bold_groups(parts: list[str]) -> frozenset[int]:
    """Return the places of the groups that people compare: two at each end, 16 digits."""
    first = 1 if parts and parts[0].lower() in _CONSTANT else 0
    last = len(parts) - 1
    return frozenset(place for place in (first, first + 1, last - 1, last) if 0 <= place <= last)


class ChunkedAddress(QWidget):
    """A complete address, never shortened: alternating colours, the compared groups bold."""

    def __init__(self, pixels: int = 16, per_row: int = 6) -> None:
        super().__init__()
        self._groups: list[str] = []
        self._pixels = pixels
        self._per_row = per_row
        self._masked = False
        self._bold: frozenset[int] = frozenset()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The painted text, without spaces between groups."""
        return MASK if self._masked else "".join(self._groups)

    def set_address(self, address: str, *, masked: bool = False) -> None:
        """Show an address, or a mask of fixed length."""
        self._masked = masked
        self._groups = [MASK] * 4 if masked else groups(address)
        self._bold = bold_groups(self._groups)
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
        step = self._step()
        for index, group in enumerate(self._groups):
            line, place = divmod(index, self._per_row)
            weight = QFont.Weight.Bold if index in self._bold else QFont.Weight.Normal
            painter.setFont(theme.font(self._pixels, weight, mono=True))
            painter.setPen(theme.color("address_alt" if index % 2 else "text"))
            box = QRectF(place * step, line * _LINE, step, _LINE)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, group)
        painter.end()

    def _step(self) -> float:
        return QFontMetricsF(theme.font(self._pixels, mono=True)).horizontalAdvance("00000")
