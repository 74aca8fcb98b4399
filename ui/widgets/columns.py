"""Two columns that stack where there is too little room for both."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QSizePolicy, QWidget

STACKS_BELOW = 880
"""The width of a page below which its columns stand above each other."""
_INNER = 560
"""The same for columns inside a part of a page."""
_ANY = 16_777_215
"""No bound: Qt's QWIDGETSIZE_MAX."""


class Columns(QWidget):
    """Two parts beside each other; a part has its share of the width, or a fixed width."""

    def __init__(
        self, left: QWidget, right: QWidget, shares: tuple[int, int], *, below: int, side: int = 0
    ) -> None:
        super().__init__()
        self._parts, self._shares = (left, right), shares
        self._below, self._side = below, side
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(16)
        for part in self._parts:
            self._layout.addWidget(part)
        self._arrange(stacked=False)

    @property
    def stacked(self) -> bool:
        """Whether the parts stand above each other."""
        return self._layout.direction() is QBoxLayout.Direction.TopToBottom

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack or stand beside each other, as the width allows."""
        super().resizeEvent(event)
        stacked = event.size().width() < self._below
        if stacked != self.stacked:
            self._arrange(stacked=stacked)

    def _arrange(self, *, stacked: bool) -> None:
        direction = QBoxLayout.Direction
        self._layout.setDirection(direction.TopToBottom if stacked else direction.LeftToRight)
        for place, share in enumerate(self._shares):
            self._layout.setStretch(place, 0 if stacked else share)
        if self._side:
            left = self._parts[0]
            left.setMinimumWidth(0 if stacked else self._side)
            left.setMaximumWidth(_ANY if stacked else self._side)
            top = Qt.AlignmentFlag.AlignTop
            self._layout.setAlignment(left, top if not stacked else Qt.AlignmentFlag(0))


def shared(left: QLayout, right: QLayout, shares: tuple[int, int], *, inner: bool) -> Columns:
    """Return two columns of the twelve-column grid."""
    holders = []
    for side in (left, right):
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        holders.append(holder)
    return Columns(holders[0], holders[1], shares, below=_INNER if inner else STACKS_BELOW)


def beside(side: QWidget, detail: QWidget, width: int) -> Columns:
    """Return a list of fixed width with the open row's page beside it."""
    return Columns(side, detail, (0, 1), below=STACKS_BELOW, side=width)
