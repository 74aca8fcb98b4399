"""Serves the `Console` interface on loopback to holders of the member's client certificate."""

from collections.abc import AsyncIterator

import grpc
import structlog

from console.adapters.network.tls import TlsIdentity
from console.application.api import CommandRefused, Console
from console.application.api_codec import (
    MAX_API_BYTES,
    SERVICE,
    Answer,
    MalformedCall,
    decode_command,
    decode_query,
    encode,
    refused,
)
from console.application.errors import PeerUnavailable

log = structlog.get_logger(__name__)

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_API_BYTES),
    ("grpc.max_send_message_length", MAX_API_BYTES),
    ("grpc.max_concurrent_streams", 32),
    ("grpc.so_reuseport", 0),
)


class ConsoleServer:
    """One listening port; `client_certificate` is the only one accepted."""

    def __init__(
        self, console: Console, address: str, identity: TlsIdentity, client_certificate: bytes
    ) -> None:
        self._console = console
        self._address = address
        self._credentials = grpc.ssl_server_credentials(
            [(identity.key_pem, identity.certificate_pem)],
            root_certificates=client_certificate,
            require_client_auth=True,
        )
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises: PeerUnavailable if the address cannot be bound."""
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=64)
        methods = {
            "Execute": grpc.unary_unary_rpc_method_handler(self._execute),
            "Ask": grpc.unary_unary_rpc_method_handler(self._ask),
            "Changes": grpc.unary_stream_rpc_method_handler(self._changes),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        try:
            server.add_secure_port(self._address, self._credentials)
        except RuntimeError:
            raise PeerUnavailable(f"cannot listen on {self._address}: is it in use?") from None
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            await self._server.stop(grace=0.2)

    async def _execute(self, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        try:
            outcome = await self._console.execute(decode_command(data))
        except CommandRefused as refusal:
            return encode(refused(refusal))
        except MalformedCall as malformed:
            return await _abort(context, malformed)
        return encode(Answer(encode(outcome)))

    async def _ask(self, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        try:
            view = await self._console.ask(decode_query(data))
        except CommandRefused as refusal:
            return encode(refused(refusal))
        except MalformedCall as malformed:
            return await _abort(context, malformed)
        return encode(Answer(encode(view)))

    async def _changes(
        self, _data: bytes, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[bytes]:
        async for change in self._console.changes():
            yield encode(change)


async def _abort(context: grpc.aio.ServicerContext, malformed: MalformedCall) -> bytes:
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(malformed))
    raise malformed
