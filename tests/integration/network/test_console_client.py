"""The window's client: a connection that is closed below a call is no cancellation."""

import asyncio

import grpc
import pytest

from console.application.api import GetSession, NodeUnreachable
from console.application.commands import Lock
from console.client.remote import RemoteConsole


@pytest.fixture
async def hanging():
    """A client of a node that takes calls and never answers; and the event of a call."""
    reached = asyncio.Event()

    async def hang(_request, _context):
        reached.set()
        await asyncio.Event().wait()

    class Handler(grpc.GenericRpcHandler):
        def service(self, _details):
            return grpc.unary_unary_rpc_method_handler(hang)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    console = RemoteConsole(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
    yield console, reached
    await console.close()
    await server.stop(None)


@pytest.mark.parametrize("call", ["execute", "ask"])
async def test_a_closed_connection_ends_a_call_as_unreachable(hanging, call):
    console, reached = hanging
    work = console.execute(Lock()) if call == "execute" else console.ask(GetSession())
    task = asyncio.ensure_future(work)
    await reached.wait()
    await console.close()
    with pytest.raises(NodeUnreachable):
        await task


async def test_a_caller_that_gives_up_is_cancelled(hanging):
    console, reached = hanging
    task = asyncio.ensure_future(console.execute(Lock()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
