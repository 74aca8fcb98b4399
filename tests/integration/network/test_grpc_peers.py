"""GrpcNetwork over loopback: pins, limits, deadlines, health."""

import asyncio
import contextlib
import datetime as dt
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.adapters.clock import SystemClock
from console.adapters.network import grpc_peers
from console.adapters.network.grpc_peers import MAX_CALLS_PER_PEER, GrpcNetwork, Peer, tls_name
from console.adapters.network.tls import (
    TlsIdentity,
    TlsMaterialUnusable,
    create_identity,
    load_certificate,
    load_identity,
    spki_pin,
)
from console.application.errors import PeerRefused, PeerUnavailable
from console.application.ports.clock import Clock
from console.application.ports.link_keys import MachineUnusable
from console.application.ports.network import MAX_MESSAGE_BYTES
from console.domain.ids import MemberId
from tests.fakes.clock import FakeClock
from tests.integration.network.certificates import certificate, extensions, name

ANA, BEN, EVE = MemberId("ana"), MemberId("ben"), MemberId("eve")
CALL = "/quorate.Peer/Call"
TIMEOUT_S = 5.0
SYSTEM = SystemClock()

Handler = Callable[[MemberId, bytes], Awaitable[bytes]]


def free_address() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


def identity(folder: Path, member: MemberId) -> TlsIdentity:
    return create_identity(folder, member, tls_name(member))


async def echo(sender: MemberId, message: bytes) -> bytes:
    return sender.encode() + b":" + message


class Pair:
    """Ana and Ben, who know each other; `own` are their key pairs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = {m: identity(folder, m) for m in (ANA, BEN)}
        self.address = {m: free_address() for m in (ANA, BEN)}
        self.networks = {m: self.network(m, self.own[m]) for m in (ANA, BEN)}
        self._more: list[GrpcNetwork] = []

    def network(
        self, me: MemberId, key: TlsIdentity, clock: Clock = SYSTEM, **shown: bytes
    ) -> GrpcNetwork:
        """Build a network; `shown` replaces what `me` believes to be a peer's certificate."""
        peers = tuple(
            Peer(m, self.address[m], shown.get(m, self.own[m].certificate_pem))
            for m in (ANA, BEN)
            if m != me
        )
        return GrpcNetwork(me, self.address.get(me, ""), key, peers, clock)

    def another(
        self, me: MemberId, key: TlsIdentity, clock: Clock = SYSTEM, **shown: bytes
    ) -> GrpcNetwork:
        network = self.network(me, key, clock, **shown)
        self._more.append(network)
        return network

    async def close(self) -> None:
        for network in (*self._more, *self.networks.values()):
            await network.close()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    await pair.close()


def channel_to(pair: Pair, member: MemberId, key: TlsIdentity | None) -> grpc.aio.Channel:
    """Open a channel that trusts the member but shows any certificate, or none."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=pair.own[member].certificate_pem,
        private_key=key.key_pem if key else None,
        certificate_chain=key.certificate_pem if key else None,
    )
    target = ("grpc.ssl_target_name_override", tls_name(member))
    return grpc.aio.secure_channel(
        pair.address[member], credentials, options=(*grpc_peers.CHANNEL_OPTIONS, target)
    )


async def status_of(
    pair: Pair, key: TlsIdentity | None, message: bytes = b"hello", method: str = CALL
) -> grpc.StatusCode:
    """Call Ben past our own client; return the status that came back."""
    async with channel_to(pair, BEN, key) as channel:
        try:
            await channel.unary_unary(method)(message, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def reached(network: GrpcNetwork, peer: MemberId) -> None:
    """Call until the peer answers: after a failure the channel pauses before it tries again."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                await network.call(peer, b"hello", 1.0)
            except PeerUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_peer_is_known_by_its_certificate(pair: Pair) -> None:
    await pair.networks[BEN].serve(echo)
    assert await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S) == b"ana:hello"


async def test_health_follows_the_link(pair: Pair) -> None:
    ana, ben = pair.networks[ANA], pair.networks[BEN]
    assert not ana.health()[BEN].online
    with pytest.raises(PeerUnavailable):
        await ana.call(BEN, b"hello", 1.0)
    await ben.serve(echo)
    await reached(ana, BEN)
    health = ana.health()[BEN]
    assert health.online
    assert health.latency_s > 0
    assert health.last_seen_ms is not None
    await ben.close()
    with pytest.raises(PeerUnavailable):
        await ana.call(BEN, b"hello", 1.0)
    assert not ana.health()[BEN].online


async def test_a_stranger_is_not_called(pair: Pair) -> None:
    with pytest.raises(PeerUnavailable, match="no link"):
        await pair.networks[ANA].call(EVE, b"hello", 1.0)


async def test_a_deadline_is_unavailable(pair: Pair) -> None:
    async def never(_sender: MemberId, _message: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    await pair.networks[BEN].serve(never)
    with pytest.raises(PeerUnavailable):
        await pair.networks[ANA].call(BEN, b"hello", 0.2)


async def test_a_callers_deadline_cancels_the_handler(pair: Pair) -> None:
    """Why the node carries its work to the end by itself: the transport does not."""
    cancelled = asyncio.Event()

    async def slow(_sender: MemberId, _message: bytes) -> bytes:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    await pair.networks[BEN].serve(slow)
    with pytest.raises(PeerUnavailable):
        await pair.networks[ANA].call(BEN, b"hello", 0.2)
    async with asyncio.timeout(TIMEOUT_S):
        await cancelled.wait()


async def test_a_handler_that_fails_is_a_refusal_without_its_text(pair: Pair) -> None:
    async def broken(_sender: MemberId, _message: bytes) -> bytes:
        raise PeerRefused("a sentence for nobody else")

    await pair.networks[BEN].serve(broken)
    with pytest.raises(PeerRefused) as caught:
        await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S)
    assert "nobody else" not in str(caught.value)


async def test_the_largest_message_travels_and_a_larger_one_does_not(pair: Pair) -> None:
    async def size(_sender: MemberId, message: bytes) -> bytes:
        return str(len(message)).encode()

    await pair.networks[BEN].serve(size)
    ana = pair.networks[ANA]
    told = await ana.call(BEN, bytes(MAX_MESSAGE_BYTES), TIMEOUT_S)
    assert told == str(MAX_MESSAGE_BYTES).encode()
    with pytest.raises(PeerRefused, match="too large"):
        await ana.call(BEN, bytes(MAX_MESSAGE_BYTES + 1), TIMEOUT_S)


async def test_an_oversized_message_is_refused_by_the_receiver(pair: Pair) -> None:
    seen: list[int] = []

    async def note(_sender: MemberId, message: bytes) -> bytes:
        seen.append(len(message))
        return b""

    await pair.networks[BEN].serve(note)
    status = await status_of(pair, pair.own[ANA], bytes(2 * MAX_MESSAGE_BYTES))
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not seen


async def test_an_unknown_method_is_refused(pair: Pair) -> None:
    await pair.networks[BEN].serve(echo)
    status = await status_of(pair, pair.own[ANA], method="/quorate.Peer/Other")
    assert status is grpc.StatusCode.UNIMPLEMENTED


async def test_no_certificate_is_refused(pair: Pair) -> None:
    await pair.networks[BEN].serve(echo)
    assert await status_of(pair, None) is grpc.StatusCode.UNAVAILABLE


async def test_a_self_signed_stranger_is_refused(pair: Pair, tmp_path: Path) -> None:
    await pair.networks[BEN].serve(echo)
    stranger = create_identity(tmp_path / "eve", "eve", tls_name(ANA))
    assert await status_of(pair, stranger) is grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_that_a_peer_has_issued_is_nobody(pair: Pair, tmp_path: Path) -> None:
    """Each certificate is a root of its own: what it signs passes TLS, and must fail the pin."""
    await pair.networks[BEN].serve(echo)
    child = issued_by(pair.own[ANA], ANA)
    assert await status_of(pair, child) is not grpc.StatusCode.OK


async def test_a_server_with_another_key_is_not_spoken_to(pair: Pair, tmp_path: Path) -> None:
    impostor = pair.another(BEN, create_identity(tmp_path / "eve", "eve", tls_name(BEN)))
    await impostor.serve(echo)
    with pytest.raises(PeerUnavailable):
        await pair.networks[ANA].call(BEN, b"hello", 2.0)


async def test_a_flood_is_refused_and_passes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(grpc_peers, "RATE_PER_S", 1.0)
    monkeypatch.setattr(grpc_peers, "BURST", 3.0)
    await pair.another(BEN, pair.own[BEN], clock).serve(echo)
    for _ in range(3):
        await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S)
    with pytest.raises(PeerRefused, match="RESOURCE_EXHAUSTED"):
        await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S)
    clock.advance(1.0)
    assert await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S)


@pytest.mark.parametrize("shown", ["pinned", "issued by a pinned key"])
async def test_calls_that_send_nothing_stop_nobody_else(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    """The caller is known before its message is awaited: its stalled calls fill its own places."""
    monkeypatch.setattr(grpc_peers, "RECEIVE_S", 60.0)
    key = identity_of_eve = identity(pair.folder / "eve", EVE)
    ben = pair.networks[BEN]
    await ben.admit(EVE, free_address(), identity_of_eve.certificate_pem)
    if shown != "pinned":
        key = issued_by(identity_of_eve, EVE)
    await ben.serve(echo)
    async with contextlib.AsyncExitStack() as stack:
        calls = []
        for _ in range(6):
            channel = await stack.enter_async_context(channel_to(pair, BEN, key))
            call = channel.stream_unary(CALL)
            calls += [call(silence(), timeout=60.0) for _ in range(60)]
        held = [asyncio.ensure_future(call.code()) for call in calls]
        # Those beyond its places, or without a pin, have been refused: the rest is held.
        refused = len(calls) - (MAX_CALLS_PER_PEER if shown == "pinned" else 0)
        done = 0
        async with asyncio.timeout(30):
            for task in asyncio.as_completed(held):
                await task
                done += 1
                if done == refused:
                    break
        assert await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S) == b"ana:hello"
        for call in calls:
            call.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_a_message_that_never_comes_is_given_up(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_peers, "RECEIVE_S", 0.05)
    await pair.networks[BEN].serve(echo)
    async with channel_to(pair, BEN, pair.own[ANA]) as channel:
        call = channel.stream_unary(CALL)(silence(), timeout=60.0)
        assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await pair.networks[ANA].call(BEN, b"hello", TIMEOUT_S) == b"ana:hello"


async def silence() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def test_an_address_in_use_is_named(pair: Pair) -> None:
    await pair.networks[BEN].serve(echo)
    with pytest.raises(PeerUnavailable, match="in use"):
        await pair.another(BEN, pair.own[BEN]).serve(echo)


def test_two_members_with_one_key_are_refused(tmp_path: Path) -> None:
    key = identity(tmp_path, ANA)
    peers = tuple(Peer(m, "127.0.0.1:1", renamed(key, m)) for m in (BEN, EVE))
    with pytest.raises(TlsMaterialUnusable, match="same TLS key"):
        GrpcNetwork(ANA, "127.0.0.1:0", key, peers, SystemClock())


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    first = identity(tmp_path, ANA)
    with pytest.raises(FileExistsError):
        identity(tmp_path, ANA)
    assert load_identity(tmp_path, ANA) == first
    assert load_certificate(tmp_path, ANA) == first.certificate_pem


def test_a_key_and_a_certificate_of_two_pairs_are_refused(tmp_path: Path) -> None:
    identity(tmp_path, ANA)
    identity(tmp_path, BEN)
    (tmp_path / "ana.crt").write_bytes((tmp_path / "ben.crt").read_bytes())
    with pytest.raises(TlsMaterialUnusable, match="does not belong"):
        load_identity(tmp_path, ANA)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n", b"\x00" * 64])
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    identity(tmp_path, ANA)
    (tmp_path / "ana.key").write_bytes(content)
    with pytest.raises(TlsMaterialUnusable, match="damaged"):
        load_identity(tmp_path, ANA)
    with pytest.raises(TlsMaterialUnusable, match="no certificate"):
        spki_pin(content)
    with pytest.raises(TlsMaterialUnusable, match="cannot be read"):
        load_certificate(tmp_path, BEN)


def test_a_key_pair_shows_its_pin_only(tmp_path: Path) -> None:
    key = identity(tmp_path, ANA)
    assert "PRIVATE" not in repr(key)
    assert key.key_pem[40:60].decode() not in repr(key)


def renamed(owner: TlsIdentity, member: MemberId) -> bytes:
    """Return a certificate for a member's name with another member's key."""
    key = serialization.load_pem_private_key(owner.key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return certificate(key, name(tls_name(member)), extensions(tls_name(member)))


def issued_by(issuer: TlsIdentity, member: MemberId) -> TlsIdentity:
    """Make a fresh key whose certificate another member's key has signed."""
    parent = x509.load_pem_x509_certificate(issuer.certificate_pem)
    signer = serialization.load_pem_private_key(issuer.key_pem, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, tls_name(member))]))
        .issuer_name(parent.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(tls_name(member))]), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return TlsIdentity(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(pem) + issuer.certificate_pem,
    )


async def test_an_admitted_machine_takes_the_place_of_the_old_one(
    pair: Pair, tmp_path: Path
) -> None:
    ana, old = pair.networks[ANA], pair.networks[BEN]
    await ana.serve(echo)
    assert await old.call(ANA, b"before", TIMEOUT_S) == b"ben:before"
    new_key = identity(tmp_path / "new", BEN)
    new = pair.another(BEN, new_key)
    with pytest.raises(PeerUnavailable):
        await new.call(ANA, b"too early", TIMEOUT_S)

    await ana.admit(BEN, pair.address[BEN], new_key.certificate_pem)

    again = pair.another(BEN, new_key)
    assert await again.call(ANA, b"after", TIMEOUT_S) == b"ben:after"
    # Its link from before is still open, and worth nothing.
    with pytest.raises(PeerRefused):
        await old.call(ANA, b"still here", TIMEOUT_S)


async def test_an_admitted_machine_is_called_at_its_own_address(pair: Pair, tmp_path: Path) -> None:
    ana = pair.networks[ANA]
    new_key = identity(tmp_path / "new", BEN)
    pair.address[BEN] = free_address()
    new = pair.another(BEN, new_key)
    await new.serve(echo)
    with pytest.raises(PeerUnavailable):
        await ana.call(BEN, b"hello", 1.0)
    await ana.admit(BEN, pair.address[BEN], new_key.certificate_pem)
    assert await ana.call(BEN, b"hello", TIMEOUT_S) == b"ana:hello"
    await ana.admit(BEN, pair.address[BEN], new_key.certificate_pem)
    assert ana.health()[BEN].online


async def test_a_member_that_was_dismissed_is_nobody(pair: Pair) -> None:
    ana, ben = pair.networks[ANA], pair.networks[BEN]
    await ana.serve(echo)
    await ben.serve(echo)
    assert await ben.call(ANA, b"before", TIMEOUT_S) == b"ben:before"
    assert await ana.call(BEN, b"before", TIMEOUT_S) == b"ana:before"
    await ana.dismiss(BEN)
    await ana.dismiss(BEN)
    # Its link from before is still open, and worth nothing; a new one is not made.
    with pytest.raises(PeerRefused):
        await ben.call(ANA, b"still here", TIMEOUT_S)
    with pytest.raises(PeerUnavailable):
        await pair.another(BEN, pair.own[BEN]).call(ANA, b"again", TIMEOUT_S)
    with pytest.raises(PeerUnavailable, match="no link"):
        await ana.call(BEN, b"hello", TIMEOUT_S)
    assert BEN not in ana.health()


async def test_a_new_member_is_admitted(pair: Pair, tmp_path: Path) -> None:
    ana = pair.networks[ANA]
    await ana.serve(echo)
    key = identity(tmp_path / "new", EVE)
    eve = pair.another(EVE, key)
    await ana.admit(EVE, free_address(), key.certificate_pem)
    assert await eve.call(ANA, b"hello", TIMEOUT_S) == b"eve:hello"
    assert EVE in ana.health()


async def test_a_key_that_another_member_uses_is_not_admitted(pair: Pair) -> None:
    ana = pair.networks[ANA]
    with pytest.raises(MachineUnusable, match="another member"):
        await ana.admit(EVE, free_address(), renamed(pair.own[BEN], EVE))
    with pytest.raises(MachineUnusable, match="no certificate"):
        await ana.admit(EVE, free_address(), b"-----BEGIN")
