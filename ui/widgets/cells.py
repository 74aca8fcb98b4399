"""Cells of tables: their content, their width, and how they are drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from ui import theme
from ui.amounts import Sum
from ui.status import Look
from ui.widgets.chip import chip_width

PADDING = 24
_LEAST, _NARROWEST = 96, 96
"""The least widths of a column that shares the room, and of one whose text wraps."""


class Column(NamedTuple):
    """A column: title, share of the width or fixed pixels, and side.

    One that fits is as wide as its content, which is never cut. Where there is little room, the
    columns with the highest `spare` are hidden first.
    """

    title: str
    stretch: int = 0
    width: int = 120
    right: bool = False
    fits: bool = False
    spare: int = 0


class Cell(NamedTuple):
    """The content of a cell: text in a style, or a chip."""

    text: str
    manner: str = "body"
    """body, strong, muted or mono"""
    chip: Look | None = None
    amount: Sum | None = None
    whole: bool = False
    """Whether the text wraps where it does not fit in a line, instead of being elided."""

    @classmethod
    def of_amount(cls, amount: Sum) -> "Cell":
        """Return a cell with an amount."""
        return cls(amount.short, "strong", amount=amount, whole=True)


class Row(NamedTuple):
    """A row: the key that it opens, its cells, and a tooltip with the full text."""

    key: str
    cells: tuple[Cell, ...]
    tip: str = ""


SKELETON = Cell("", "skeleton")


def to_hide(
    columns: Sequence[Column], needed: dict[int, int], room: int, withheld: set[int]
) -> set[int]:
    """Return the spare columns without which the others are whole."""
    hidden: set[int] = set()
    spare = [place for place, column in enumerate(columns) if column.spare]
    for place in sorted(spare, key=lambda place: -columns[place].spare):
        taken = sum(
            needed.get(other, _LEAST if column.stretch else column.width)
            for other, column in enumerate(columns)
            if other not in hidden | withheld
        )
        if taken <= room:
            break
        hidden.add(place)
    return hidden


def shared_widths(
    shown: dict[int, Column], needed: dict[int, int], room: int, wrapping: set[int]
) -> dict[int, int]:
    """Return the widths of columns: what fits first, then what is fixed, the rest shared.

    Columns that are `wrapping` give way where there is too little room: their text wraps.
    """
    widths = {
        place: needed.get(place, column.width)
        for place, column in shown.items()
        if not column.stretch
    }
    shares = sum(column.stretch for column in shown.values())
    least = _LEAST * sum(bool(column.stretch) for column in shown.values())
    lacking = sum(widths.values()) + least - room
    for place in sorted(wrapping & set(widths), key=lambda place: -widths[place]):
        given = min(max(lacking, 0), max(widths[place] - _NARROWEST, 0))
        widths[place] -= given
        lacking -= given
    left = max(room - sum(widths.values()), 0)
    for place, column in shown.items():
        if column.stretch:
            widths[place] = left * column.stretch // shares
    return widths


def cell_font(cell: Cell) -> QFont:
    """Return the type of a cell."""
    weight = QFont.Weight.DemiBold if cell.manner == "strong" else QFont.Weight.Normal
    return theme.font(13 if cell.manner == "mono" else 14, weight, mono=cell.manner == "mono")


def natural_width(cell: Cell) -> int:
    """Return the width of a cell's content in one line, an amount's with all its decimals."""
    if cell.chip is not None:
        return chip_width(cell.chip.word, cell.chip.icon)
    text = cell.amount.full if cell.amount else cell.text
    return QFontMetrics(cell_font(cell)).horizontalAdvance(text) + 2


def paint_text(painter: QPainter, room: QRectF, cell: Cell, *, right: bool, full: bool) -> None:
    """Draw a cell's text; only what is no amount and no code may be elided."""
    font = cell_font(cell)
    painter.setFont(font)
    painter.setPen(theme.color("muted" if cell.manner == "muted" else "text"))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    shown = cell.amount.full if cell.amount and full else cell.text
    if cell.whole:
        flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, flags, shown)
        return
    shown = QFontMetrics(font).elidedText(shown, Qt.TextElideMode.ElideRight, round(room.width()))
    painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)


def lines_height(cell: Cell, width: int, *, full: bool) -> int:
    """Return the height of a cell's text, wrapped in a column of `width`."""
    text = cell.amount.full if cell.amount and full else cell.text
    box = QRect(0, 0, max(width - PADDING, 1), 10_000)
    return QFontMetrics(cell_font(cell)).boundingRect(box, Qt.TextFlag.TextWordWrap, text).height()
