"""What the one HTTP client takes from a node, and what it never does."""

import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import Esplora
from console.adapters.rpc.http import MAX_ANSWER_BYTES, HttpClient
from console.adapters.rpc.json_rpc import JsonRpc
from console.application.errors import ChainUnavailable
from tests.contract.chains import served


class Node:
    """Answers one thing to everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"5", {}
        self.requests: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    def sent(self, header: str) -> list[str | None]:
        return [request.headers.get(header) for request in self.requests]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
async def url(node: Node) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", node.answer)
    async with served(app) as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[HttpClient]:
    made = HttpClient("the node", url, 2)
    yield made
    await made.close()


async def test_an_answer_is_its_status_and_its_body(client: HttpClient, node: Node) -> None:
    told = await client.get("/height")
    assert (told.status, told.body) == (200, b"5")
    await client.post("/tx", b"00", "text/plain")
    assert [request.path for request in node.requests] == ["/height", "/tx"]


async def test_only_an_accepted_status_is_read(client: HttpClient, node: Node) -> None:
    node.status, node.body = 404, b"x" * (MAX_ANSWER_BYTES + 1)
    with pytest.raises(ChainUnavailable, match="the node answers HTTP 404"):
        await client.get("/tx")
    node.body = b"not found"
    told = await client.get("/tx", frozenset({200, 404}))
    assert (told.status, told.body) == (404, b"not found")


async def test_the_largest_answer_is_read_and_a_larger_one_is_not(
    client: HttpClient, node: Node
) -> None:
    node.body = b"x" * MAX_ANSWER_BYTES
    assert len((await client.get("/")).body) == MAX_ANSWER_BYTES
    node.body += b"x"
    with pytest.raises(ChainUnavailable, match="too large"):
        await client.get("/")


async def test_what_was_compressed_stays_so(client: HttpClient, node: Node) -> None:
    node.body, node.headers = gzip.compress(b"0" * 10**6), {"Content-Encoding": "gzip"}
    assert (await client.get("/")).body == node.body
    assert node.sent("Accept-Encoding") == ["identity"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(client: HttpClient, node: Node, status: int) -> None:
    node.status, node.headers = status, {"Location": "/elsewhere"}
    with pytest.raises(ChainUnavailable, match=f"HTTP {status}"):
        await client.post("/", b"", "text/plain")
    assert len(node.requests) == 1


@pytest.mark.parametrize("kind", ["json-rpc", "esplora", "core"])
async def test_no_client_keeps_cookies(url: str, node: Node, kind: str) -> None:
    node.body = b'{"result":5}' if kind != "esplora" else b"5"
    node.headers = {"Set-Cookie": "who=you; Path=/"}
    async with AsyncExitStack() as stack:
        rpc, esplora, core = JsonRpc("the node", url), Esplora(url), CoreRpc(url)
        for each in (rpc, esplora, core):
            stack.push_async_callback(each.close)
        for _ in range(2):
            match kind:
                case "json-rpc":
                    await rpc.call("height", [], int)
                case "esplora":
                    await esplora.tip_height()
                case _:
                    await core.tip_height()
    assert node.sent("Cookie") == [None, None]


async def test_the_environment_names_no_proxy(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await client.get("/")).body == b"5"


async def test_a_user_and_a_password_stand_in_the_address(url: str, node: Node) -> None:
    client = HttpClient("the node", url.replace("://", "://me:secret@"), 2)
    try:
        await client.get("/")
    finally:
        await client.close()
    assert node.sent("Authorization") == [f"Basic {base64.b64encode(b'me:secret').decode()}"]


@pytest.mark.parametrize("url", ["nonsense", "http://a:99999999", "http://127.0.0.1:1"])
async def test_an_address_where_nobody_answers_is_an_unavailable_chain(url: str) -> None:
    client = HttpClient("the node", url, 1)
    try:
        with pytest.raises(ChainUnavailable, match="the node does not answer"):
            await client.get("/")
    finally:
        await client.close()
