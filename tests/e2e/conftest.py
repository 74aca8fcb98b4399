"""One cluster of real node processes for all tests that ask; each begins with `all_ready`."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from console.demo.cluster import Cluster
from tests.e2e.steps import Office
from tests.softhsm import softhsm, softhsm_apart

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

__all__ = ["office", "softhsm", "softhsm_apart"]


@pytest.fixture
def app() -> Iterator["QApplication"]:
    """The window's application, for tests that open one; the others load no Qt."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ui.app import make_application
    from ui.collector import collecting_between_events

    made = make_application()
    # As the window does: a timer that another thread frees is lost, and what waits for it hangs.
    with collecting_between_events():
        yield made
        gc.collect()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Three members with fresh tokens and a devnet; no node runs until a test starts it."""
    cluster = await Cluster.create(tmp_path_factory.mktemp("cluster"))
    office = await Office.open(cluster)
    yield office
    await office.close()
