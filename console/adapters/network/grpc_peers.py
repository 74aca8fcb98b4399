"""NetworkPort over gRPC: mutual TLS; each peer is identified by the pin of its public key alone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import grpc
import structlog

from console.adapters.network.anchors import anchor_of
from console.adapters.network.rate import TokenBucket
from console.adapters.network.tls import TlsIdentity, TlsMaterialUnusable, peer_pin, read_shown
from console.application.errors import PeerRefused, PeerUnavailable
from console.application.ports.clock import Clock
from console.application.ports.link_keys import FixedLinkKey, LinkKeysPort, MachineUnusable
from console.application.ports.network import (
    MAX_MESSAGE_BYTES,
    LinkTrouble,
    PeerHandler,
    PeerHealth,
)
from console.domain.ids import MemberId

log = structlog.get_logger(__name__)

_SERVICE, _METHOD = "quorate.Peer", "Call"
_CALL = f"/{_SERVICE}/{_METHOD}"
_SMOOTHING = 0.2
_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
_TLS_SAYS = (
    ("certificate has expired", LinkTrouble.ENDED),
    ("certificate is not yet valid", LinkTrouble.NOT_YET),
    ("CERTIFICATE_VERIFY_FAILED", LinkTrouble.OTHER_KEY),
)
"""What the TLS library says of a certificate that it does not take."""
_LAST_CALLS_S = 10.0
"""How long calls may go on over a link that another one has taken the place of."""
# Enough for a session's burst, far below what would starve the other peers.
RATE_PER_S, BURST = 200.0, 400.0
MAX_CALLS_PER_PEER = 64
"""Calls of one peer that are received or handled at a time; the other peers have their own."""
RECEIVE_S = 5.0
"""How long a peer may take from the beginning of a call to the last byte of its message."""

SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES + 1024),
    ("grpc.max_metadata_size", 8192),
    ("grpc.max_concurrent_streams", 64),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 2),
    # A connection on which nothing is called is closed: peers call every few seconds.
    ("grpc.max_connection_idle_ms", 120_000),
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
    """A member in the network: its address, and certificates with the keys that it may show."""

    member: MemberId
    address: str
    certificate_pem: bytes
    coming_pem: bytes = b""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """One certificate of each of its keys."""
        return (self.certificate_pem, *((self.coming_pem,) if self.coming_pem else ()))

    @property
    def roots(self) -> bytes:
        """What TLS accepts of it, PEM: the certificate itself, and all that its keys issue."""
        return b"".join((self.certificate_pem, *map(anchor_of, self.certificates)))


@dataclass(slots=True)
class _Link:
    channel: grpc.aio.Channel
    call: Callable[..., "grpc.aio.UnaryUnaryCall"]
    online: bool = False
    latency_s: float = 0.0
    last_seen_ms: int | None = None
    trouble: LinkTrouble = LinkTrouble.NONE


@dataclass(slots=True)
class GrpcNetwork:
    """This member's links. Raises TlsMaterialUnusable for a certificate that cannot be pinned."""

    me: MemberId
    address: str
    identity: TlsIdentity
    peers: tuple[Peer, ...]
    clock: Clock
    keys: LinkKeysPort = field(default_factory=FixedLinkKey)
    formers: tuple[TlsIdentity, ...] = ()
    """Keys from before `identity`, for members that do not know it yet."""
    _first: dict[MemberId, Peer] = field(default_factory=dict)
    _shown_ends: dict[MemberId, int] = field(default_factory=dict)
    _peers: dict[MemberId, Peer] = field(default_factory=dict)
    _links: dict[MemberId, _Link] = field(default_factory=dict)
    _buckets: dict[MemberId, TokenBucket] = field(default_factory=dict)
    _members: dict[bytes, MemberId] = field(default_factory=dict)
    _calls: Counter[MemberId] = field(default_factory=Counter)
    _server: grpc.aio.Server | None = None
    _handler: PeerHandler | None = None

    def __post_init__(self) -> None:
        """Pin every peer."""
        for peer in self.peers:
            self._first[peer.member] = peer
            self._pin(peer)
        if len(self._members) != len(self.peers):
            raise TlsMaterialUnusable("two members use the same TLS key")

    def pin_of(self, member: MemberId, certificate: bytes) -> bytes:
        """Return the SHA-256 of the certificate's public key. Raises: MachineUnusable."""
        try:
            return peer_pin(certificate, tls_name(member))
        except TlsMaterialUnusable as trouble:
            raise MachineUnusable(str(trouble)) from None

    async def admit(
        self, member: MemberId, address: str = "", certificate: bytes = b"", coming: bytes = b""
    ) -> None:
        """Link to this machine of a member only; links to any other machine of it are closed."""
        first = self._first.get(member, Peer(member, "", b""))
        peer = Peer(member, address or first.address, certificate or first.certificate_pem, coming)
        for shown in peer.certificates:
            if self._members.get(self.pin_of(member, shown), member) != member:
                raise MachineUnusable("another member uses this TLS key")
        known = self._peers.get(member)
        if peer == known:
            return
        self._members = {p: m for p, m in self._members.items() if m != member}
        self._pin(peer)
        if known is None or known.certificate_pem != peer.certificate_pem:
            self._shown_ends.pop(member, None)
        link = self._links.pop(member, None)
        if link:
            await link.channel.close()

    async def dismiss(self, member: MemberId) -> None:
        """Accept no machine of a member, and close the link to it."""
        self._members = {p: m for p, m in self._members.items() if m != member}
        self._peers.pop(member, None)
        link = self._links.pop(member, None)
        if link:
            await link.channel.close()

    async def show(self, identity: TlsIdentity, formers: tuple[TlsIdentity, ...]) -> None:
        """Show this key and certificate from now on; what is being said may be finished."""
        self.identity, self.formers = identity, formers
        links = tuple(self._links.values())
        self._links.clear()
        await asyncio.gather(*(link.channel.close(_LAST_CALLS_S) for link in links))

    def _pin(self, peer: Peer) -> None:
        for shown in peer.certificates:
            self._members[peer_pin(shown, tls_name(peer.member))] = peer.member
        self._peers[peer.member] = peer
        self._buckets[peer.member] = TokenBucket(RATE_PER_S, BURST, self.clock.monotonic_s)

    def _trusted(self) -> "grpc.ServerCertificateConfiguration":
        """Return the certificates that a new handshake accepts."""
        return grpc.ssl_server_certificate_configuration(
            [(self.identity.key_pem, self.identity.certificate_pem)],
            root_certificates=b"".join(p.roots for p in self._peers.values()),
        )

    async def serve(self, handler: PeerHandler) -> None:
        """Start to serve peers. Raises: PeerUnavailable if the address cannot be bound."""
        self._handler = handler
        server = grpc.aio.server(options=SERVER_OPTIONS)
        # Handled as a stream of one request: so the caller is known before its message is awaited.
        method = grpc.stream_unary_rpc_method_handler(self._answer)
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
        """Send and return the reply. Raises: PeerUnavailable, PeerRefused."""
        if len(message) > MAX_MESSAGE_BYTES:
            raise PeerRefused(f"a message of {len(message)} bytes is too large to send")
        link = self._link(peer)
        started = self.clock.monotonic_s()
        try:
            reply: bytes = await link.call(message, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() in _UNREACHABLE:
                link.online, link.trouble = False, self._trouble(error.details() or "")
                why = link.trouble.value
                raise PeerUnavailable(f"{peer} does not answer{why and f': {why}'}") from None
            raise PeerRefused(f"{peer} refused the call: {error.code().name}") from None
        took = self.clock.monotonic_s() - started
        link.latency_s = (
            took if not link.online else (link.latency_s + _SMOOTHING * (took - link.latency_s))
        )
        link.online, link.trouble = True, LinkTrouble.NONE
        link.last_seen_ms = self.clock.now_ms()
        return reply

    async def tell(self, peer: MemberId, message: bytes, timeout_s: float) -> bytes:
        """Call with the key that is shown, or else with those from before it."""
        try:
            return await self.call(peer, message, timeout_s)
        except PeerUnavailable:
            for former in self.formers:
                channel = self._channel(peer, former)
                try:
                    reply: bytes = await channel.unary_unary(_CALL)(message, timeout=timeout_s)
                except grpc.aio.AioRpcError:
                    continue
                else:
                    return reply
                finally:
                    await channel.close()
            raise

    def health(self) -> Mapping[MemberId, PeerHealth]:
        """Return the state of every link."""
        return {member: self._health(peer) for member, peer in self._peers.items()}

    def _health(self, peer: Peer) -> PeerHealth:
        link = self._links.get(peer.member)
        ends_ms = self._shown_ends.get(peer.member) or read_shown(peer.certificate_pem).ends_ms
        return PeerHealth(
            online=link.online if link else False,
            latency_s=link.latency_s if link else 0.0,
            last_seen_ms=link.last_seen_ms if link else None,
            trouble=link.trouble if link else LinkTrouble.NONE,
            certificate_ends_ms=ends_ms,
        )

    def _trouble(self, said: str) -> LinkTrouble:
        """Return what a failed handshake says; a peer that takes no certificate of ours is mute."""
        found = next((trouble for words, trouble in _TLS_SAYS if words in said), None)
        if found is not None:
            return found
        # TLS goes by the machine's own clock, and so does this.
        ended = read_shown(self.identity.certificate_pem).ends_ms < time.time() * 1000
        return LinkTrouble.OWN_ENDED if ended else LinkTrouble.NONE

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
            channel = self._channel(member, self.identity)
            self._links[member] = _Link(channel, channel.unary_unary(_CALL))
        return self._links[member]

    def _channel(self, member: MemberId, identity: TlsIdentity) -> grpc.aio.Channel:
        peer = self._peers.get(member)
        if peer is None:
            raise PeerUnavailable(f"this node has no link to {member}")
        # The peer's own keys are the only roots: no other party can reply in its place.
        credentials = grpc.ssl_channel_credentials(
            root_certificates=peer.roots,
            private_key=identity.key_pem,
            certificate_chain=identity.certificate_pem,
        )
        name = ("grpc.ssl_target_name_override", tls_name(member))
        return grpc.aio.secure_channel(peer.address, credentials, options=(*CHANNEL_OPTIONS, name))

    async def _answer(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> bytes:
        member = await self._caller(context)
        if self._calls[member] >= MAX_CALLS_PER_PEER or not self._buckets[member].take():
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        self._calls[member] += 1
        try:
            request = await self._receive(requests, context)
            if self._handler is None:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "not ready")
                raise PeerRefused("not ready")
            return await self._handler(member, request)
        finally:
            self._calls[member] -= 1

    async def _receive(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> bytes:
        """Return the call's only message, which must arrive in time."""
        try:
            async with asyncio.timeout(RECEIVE_S):
                return await anext(requests)
        except (TimeoutError, StopAsyncIteration):
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no message came in time")
            raise PeerRefused("no message came in time") from None

    async def _caller(self, context: grpc.aio.ServicerContext) -> MemberId:
        """Return the peer by its key; the names in a certificate prove nothing."""
        shown = context.auth_context().get("x509_pem_cert", [])
        try:
            certificate = read_shown(shown[0]) if shown else None
        except TlsMaterialUnusable:
            certificate = None
        member = self._members.get(certificate.tls_pin) if certificate else None
        if certificate and member:
            self._shown_ends[member] = certificate.ends_ms
        else:
            log.warning("unknown-certificate")
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "unknown certificate")
            raise PeerRefused("unknown certificate")
        return member


def tls_name(member: MemberId) -> str:
    """Return the name in a member's certificate."""
    return f"{member}.quorate"
