"""A chain's node behind HTTP that says what a test has it say, or nothing at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FalseNode:
    """Answers with what it was told to say; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Answer
        self.says(b"")

    def says(self, data: bytes, status: int = 200, **headers: str) -> None:
        """Answer everything with these bytes."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=data, status=status, headers=headers)

        self.answer = answer

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Take every question and answer none, until the block ends."""
        spoken = asyncio.Event()

        async def answer(_request: web.Request) -> web.StreamResponse:
            await spoken.wait()
            return web.Response()

        self.answer = answer
        yield
        spoken.set()
