"""One cluster of real node processes for all tests that ask; each begins with `all_ready`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from console.demo.cluster import Cluster
from tests.e2e.steps import Office
from tests.softhsm import softhsm

__all__ = ["office", "softhsm"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Three members with fresh tokens and a devnet; no node runs until a test starts it."""
    cluster = await Cluster.create(tmp_path_factory.mktemp("cluster"))
    office = await Office.open(cluster)
    yield office
    await office.close()
