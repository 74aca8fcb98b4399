"""Worker: calls in order, and a late one that is given up holds nobody."""

import asyncio
import threading

import pytest

from hsm.worker import CallStuck, Worker

LONG_S, SHORT_S = 60.0, 0.05


async def until_unstuck(worker: Worker) -> bool:
    for _ in range(6000):
        if worker.stuck is None:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_calls_are_made_in_order_and_errors_reach_their_callers() -> None:
    worker, seen = Worker(lambda: None), list[int]()

    def fail() -> None:
        raise ValueError("of the call")

    calls = [worker.call("noting", lambda n=n: seen.append(n), LONG_S) for n in range(20)]
    await asyncio.gather(*calls)
    assert seen == list(range(20))
    with pytest.raises(ValueError, match="of the call"):
        await worker.call("failing", fail, LONG_S)
    assert await worker.call("adding", lambda: 1 + 1, LONG_S) == 2
    worker.end()


async def test_a_late_call_is_given_up_and_what_it_returns_is_dropped() -> None:
    recovered = threading.Event()
    worker, gate, ran = Worker(recovered.set), threading.Event(), list[str]()
    late = asyncio.ensure_future(worker.call("waiting", gate.wait, SHORT_S))
    await asyncio.sleep(0)
    behind = asyncio.ensure_future(worker.call("behind", lambda: ran.append("behind"), LONG_S))
    worker.post("unwatched", lambda: ran.append("posted"), LONG_S)
    for call in (late, behind, worker.call("after", lambda: None, LONG_S)):
        with pytest.raises(CallStuck) as stuck:
            await call
        assert stuck.value.step == "waiting"
    assert not recovered.is_set()
    gate.set()
    assert await until_unstuck(worker)
    assert recovered.is_set()
    assert ran == []
    assert await worker.call("again", lambda: 3, LONG_S) == 3
    worker.end()


async def test_a_recovery_that_fails_leaves_a_worker_that_takes_calls() -> None:
    def fail() -> None:
        raise OSError("no device")

    worker, gate = Worker(fail), threading.Event()
    with pytest.raises(CallStuck):
        await worker.call("waiting", gate.wait, SHORT_S)
    gate.set()
    assert await until_unstuck(worker)
    assert await worker.call("again", lambda: 3, LONG_S) == 3
    worker.end()


async def test_a_caller_that_goes_away_does_not_end_the_call() -> None:
    worker, gate, ran = Worker(lambda: None), threading.Event(), list[str]()
    started = threading.Event()

    def work() -> None:
        started.set()
        gate.wait()
        ran.append("whole")

    caller = asyncio.ensure_future(worker.call("working", work, LONG_S))
    await asyncio.to_thread(started.wait)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    assert await worker.call("after", lambda: list(ran), LONG_S) == ["whole"]
    worker.end()
