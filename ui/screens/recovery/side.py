"""The narrow card at the left: a list with one open row."""

from PySide6.QtWidgets import QWidget

from ui.widgets.card import Card

INSET = 8
SIDE = 264


def side_card(title: str, *parts: QWidget) -> Card:
    """Return a card whose rows reach nearly to its edge, with the text aligned as usual."""
    card = Card(title, padding=8, spacing=4)
    card.head.setContentsMargins(INSET, INSET, INSET, 0)
    card.add(*parts)
    return card
