"""What the integration tests share."""

from pathlib import Path

import pytest

from tests.fakes.vault import FakeAnchor
from tests.integration.ledgers import events, opened
from tests.kms import kms
from tests.shim import shim
from tests.softhsm import softhsm, softhsm_apart

__all__ = ["kms", "shim", "softhsm", "softhsm_apart"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def anchor() -> FakeAnchor:
    return FakeAnchor()


@pytest.fixture
async def filled(path: Path, anchor: FakeAnchor) -> Path:
    """A closed ledger of 60 records in three streams."""
    store = await opened(path, anchor)
    for number in range(20):
        for stream in ("a", "b", "c"):
            await store.append(stream, number, events(1))
    await store.close()
    return path
