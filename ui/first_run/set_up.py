"""The set-up that is under way: its draft, which is kept on disk, and the process that is asked."""

from collections.abc import Callable
from enum import IntEnum
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from console.client.set_up.messages import (
    Answer,
    Draft,
    DraftKept,
    KeepDraft,
    Progress,
    Purpose,
    Question,
)
from console.client.set_up.port import SettingUp

A = TypeVar("A", bound=Answer)


class Step(IntEnum):
    """The pages of a set-up, in order, as they are counted for people."""

    NAME = 1
    TOKEN = 2
    PIN = 3
    ADDRESS = 4
    CHAINS = 5
    INVITATION = 6
    COMPARISON = 7


TITLES: dict[Step, str] = {
    Step.NAME: "Name",
    Step.TOKEN: "Token",
    Step.PIN: "PIN and keys",
    Step.ADDRESS: "Address",
    Step.CHAINS: "Chains",
    Step.INVITATION: "Invitation",
    Step.COMPARISON: "Comparison",
}


class SetUp(QObject):
    """A draft, and the questions about it."""

    changed = Signal()

    def __init__(self, setting_up: SettingUp, draft: Draft) -> None:
        super().__init__()
        self._setting_up = setting_up
        self.draft = draft
        self.kept = bool(draft.member)
        """Whether the draft is on disk."""

    @property
    def setting_up(self) -> SettingUp:
        """The process that is asked."""
        return self._setting_up

    @property
    def creates(self) -> bool:
        """Whether a vault is created, not joined."""
        return self.draft.purpose is Purpose.CREATE

    async def ask(
        self, question: Question, kind: type[A], tell: Callable[[Progress], None] | None = None
    ) -> A:
        """Return the answer to a question. Raises: SetUpRefused."""
        if tell is None:
            return await self._setting_up.ask(question, kind)
        return await self._setting_up.ask(question, kind, tell)

    async def keep(self, draft: Draft) -> None:
        """Keep a draft on disk, and go on with it. Raises: SetUpRefused."""
        await self.ask(KeepDraft(draft=draft), DraftKept)
        self.draft, self.kept = draft, True
        self.changed.emit()
