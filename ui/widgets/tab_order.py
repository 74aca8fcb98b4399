"""Tab's order where it is not the order in which controls were made."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtWidgets import QWidget


def put_in_order(controls: Sequence[QWidget]) -> None:
    """Have Tab go through controls in this order; those of no common window yet are left."""
    for before, after in pairwise(controls):
        if before.window() is after.window():
            QWidget.setTabOrder(before, after)
