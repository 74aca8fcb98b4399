"""RemoteConsole: `Console` over gRPC with mutual TLS, for the window and the command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import grpc

from console.application.api import Change, CommandRefused, NodeUnreachable, Query, V_co
from console.application.api_codec import (
    ASK,
    CHANGES,
    EXECUTE,
    MAX_API_BYTES,
    MalformedCall,
    decode_change,
    decode_outcome,
    decode_view,
    encode,
)
from console.application.commands import Command, Outcome
from console.client.profiles import Profile

SERVER_NAME, CLIENT_NAME = "console", "client"
ADDRESS_FILE = "console.address"
_COMMAND_TIMEOUT_S, _QUERY_TIMEOUT_S = 120.0, 20.0
_MAX_FILE = 16_384
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_API_BYTES),
    ("grpc.max_send_message_length", MAX_API_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.ssl_target_name_override", SERVER_NAME),
)


class RemoteConsole:
    """A connection to one node."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._execute = channel.unary_unary(EXECUTE)
        self._ask = channel.unary_unary(ASK)
        self._changes = channel.unary_stream(CHANGES)

    async def execute(self, command: Command) -> Outcome:
        """Execute a command. Raises: CommandRefused, NodeUnreachable."""
        try:
            return decode_outcome(await self._execute(encode(command), timeout=_COMMAND_TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from None
        except MalformedCall as malformed:
            raise NodeUnreachable(str(malformed)) from None
        except asyncio.CancelledError:
            _require_closed()
            raise NodeUnreachable("the connection was closed") from None

    async def ask(self, query: Query[V_co]) -> V_co:
        """Return a query's view. Raises: CommandRefused, NodeUnreachable."""
        try:
            data = await self._ask(encode(query), timeout=_QUERY_TIMEOUT_S)
            view = decode_view(data, query.VIEW)
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from None
        except MalformedCall as malformed:
            raise NodeUnreachable(str(malformed)) from None
        except asyncio.CancelledError:
            _require_closed()
            raise NodeUnreachable("the connection was closed") from None
        # Each query declares its view; decode_view has built exactly that type.
        return cast("V_co", view)

    async def changes(self) -> AsyncIterator[Change]:
        """Yield changes from now on. Raises: NodeUnreachable."""
        call = self._changes(b"")
        try:
            async for data in call:
                yield decode_change(data)
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from None
        except MalformedCall as malformed:
            raise NodeUnreachable(str(malformed)) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """Release the connection."""
        await self._channel.close()


async def connect(profile: Profile) -> RemoteConsole:
    """Return a connection to a member's node, from the files in its directory.

    Does not wait for the node: an unreachable one fails at the first call. Raises:
    NodeUnreachable if the node was never set up here.
    """
    tls = profile.directory / "tls"
    try:
        address, server, key, certificate = await asyncio.to_thread(
            lambda: (
                _read(profile.directory / ADDRESS_FILE).decode().strip(),
                _read(tls / f"{SERVER_NAME}.crt"),
                _read(tls / f"{CLIENT_NAME}.key"),
                _read(tls / f"{CLIENT_NAME}.crt"),
            )
        )
    except (OSError, UnicodeDecodeError):
        raise NodeUnreachable(f"{profile.member} is not set up on this machine") from None
    credentials = grpc.ssl_channel_credentials(
        root_certificates=server, private_key=key, certificate_chain=certificate
    )
    return RemoteConsole(grpc.aio.secure_channel(address, credentials, options=_OPTIONS))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_FILE)


def _require_closed() -> None:
    """Return if a closed channel cancelled a call; re-raise if the caller itself was cancelled.

    The library reports both as `CancelledError`, and swallowing it silently loses the outcome.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise  # noqa: PLE0704 Called while the cancellation is handled.


def _translated(error: grpc.aio.AioRpcError) -> NodeUnreachable | CommandRefused:
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        return CommandRefused(
            "malformed",
            "The node did not understand the call: window and node have different versions.",
            "Keys and funds are safe; nothing was changed.",
            "Install the same version of both.",
        )
    return NodeUnreachable("the node does not answer")
