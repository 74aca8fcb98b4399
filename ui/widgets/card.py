"""Cards, rules and columns: the grid of every screen."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from ui.widgets.columns import shared
from ui.widgets.text import Label


class Card(QFrame):
    """A surface with a title and an inner column."""

    def __init__(self, title: str = "", *, padding: int = 16, spacing: int = 8) -> None:
        super().__init__()
        self.setProperty("pane", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(spacing)
        self.heading = Label(title, "h2", parent=self)
        self.heading.setVisible(bool(title))
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        self.head.addWidget(self.heading)
        self.head.addStretch(1)
        if title:
            self.body.addLayout(self.head)

    def add(self, *items: QWidget | QLayout) -> None:
        """Put widgets or layouts below one another."""
        for item in items:
            if isinstance(item, QLayout):
                self.body.addLayout(item)
            else:
                self.body.addWidget(item)


def centred(widget: QWidget) -> QHBoxLayout:
    """Return a line with a widget in its middle, at the height that its width asks for."""
    layout = row(1, spacing=0)
    layout.addWidget(widget)
    layout.addStretch(1)
    return layout


def inset(*items: QWidget | QLayout, padding: int = 12, spacing: int = 4) -> QFrame:
    """Return a quiet box inside a card."""
    frame = QFrame()
    frame.setProperty("pane", "inset")
    column_into(frame, items, padding, spacing)
    return frame


def rule() -> QFrame:
    """Return a horizontal line."""
    line = QFrame()
    line.setProperty("pane", "rule")
    return line


def row(*items: QWidget | QLayout | int, spacing: int = 8) -> QHBoxLayout:
    """Return a line of widgets; a number is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for item in items:
        if isinstance(item, int):
            layout.addStretch(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item, 0, Qt.AlignmentFlag.AlignVCenter)
    return layout


def column(*items: QWidget | QLayout, spacing: int = 8, stretch: bool = False) -> QVBoxLayout:
    """Return a stack of widgets."""
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for item in items:
        if isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    if stretch:
        layout.addStretch(1)
    return layout


def columns(
    left: QLayout, right: QLayout, shares: tuple[int, int] = (7, 5), *, inner: bool = False
) -> QLayout:
    """Return two columns of the twelve-column grid, which stack where there is little room."""
    return column(shared(left, right, shares, inner=inner))


def column_into(
    parent: QWidget, items: Sequence[QWidget | QLayout], padding: int, spacing: int
) -> None:
    """Give `parent` an inner column."""
    layout = column(*items, spacing=spacing)
    layout.setContentsMargins(padding, padding, padding, padding)
    parent.setLayout(layout)
