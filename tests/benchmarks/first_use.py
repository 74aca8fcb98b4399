"""Run as a program: prints what a node's imports and Ethereum's first use cost this process."""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

_BEAT_S = 0.01


def resident_mb() -> float:
    """Return this process's resident memory."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def first_use(adapter) -> tuple[float, float]:
    """Return the seconds of the first use, and by how much a beat of the loop was late."""
    from console.application.errors import ChainUnavailable

    late, done = [0.0], False

    async def beat() -> None:
        while not done:
            asleep = time.perf_counter()
            await asyncio.sleep(_BEAT_S)
            late.append(time.perf_counter() - asleep - _BEAT_S)

    beating = asyncio.create_task(beat())
    started = time.perf_counter()
    with suppress(ChainUnavailable):  # the node is away: all that is its own has run by then
        await adapter.status(f"0x{'11' * 32}")
    took, done = time.perf_counter() - started, True
    await beating
    await adapter.close()
    return took, max(late)


def main() -> None:
    started = time.perf_counter()
    from console import bootstrap
    from console.application.ports.chain import ChainSettings
    from console.domain.values import Chain, Network

    start_s, start_mb = time.perf_counter() - started, resident_mb()
    place = ChainSettings(network=Network.DEVNET, urls=("http://127.0.0.1:1",))
    adapter = bootstrap.CHAINS[Chain.ETHEREUM].from_settings(place)
    use_s, late_s = asyncio.run(first_use(adapter))
    print(json.dumps([start_s, start_mb, use_s, late_s, resident_mb()]))


if __name__ == "__main__":
    main()
