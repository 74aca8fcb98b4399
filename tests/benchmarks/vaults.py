"""The vault and the ledger, each in its own folder, with one SoftHSM for all of them."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from tests.benchmarks import hsm_ledger
from tests.benchmarks.figures import Figure, figure, p95
from tests.benchmarks.hsm_slow import slow_calls as hsm_slow_calls
from tests.softhsm import SoftHsm, configure

_folders: list[tempfile.TemporaryDirectory[str]] = []


def hsm_seal() -> list[Figure]:
    return _measured("hsm_seal", hsm_ledger.hsm_seal)


def hsm_unseal() -> list[Figure]:
    return _measured("hsm_unseal", hsm_ledger.hsm_unseal)


def ledger_append() -> list[Figure]:
    return _measured("ledger_append", hsm_ledger.ledger_append)


def ledger_open_verified_100k() -> list[Figure]:
    return _measured("ledger_open_verified_100k", hsm_ledger.ledger_open_verified_100k)


def ledger_page_100k() -> list[Figure]:
    return _measured("ledger_page_100k", hsm_ledger.ledger_page_100k)


def hsm_slow() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        taken = asyncio.run(hsm_slow_calls(_softhsm(), Path(folder)))
    return [
        figure("hsm_unlock_20ms", taken.unlock),
        figure("hsm_verify_pin_20ms", taken.verify_pin),
        figure("anchor_write_20ms", taken.anchor_write),
    ]


def _measured(
    name: str, measure: Callable[[SoftHsm, Path], Awaitable[list[float]]]
) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:

        async def run() -> list[float]:
            return await measure(_softhsm(), Path(folder))

        return [figure(name, asyncio.run(run()), quote=p95)]


@cache
def _softhsm() -> SoftHsm:
    """The library reads its configuration once a process; its folder goes when that ends."""
    _folders.append(tempfile.TemporaryDirectory(prefix="quorate-bench-"))
    return configure(Path(_folders[-1].name))
