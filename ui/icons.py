"""Icons drawn at run time from bundled line art, in the colour of a token."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ui import assets


def paint(painter: QPainter, name: str, colour: QColor, box: QRectF) -> None:
    """Draw an icon into `box`, sharp at any scale."""
    _renderer(name, colour.name()).render(painter, box)


def pixmap(name: str, colour: QColor, size: int, ratio: float) -> QPixmap:
    """Return an icon as a picture of `size` logical pixels."""
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    picture.setDevicePixelRatio(ratio)
    painter = QPainter(picture)
    paint(painter, name, colour, QRectF(0, 0, size, size))
    painter.end()
    return picture


def icon(name: str, colour: QColor, size: int, gap: int) -> QIcon:
    """Return an icon for a button, with space at its right; not valid after a change of theme."""
    picture = QPixmap((size + gap) * 2, size * 2)
    picture.fill(Qt.GlobalColor.transparent)
    picture.setDevicePixelRatio(2.0)
    painter = QPainter(picture)
    paint(painter, name, colour, QRectF(0, 0, size, size))
    painter.end()
    return QIcon(picture)


@lru_cache(maxsize=512)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    drawing = assets.text(f"icons/{name}.svg").replace("currentColor", colour)
    return QSvgRenderer(QByteArray(drawing.encode()))
