"""Modules that import web3 are imported when a chain is first used, off the event loop.

py_ecc, which web3 brings along for keystores, raises the interpreter's recursion limit to 100,000
as it is imported. With that, deeply nested JSON no longer raises RecursionError in a parser: it
overflows the C stack and ends the process. So py_ecc, whose package itself is small, is imported
here, before any node is asked, and the limit is taken back; web3 then finds it imported.
"""

import asyncio
import importlib
import sys
from types import ModuleType

import py_ecc  # noqa: F401

sys.setrecursionlimit(1_000)


async def imported(name: str) -> ModuleType:
    """Return the module, imported in a thread so that the event loop goes on.

    Python's own lock makes two that ask at once import it once.
    """
    return await asyncio.to_thread(importlib.import_module, name)
