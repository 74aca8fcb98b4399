"""SettingUp: how the window asks the set-up process."""

from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeVar

from console.client.set_up.messages import Answer, Progress, Question, TokensSeen, WatchTokens

A = TypeVar("A", bound=Answer)


class SetUpRefused(Exception):
    """What was asked is not done."""

    def __init__(self, code: str, what: str, safe: str, next_step: str) -> None:
        super().__init__(what)
        self.code, self.what, self.safe, self.next_step = code, what, safe, next_step


class SettingUp(Protocol):
    """A set-up below one home. Each question is a process of its own; cancelling ends it."""

    async def ask(
        self,
        question: Question,
        kind: type[A],
        tell: Callable[[Progress], None] = lambda _progress: None,
    ) -> A:
        """Return the answer to a question. Raises: SetUpRefused, also if the process fails."""
        ...

    def watch(self, question: WatchTokens) -> AsyncIterator[TokensSeen]:
        """Yield the tokens now and at each change until closed. Raises: SetUpRefused."""
        ...
