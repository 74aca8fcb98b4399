"""One loop for Qt and asyncio on the main thread; only this module uses qasync."""

import asyncio
from collections.abc import Awaitable, Callable

import qasync
from PySide6.QtWidgets import QApplication

from ui.collector import collecting_between_events


def run(app: QApplication, main: Callable[[], Awaitable[int]]) -> int:
    """Run `main` until it returns its exit status.

    The loop is closed before Qt, else its threads outlive it and the process aborts.
    """
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop, collecting_between_events():
        status: int = loop.run_until_complete(_call(main))
    asyncio.set_event_loop(None)
    return status


async def _call(main: Callable[[], Awaitable[int]]) -> int:
    return await main()
