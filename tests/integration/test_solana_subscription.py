"""Waiting for a confirmation: by websocket when it is honest, by asking whatever it says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from solders.keypair import Keypair

from console.adapters.chains.solana.subscription import MAX_MESSAGES, SignatureWatch
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Inclusion, InclusionState
from console.devnet.solana.node import SolanaDevnet
from console.devnet.solana.subscription import (
    MAX_MESSAGE_BYTES,
    MAX_SUBSCRIPTIONS,
    solana_websocket,
)
from tests.contract.chains import served

ADDRESS = str(Keypair.from_seed(bytes([9]) * 32).pubkey())
ENDED = Inclusion(InclusionState.CONFIRMED, 5)
PENDING = Inclusion(InclusionState.UNKNOWN)
FOREVER_S = 60
TICK_S = 0.02
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


class Asked:
    """Answers polls: pending so many times, then confirmed."""

    def __init__(self, pending: int) -> None:
        self.pending = pending
        self.count = 0

    async def __call__(self, _signature: str) -> Inclusion:
        self.count += 1
        return PENDING if self.count <= self.pending else ENDED


def _ws(url: str) -> str:
    return url.replace("http://", "ws://")


async def _watched(talk: Talk, asked: Asked) -> Inclusion | None:
    """Wait for a signature with a node that talks like this."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    async with served(app) as url:
        return await SignatureWatch(_ws(url), asked, FOREVER_S, TICK_S).confirmed("id")


async def _until(condition: Callable[[], bool]) -> None:
    """Let the loop go on until something is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to be so")


def _says(*messages: object) -> Talk:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        for message in messages:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        await socket.receive()

    return talk


ACCEPTED = {"jsonrpc": "2.0", "id": 1, "result": 7}


def _notified(number: object = 7, error: object = None) -> dict[str, object]:
    result = {"context": {"slot": 5}, "value": {"err": error}}
    return {
        "jsonrpc": "2.0",
        "method": "signatureNotification",
        "params": {"result": result, "subscription": number},
    }


async def test_a_notification_saves_waiting() -> None:
    asked = Asked(1)
    assert await _watched(_says(ACCEPTED, _notified()), asked) == ENDED
    assert asked.count == 2


@pytest.mark.parametrize(
    "messages",
    [
        (),
        ("",),
        ("{",),
        ("null",),
        ("[]",),
        ("NaN",),
        ("[" * 60_000,),
        (b"\xff\xfe",),
        (b"{}",),
        ({},),
        ({"id": "1", "result": 7},),
        ({"id": 1, "result": "7"},),
        ({"id": 1, "result": -7},),
        ({"id": 1, "error": {"code": 5}},),
        (ACCEPTED, {"method": "signatureNotification"}),
        (ACCEPTED, _notified("7")),
        (ACCEPTED, _notified(8), "x"),
        (_notified(), "x"),
        (ACCEPTED, '{"id":1,"id":2,"method":5}'),
        (ACCEPTED, "x" * (MAX_MESSAGE_BYTES + 1)),
        (ACCEPTED, *[{"method": "other"}] * (MAX_MESSAGES + 5)),
    ],
)
async def test_odd_answers_only_mean_asking(messages: tuple[object, ...]) -> None:
    asked = Asked(2)
    assert await _watched(_says(*messages), asked) == ENDED
    assert asked.count == 3


async def test_an_error_variant_that_nobody_knows_is_no_trouble() -> None:
    asked = Asked(1)
    told = _notified(error={"SomethingNew": [{"Deep": [1, {"x": None}]}]})
    assert await _watched(_says(ACCEPTED, told), asked) == ENDED


async def test_a_silent_socket_only_means_asking() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.receive()

    assert await _watched(talk, Asked(2)) == ENDED


async def test_a_socket_that_hangs_up_only_means_asking() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.close()

    assert await _watched(talk, Asked(2)) == ENDED


async def test_a_lie_about_the_end_is_not_believed() -> None:
    asked = Asked(3)
    assert await _watched(_says(ACCEPTED, _notified()), asked) == ENDED
    assert asked.count == 4


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/", "nonsense", "", "http://[::1", "ftp://x/"])
async def test_without_a_websocket_it_asks(url: str) -> None:
    assert await SignatureWatch(url, Asked(2), FOREVER_S, TICK_S).confirmed("id") == ENDED


async def test_a_server_that_speaks_no_websocket_only_means_asking() -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", handle)
    async with served(app) as url:
        watch = SignatureWatch(_ws(url), Asked(2), FOREVER_S, TICK_S)
        assert await watch.confirmed("id") == ENDED


async def test_what_does_not_end_is_given_up() -> None:
    async def away(_signature: str) -> Inclusion:
        raise ChainUnavailable("nobody there")

    for poll in (Asked(10**9), away):
        watch = SignatureWatch("nonsense", poll, 5 * TICK_S, TICK_S)
        assert await watch.confirmed("id") is None


async def test_a_failure_is_an_end_too() -> None:
    failed = Inclusion(InclusionState.FAILED, 5, "why")

    async def poll(_signature: str) -> Inclusion:
        return failed

    assert await SignatureWatch("nonsense", poll, FOREVER_S, TICK_S).confirmed("id") == failed


class Client:
    """A client of the devnet's websocket."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket

    async def call(self, method: object, *params: object) -> dict[str, object]:
        body = {"jsonrpc": "2.0", "id": 3, "method": method, "params": list(params)}
        await self._socket.send_str(json.dumps(body))
        return await self.next()

    async def raw(self, text: str) -> dict[str, object]:
        await self._socket.send_str(text)
        return await self.next()

    async def next(self) -> dict[str, object]:
        async with asyncio.timeout(FOREVER_S):
            found = await self._socket.receive_json()
        assert isinstance(found, dict)
        return found

    async def closed(self) -> bool:
        async with asyncio.timeout(FOREVER_S):
            received = await self._socket.receive()
        return received.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}


@pytest.fixture
async def chain() -> SolanaDevnet:
    return SolanaDevnet()


@pytest.fixture
async def url(chain: SolanaDevnet) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/", solana_websocket(chain))
    async with served(app) as found:
        yield _ws(found)


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    async with ClientSession() as session, session.ws_connect(url) as socket:
        yield Client(socket)


async def test_the_devnet_tells_of_signatures_and_slots(
    chain: SolanaDevnet, client: Client
) -> None:
    slots = (await client.call("slotSubscribe"))["result"]
    signature = chain.answer("requestAirdrop", [ADDRESS, 10**9])
    told = await client.next()
    assert told["method"] == "slotNotification"
    assert told["params"] == {"result": {"slot": 2, "parent": 1, "root": 1}, "subscription": slots}
    number = (await client.call("signatureSubscribe", signature))["result"]
    assert (await client.next())["params"] == {
        "result": {"context": {"slot": 2}, "value": {"err": None}},
        "subscription": number,
    }
    assert (await client.call("signatureUnsubscribe", number))["result"] is False
    assert (await client.call("slotUnsubscribe", slots))["result"] is True
    chain.answer("requestAirdrop", [ADDRESS, 10**9])
    assert (await client.call("slotUnsubscribe", slots))["result"] is False


async def test_the_devnet_refuses_odd_calls_and_goes_on(client: Client) -> None:
    for text in ("", "{", "[" * 60_000, "[]", "5", "{}", '{"method":5,"params":{}}'):
        assert "error" in await client.raw(text)
    for method, params in (
        ("signatureSubscribe", []),
        ("signatureSubscribe", [5]),
        ("slotUnsubscribe", [[]]),
        ("slotUnsubscribe", [{}]),
        ("accountSubscribe", [ADDRESS]),
    ):
        assert "error" in await client.call(method, *params)
    assert (await client.call("slotSubscribe"))["result"] == 1


async def test_the_devnet_bounds_what_it_keeps(client: Client) -> None:
    for number in range(MAX_SUBSCRIPTIONS):
        assert (await client.call("signatureSubscribe", "x"))["result"] == number + 1
    assert "error" in await client.call("slotSubscribe")
    assert (await client.call("signatureUnsubscribe", 1))["result"] is True
    assert "result" in await client.call("slotSubscribe")


async def test_a_client_that_floods_is_let_go(chain: SolanaDevnet, url: str) -> None:
    async with ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_str("x" * (MAX_MESSAGE_BYTES + 1))
        assert await Client(socket).closed()
    chain.answer("requestAirdrop", [ADDRESS, 10**9])
    await _until(lambda: not chain.runtime.listeners)


async def test_the_watch_waits_for_the_devnet(chain: SolanaDevnet, url: str) -> None:
    async def poll(signature: str) -> Inclusion:
        record = chain.runtime.record(signature)
        return Inclusion(InclusionState.CONFIRMED, record.slot) if record else PENDING

    # Two devnets are alike at first, so the same gift has the same signature on both.
    signature = str(SolanaDevnet().answer("requestAirdrop", [ADDRESS, 10**9]))
    watch = SignatureWatch(url, poll, FOREVER_S, FOREVER_S)

    async def pay() -> None:
        await _until(lambda: bool(chain.runtime.listeners))
        chain.answer("requestAirdrop", [ADDRESS, 10**9])

    async with asyncio.timeout(FOREVER_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(watch.confirmed(signature))
        tasks.create_task(pay())
    assert waiting.result() == Inclusion(InclusionState.CONFIRMED, 2)
