"""Several nodes of one chain: what all say counts, whatever one of them says."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from console.adapters.rpc.json_rpc import RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable, SourcesDisagree
from tests.contract.chains import served

Answer = dict[str, object]


def node(answer: Answer, asked: list[str]) -> web.Application:
    """A node that says the same to everything."""

    async def tell(request: web.Request) -> web.Response:
        asked.append((await request.json())["method"])
        return web.json_response({"jsonrpc": "2.0", "id": 1, **answer})

    app = web.Application()
    app.router.add_post("/", tell)
    return app


@pytest.fixture
async def sources(request: pytest.FixtureRequest) -> Callable[..., Awaitable[RpcSources]]:
    async with AsyncExitStack() as stack:

        async def start(*answers: Answer | None) -> RpcSources:
            urls = []
            for answer in answers:
                if answer is None:
                    urls.append("http://127.0.0.1:1")
                else:
                    urls.append(await stack.enter_async_context(served(node(answer, start.asked))))
            made = RpcSources("the node", tuple(urls), 3)
            stack.push_async_callback(made.close)
            return made

        start.asked = []
        yield start


def says(result: object) -> Answer:
    return {"result": result}


def refuses(text: str) -> Answer:
    return {"error": {"code": -32000, "message": text}}


def test_a_chain_without_a_node_is_a_mistake():
    with pytest.raises(ValueError, match="at least one"):
        RpcSources("the node", ())


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_what_all_say_counts(sources, count):
    rpc = await sources(*[says("0x5")] * count)
    assert await rpc.agreed("eth_chainId", [], str) == "0x5"
    assert sources.asked == ["eth_chainId"] * count


async def test_two_nodes_that_differ_decide_nothing(sources):
    rpc = await sources(says(7), says(8))
    with pytest.raises(SourcesDisagree, match="different facts"):
        await rpc.agreed("getBalance", [], int)
    assert await rpc.every("getBalance", [], int) == (7, 8)


async def test_a_refusal_beside_an_answer_is_a_disagreement(sources):
    rpc = await sources(says(7), refuses("no"))
    with pytest.raises(SourcesDisagree):
        await rpc.agreed("getBalance", [], int)
    with pytest.raises(RpcRefused):
        await rpc.every("getBalance", [], int)


async def test_what_all_refuse_is_refused(sources):
    rpc = await sources(refuses("nonce too low"), refuses("nonce too low"))
    with pytest.raises(RpcRefused, match="nonce too low"):
        await rpc.agreed("send", [], str)


@pytest.mark.parametrize("place", [0, 1])
async def test_a_node_that_is_away_or_speaks_nonsense_holds_facts_up(sources, place):
    for broken in (None, says("not a number"), {"result": {}}):
        answers = [says(7), says(7)]
        answers[place] = broken
        rpc = await sources(*answers)
        with pytest.raises(ChainUnavailable):
            await rpc.agreed("getBalance", [], int)


async def test_one_node_is_enough_to_hand_over(sources):
    rpc = await sources(None, refuses("busy"), says("id"), says("never asked"))
    assert await rpc.any_of("send", [], str) == "id"
    assert sources.asked == ["send", "send"]


async def test_a_refusal_says_more_than_silence(sources):
    rpc = await sources(refuses("insufficient funds"), None)
    with pytest.raises(RpcRefused, match="insufficient funds"):
        await rpc.any_of("send", [], str)
    rpc = await sources(None, None)
    with pytest.raises(ChainUnavailable):
        await rpc.any_of("send", [], str)
