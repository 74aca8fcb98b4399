"""Stands where there is no set-up process: it refuses every question."""

from collections.abc import AsyncIterator, Callable

from console.client.set_up.messages import Progress, Question, TokensSeen, WatchTokens
from console.client.set_up.port import A, SetUpRefused


class NoSetUp:
    """Implements `SettingUp`."""

    async def ask(
        self,
        question: Question,
        kind: type[A],
        tell: Callable[[Progress], None] = lambda _progress: None,
    ) -> A:
        """Refuse."""
        del question, kind, tell
        raise _refusal()

    async def watch(self, question: WatchTokens) -> AsyncIterator[TokensSeen]:
        """Refuse."""
        yield await self.ask(question, TokensSeen)


def _refusal() -> SetUpRefused:
    return SetUpRefused(
        "no-set-up",
        "Members cannot be set up in this version of the window.",
        "Nothing was changed.",
        "Set the member up with quorate init.",
    )
