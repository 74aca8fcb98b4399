"""Ledgers for the tests: how they are filled, opened, and refused."""

# ruff: noqa: ASYNC240 - tests may wait for their files

from pathlib import Path

import pytest

from console.adapters.ledger import SqlCipherEventStore, open_ledger
from console.application.errors import LedgerError
from console.domain.events import Event, VaultUnlocked
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import FakeAnchor
from tests.integration.children import ALICE, KEY, NOW_MS

PAGE = 4096


def events(count: int) -> list[Event]:
    return [VaultUnlocked(ALICE, number, number) for number in range(count)]


async def opened(
    path: Path, anchor: FakeAnchor, *, key: bytes = KEY, member: MemberId = ALICE
) -> SqlCipherEventStore:
    return await open_ledger(path, SecretBytes(key), anchor, member, lambda: NOW_MS)


async def refusal(path: Path, anchor: FakeAnchor, **how: object) -> LedgerError:
    """Open and read what must not be believed; return why, and check that it was left alone."""
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(LedgerError) as refused:
        await _read(path, anchor, **how)
    assert (path.read_bytes() if path.exists() else None) == before
    return refused.value


async def _read(path: Path, anchor: FakeAnchor, **how: object) -> None:
    store = await opened(path, anchor, **how)  # type: ignore[arg-type]
    try:
        await store.verify()
    finally:
        await store.close()
