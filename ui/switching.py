"""Another member's node in this window; a draft is not dropped unasked."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ui import object_names as names
from ui.widgets.sheet import QuestionSheet


class MemberSwitch(QObject):
    """Asks before it switches, if `unsaved` says what would be lost."""

    def __init__(
        self,
        window: QWidget,
        unsaved: Callable[[str], str],
        switch: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._unsaved, self._switch = unsaved, switch
        self._next = ""
        self.sheet = QuestionSheet(window, "Switch to another member", "Switch", names.SWITCH_SHEET)
        self.sheet.confirmed.connect(lambda: self._switch(self._next))

    def wanted(self, member: str) -> None:
        """Switch to a member, or ask first."""
        self._next, lost = member, self._unsaved(member)
        if lost:
            self.sheet.ask(f"{lost} It is dropped if you switch.")
        else:
            self._switch(member)
