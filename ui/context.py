"""The context of every screen: the node, navigation, messages, privacy and the time."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ui.link import NodeLink
from ui.outcomes import Outcomes
from ui.settings import Settings
from ui.theme import Tone


class Privacy(QObject):
    """Whether amounts and addresses are masked; only the review screen ignores it."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.on = False

    def toggle(self) -> None:
        """Mask or unmask."""
        self.on = not self.on
        self.changed.emit()


@dataclass(frozen=True, slots=True)
class Context:
    """The window passes it to the screens; they use nothing else of the window."""

    link: NodeLink
    outcomes: Outcomes
    privacy: Privacy
    settings: Settings
    window: QWidget
    now_ms: Callable[[], int]
    navigate: Callable[[str, str], None]
    notify: Callable[[str, Tone], None]
    copy: Callable[[str], None]
    choose_theme: Callable[[str], None]
