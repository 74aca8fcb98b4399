"""NetworkPort over gRPC: mutual TLS; each peer is identified by the pin of its public key alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import grpc
import structlog

from console.adapters.network.rate import TokenBucket
from console.adapters.network.tls import TlsIdentity, TlsMaterialUnusable, spki_pin
from console.application.errors import PeerRefused, PeerUnavailable
from console.application.ports.clock import Clock
from console.application.ports.network import (
    MAX_MESSAGE_BYTES,
    MachineUnusable,
    PeerHandler,
    PeerHealth,
)
from console.domain.errors import UnknownMember
from console.domain.ids import MemberId

log = structlog.get_logger(__name__)

_SERVICE, _METHOD = "quorate.Peer", "Call"
_SMOOTHING = 0.2
_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
# Enough for a session's burst, far below what would starve the other peers.
RATE_PER_S, BURST = 200.0, 400.0

SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.max_metadata_size", 8192),
    ("grpc.max_concurrent_streams", 64),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
)
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A member in the network: its address and the certificate that it must present."""

    member: MemberId
    address: str
    certificate_pem: bytes


@dataclass(slots=True)
class _Link:
    channel: grpc.aio.Channel
    call: Callable[..., "grpc.aio.UnaryUnaryCall"]
    online: bool = False
    latency_s: float = 0.0
    last_seen_ms: int | None = None


@dataclass(slots=True)
class GrpcNetwork:
    """This member's links. Raises TlsMaterialUnusable for a certificate that cannot be pinned."""

    me: MemberId
    address: str
    identity: TlsIdentity
    peers: tuple[Peer, ...]
    clock: Clock
    _peers: dict[MemberId, Peer] = field(default_factory=dict)
    _links: dict[MemberId, _Link] = field(default_factory=dict)
    _buckets: dict[MemberId, TokenBucket] = field(default_factory=dict)
    _members: dict[bytes, MemberId] = field(default_factory=dict)
    _server: grpc.aio.Server | None = None
    _handler: PeerHandler | None = None

    def __post_init__(self) -> None:
        """Pin every peer."""
        for peer in self.peers:
            self._pin(peer)
        if len(self._members) != len(self.peers):
            raise TlsMaterialUnusable("two members use the same TLS key")

    def pin_of(self, certificate: bytes) -> bytes:
        """Return the SHA-256 of the certificate's public key. Raises: MachineUnusable."""
        try:
            return spki_pin(certificate)
        except TlsMaterialUnusable as trouble:
            raise MachineUnusable(str(trouble)) from None

    async def admit(self, member: MemberId, address: str, certificate: bytes) -> None:
        """Link to this machine of a member only; links to any other machine of it are closed."""
        pin, known = self.pin_of(certificate), self._peers.get(member)
        if self._members.get(pin, member) != member:
            raise MachineUnusable("another member uses this TLS key")
        peer = Peer(member, address, certificate)
        if peer == known:
            return
        self._members = {p: m for p, m in self._members.items() if m != member}
        self._pin(peer)
        link = self._links.pop(member, None)
        if link:
            await link.channel.close()

    def _pin(self, peer: Peer) -> None:
        self._peers[peer.member] = peer
        self._members[spki_pin(peer.certificate_pem)] = peer.member
        self._buckets[peer.member] = TokenBucket(RATE_PER_S, BURST, self.clock.monotonic_s)

    def _trusted(self) -> "grpc.ServerCertificateConfiguration":
        """Return the certificates that a new handshake accepts."""
        return grpc.ssl_server_certificate_configuration(
            [(self.identity.key_pem, self.identity.certificate_pem)],
            root_certificates=b"".join(p.certificate_pem for p in self._peers.values()),
        )

    async def serve(self, handler: PeerHandler) -> None:
        """Start to serve peers. Raises: PeerUnavailable if the address cannot be bound."""
        self._handler = handler
        server = grpc.aio.server(options=SERVER_OPTIONS, maximum_concurrent_rpcs=256)
        method = grpc.unary_unary_rpc_method_handler(self._answer)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: method}),)
        )
        # Asked at every handshake, so that an admitted machine needs no restart.
        credentials = grpc.dynamic_ssl_server_credentials(
            self._trusted(), self._trusted, require_client_authentication=True
        )
        try:
            server.add_secure_port(self.address, credentials)
        except RuntimeError:
            raise PeerUnavailable(f"cannot listen on {self.address}: is it in use?") from None
        await server.start()
        self._server = server

    async def call(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        """Send and return the reply. Raises: PeerUnavailable, PeerRefused, UnknownMember."""
        if len(message) > MAX_MESSAGE_BYTES:
            raise PeerRefused(f"a message of {len(message)} bytes is too large to send")
        link = self._link(peer)
        started = self.clock.monotonic_s()
        try:
            reply: bytes = await link.call(message, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() in _UNREACHABLE:
                link.online = False
                raise PeerUnavailable(f"{peer} does not answer") from None
            raise PeerRefused(f"{peer} refused the call: {error.code().name}") from None
        took = self.clock.monotonic_s() - started
        link.latency_s = (
            took if not link.online else (link.latency_s + _SMOOTHING * (took - link.latency_s))
        )
        link.online = True
        link.last_seen_ms = self.clock.now_ms()
        return reply

    def health(self) -> Mapping[MemberId, PeerHealth]:
        """Return the state of every link."""
        return {
            peer.member: PeerHealth(link.online, link.latency_s, link.last_seen_ms)
            if (link := self._links.get(peer.member))
            else PeerHealth(online=False, latency_s=0.0, last_seen_ms=None)
            for peer in self._peers.values()
        }

    async def close(self) -> None:
        """Stop serving and close all links."""
        if self._server:
            await self._server.stop(grace=0.2)
            self._server = None
        for link in self._links.values():
            await link.channel.close()
        self._links.clear()

    def _link(self, member: MemberId) -> _Link:
        if member not in self._links:
            peer = self._peers.get(member)
            if peer is None:
                raise UnknownMember(f"{member} is not a peer of this node")
            # The peer's own certificate is the only root: no other party can reply in its place.
            credentials = grpc.ssl_channel_credentials(
                root_certificates=peer.certificate_pem,
                private_key=self.identity.key_pem,
                certificate_chain=self.identity.certificate_pem,
            )
            name = ("grpc.ssl_target_name_override", tls_name(member))
            channel = grpc.aio.secure_channel(
                peer.address, credentials, options=(*CHANNEL_OPTIONS, name)
            )
            self._links[member] = _Link(channel, channel.unary_unary(f"/{_SERVICE}/{_METHOD}"))
        return self._links[member]

    async def _answer(self, request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        member = await self._caller(context)
        if not self._buckets[member].take():
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        if self._handler is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not ready")
            raise PeerRefused("not ready")
        return await self._handler(member, request)

    async def _caller(self, context: grpc.aio.ServicerContext) -> MemberId:
        """Return the peer by its key; the names in a certificate prove nothing."""
        shown = context.auth_context().get("x509_pem_cert", [])
        try:
            member = self._members.get(spki_pin(shown[0])) if shown else None
        except TlsMaterialUnusable:
            member = None
        if member is None:
            log.warning("unknown-certificate")
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "unknown certificate")
            raise PeerRefused("unknown certificate")
        return member


def tls_name(member: MemberId) -> str:
    """Return the name in a member's certificate."""
    return f"{member}.quorate"
