"""Whole nodes: real processes, mutual TLS, a token and a ledger each, and a devnet."""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.application.api import GetLedger
from console.demo.cluster import Cluster
from console.set_up.trial_files import PEOPLE
from tests.benchmarks.figures import Figure, figure, p95
from tests.benchmarks.hands import Operators

CEREMONIES, SIGNATURES, PAGES = 3, 20, 100
FIVE = (*PEOPLE, ("dora", "Dora Lind"), ("emil", "Emil Kovac"))
_SETTLE_S = 2.0
_APPROVED, _SIGNED = "signing-request.approved.v1", "signing-request.signed.v1"


def nodes() -> list[Figure]:
    """Measure three nodes: idle memory, ceremonies, signatures, reading a ledger."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with running(PEOPLE) as operators:
        await asyncio.sleep(_SETTLE_S)
        memory = [_resident_mb(operators.cluster, member) for member in operators.consoles]
        ceremonies = []
        for number in range(CEREMONIES):
            started = time.perf_counter()
            wallet = await operators.make_wallet(f"Benchmark {number}", 2)
            ceremonies.append(time.perf_counter() - started)
        await operators.fund(wallet)
        signatures = [await _signature_s(operators, wallet) for _ in range(SIGNATURES)]
        pages = []
        for _ in range(PAGES):
            started = time.perf_counter()
            await operators.first.ask(GetLedger(limit=100))
            pages.append(time.perf_counter() - started)
    return [
        figure("node_memory_idle", memory, "MB", scale=1),
        figure("ceremony_e2e", ceremonies),
        figure("sign_e2e_full", signatures, quote=p95),
        figure("ledger_page_remote", pages, quote=p95),
    ]


async def _signature_s(operators: Operators, wallet: str) -> float:
    """Return the time from the approval that reached the quorum to the signature on record.

    Both are the ledgers' own times: all nodes share this machine's clock.
    """
    request = await operators.propose(wallet)
    await operators.approve(request)
    await operators.signed(request)
    rows = await operators.ledgers(request)
    by_member: dict[str, int] = {}
    for row in rows:
        if row.name == _APPROVED:
            by_member[row.member] = min(row.at_ms, by_member.get(row.member, row.at_ms))
    signed = min(row.at_ms for row in rows if row.name == _SIGNED)
    return (signed - max(by_member.values())) / 1000


@asynccontextmanager
async def running(people: tuple[tuple[str, str], ...]) -> AsyncIterator[Operators]:
    """Start a cluster in a fresh folder and sign everybody in; stop exactly that afterwards."""
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        cluster = await Cluster.create(Path(folder), people=people)
        operators = Operators(cluster)
        try:
            await cluster.start_nodes()
            await operators.sign_in()
            yield operators
        finally:
            await operators.close()
            await cluster.stop()


def _resident_mb(cluster: Cluster, member: str) -> float:
    process = cluster.members[member].process
    if process is None:
        raise RuntimeError(f"the node of {member} does not run")
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise RuntimeError("the system does not tell a process's memory")
    return int(found.group(1)) / 1000
