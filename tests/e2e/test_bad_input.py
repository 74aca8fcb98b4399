"""What is wrong from outside gets one clear sentence, and nothing is lost."""

import asyncio
import shutil
import socket
from pathlib import Path

import grpc
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from console.adapters.network import grpc_peers
from console.adapters.network.link_keys import PEER_NAME
from console.adapters.network.tls import TlsIdentity, create_identity, load_identity
from console.application.api import CommandRefused, GetInbox, GetSession, NodeUnreachable
from console.application.api_codec import ASK, encode
from console.application.commands import Lock, ProposeCeremony, Unlock
from console.application.peers.messages import Refused, decode_reply
from console.application.ports.network import MAX_MESSAGE_BYTES
from console.application.views import NodeState
from console.client.remote import CLIENT_NAME, SERVER_NAME
from console.demo.cluster import ClusterFailure
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.settings import MemberFiles, Roster, read_roster, write_toml
from tests.e2e.steps import KIND, Office, require_kept, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PEER_CALL = "/quorate.Peer/Call"
WRONG_PIN = b"00000000000"


def files(office: Office, member: str) -> MemberFiles:
    return MemberFiles(office.cluster.members[member].profile.directory)


def channel(
    office: Office, member: str, port: int, name: str, server_certificate: str, key: TlsIdentity
) -> grpc.aio.Channel:
    """Open a channel past our own client: trusts the member's server, shows any certificate."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(files(office, member).tls / server_certificate).read_bytes(),
        private_key=key.key_pem,
        certificate_chain=key.certificate_pem,
    )
    target = ("grpc.ssl_target_name_override", name)
    options = (*grpc_peers.CHANNEL_OPTIONS, target)
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


def peer_channel(office: Office, member: str, key: TlsIdentity) -> grpc.aio.Channel:
    port = office.cluster.members[member].peer_port
    name = grpc_peers.tls_name(MemberId(member))
    return channel(office, member, port, name, f"{PEER_NAME}.crt", key)


def console_channel(office: Office, member: str, key: TlsIdentity) -> grpc.aio.Channel:
    port = office.cluster.members[member].console_port
    return channel(office, member, port, SERVER_NAME, f"{SERVER_NAME}.crt", key)


def stranger(folder: Path) -> TlsIdentity:
    """Make a key pair that nobody knows, under a member's name."""
    return create_identity(folder, "stranger", grpc_peers.tls_name(MemberId("ben")))


async def status_of(channel: grpc.aio.Channel, method: str, data: bytes) -> grpc.StatusCode:
    async with channel:
        try:
            await channel.unary_unary(method)(data, timeout=10.0)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def refused_unlock(office: Office, member: str, pin: bytes) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        await office.consoles[member].execute(Unlock(SecretBytes(pin)))
    return caught.value


async def state_of(office: Office, member: str) -> NodeState:
    return (await office.session(member)).state


async def test_a_wrong_pin_waits_and_the_right_one_opens(office: Office) -> None:
    await office.all_ready()
    await office.consoles["ana"].execute(Lock())
    refusal = await refused_unlock(office, "ana", WRONG_PIN)
    assert refusal.code == "wrong-pin"
    assert WRONG_PIN.decode() not in f"{refusal.what}{refusal.safe}{refusal.next_step}"
    right = office.cluster.members["ana"].pin.encode()
    assert (await refused_unlock(office, "ana", right)).code == "pin-locked"
    assert (await office.session("ana")).vault.retry_after_s > 0
    await until("the wait is over", lambda: _no_wait(office, "ana"))
    await office.unlock("ana")
    assert await state_of(office, "ana") is NodeState.READY


async def _no_wait(office: Office, member: str) -> bool:
    return (await office.session(member)).vault.retry_after_s == 0


async def test_a_locked_node_answers_its_session_only(office: Office) -> None:
    await office.all_ready()
    await office.consoles["ben"].execute(Lock())
    with pytest.raises(CommandRefused) as caught:
        await office.consoles["ben"].ask(GetInbox())
    assert caught.value.code == "vault-locked"
    await office.unlock("ben")


async def test_a_missing_token_is_named_and_comes_back(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("ben")
    tokens = files(office, "ben").directory / "tokens"
    away = tokens.with_name("tokens-away")
    tokens.rename(away)
    tokens.mkdir()
    await office.cluster.start_node("ben")
    right = office.cluster.members["ben"].pin.encode()
    assert (await refused_unlock(office, "ben", right)).code == "token-missing"
    assert not any(tokens.iterdir())
    await office.cluster.stop_node("ben")
    tokens.rmdir()
    away.rename(tokens)
    await office.start("ben")


async def test_a_custodian_who_is_nobody_is_refused(office: Office) -> None:
    await office.all_ready()
    before = await office.ledger("ana")
    with pytest.raises(CommandRefused, match="not in the roster") as caught:
        await office.consoles["ana"].execute(
            ProposeCeremony(
                wallet_name="Nobody's",
                kinds=(KIND,),
                threshold=2,
                custodians=("ana", "nobody"),
                approvals_needed=1,
            )
        )
    assert caught.value.code == "unknown-member"
    assert await office.ledger("ana") == before


async def test_a_member_missing_from_its_own_roster_does_not_start(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("chiara")
    path = files(office, "chiara").roster
    kept = path.read_bytes()
    entries = read_roster(files(office, "chiara")).members
    write_toml(path, Roster(tuple(e for e in entries if e.member != "chiara")))
    with pytest.raises(ClusterFailure, match="does not list chiara"):
        await office.cluster.start_node("chiara")
    path.write_bytes(kept)
    await office.start("chiara")


async def test_a_roster_with_another_key_halts_the_node(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("chiara")
    path = files(office, "chiara").roster
    kept = path.read_bytes()
    entries = read_roster(files(office, "chiara")).members
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    swapped = [
        msgspec.structs.replace(e, identity_key=other) if e.member == "ana" else e for e in entries
    ]
    write_toml(path, Roster(tuple(swapped)))
    await office.cluster.start_node("chiara")
    right = office.cluster.members["chiara"].pin.encode()
    assert (await refused_unlock(office, "chiara", right)).code == "conflict"
    assert await state_of(office, "chiara") is NodeState.HALTED
    await office.cluster.stop_node("chiara")
    path.write_bytes(kept)
    await office.start("chiara")


async def test_a_stranger_reaches_neither_port(office: Office, tmp_path: Path) -> None:
    await office.all_ready()
    key = stranger(tmp_path)
    peer, console = peer_channel(office, "ana", key), console_channel(office, "ana", key)
    assert await status_of(peer, PEER_CALL, b"hello") is grpc.StatusCode.UNAVAILABLE
    assert await status_of(console, ASK, encode(GetSession())) is grpc.StatusCode.UNAVAILABLE


async def test_a_peer_is_no_console_and_a_console_is_no_peer(office: Office) -> None:
    await office.all_ready()
    tls = files(office, "ana").tls
    peer = console_channel(office, "ana", load_identity(tls, PEER_NAME))
    client = peer_channel(office, "ana", load_identity(tls, CLIENT_NAME))
    assert await status_of(peer, ASK, encode(GetSession())) is grpc.StatusCode.UNAVAILABLE
    assert await status_of(client, PEER_CALL, b"hello") is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00" * 64,
        b"\xc1",
        b"\x82\xa1q\xa8announce\xa9statement\xc0",
        b"\x82\xa1x" + b"\x91" * 100_000 + b"\xc0\xa1q\xa4pull",
        b"\x82\xa1q\xa1\xff\xa1x\xa1\xff",
    ],
)
async def test_a_malformed_message_is_refused(office: Office, message: bytes) -> None:
    await office.all_ready()
    key = load_identity(files(office, "ben").tls, PEER_NAME)
    async with peer_channel(office, "ana", key) as channel:
        reply = decode_reply(await channel.unary_unary(PEER_CALL)(message, timeout=10.0))
    assert reply == Refused("the message is malformed")
    assert await state_of(office, "ana") is NodeState.READY


async def test_a_malformed_console_call_is_refused(office: Office) -> None:
    await office.all_ready()
    key = load_identity(files(office, "ana").tls, CLIENT_NAME)
    for data in (b"", b"\xc1", b"\x82\xa3ask\xa5inbox\xa1x" + b"\x91" * 100_000 + b"\xc0"):
        status = await status_of(console_channel(office, "ana", key), ASK, data)
        assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert await state_of(office, "ana") is NodeState.READY


async def test_an_oversized_message_is_refused(office: Office) -> None:
    await office.all_ready()
    key = load_identity(files(office, "ben").tls, PEER_NAME)
    async with peer_channel(office, "ana", key) as channel:
        call = channel.unary_unary(PEER_CALL)
        reply = decode_reply(await call(bytes(MAX_MESSAGE_BYTES + 1), timeout=10.0))
    assert reply == Refused("the message is malformed")
    much = bytes(MAX_MESSAGE_BYTES + 1024)
    status = await status_of(peer_channel(office, "ana", key), PEER_CALL, much + b"more")
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await state_of(office, "ana") is NodeState.READY


async def test_a_flood_is_told_to_wait_and_the_others_are_served(office: Office) -> None:
    await office.all_ready()
    key = load_identity(files(office, "ben").tls, PEER_NAME)
    async with peer_channel(office, "ana", key) as channel:
        call = channel.unary_unary(PEER_CALL)
        outcomes = await asyncio.gather(
            *(call(b"\xc1", timeout=30.0, wait_for_ready=True) for _ in range(1500)),
            return_exceptions=True,
        )
    codes = {e.code() for e in outcomes if isinstance(e, grpc.aio.AioRpcError)}
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes
    assert await state_of(office, "ana") is NodeState.READY
    await office.all_ready()
    await office.hold_ceremony("After the flood")


async def test_a_tampered_ledger_halts_the_node_and_stays_as_it_is(office: Office) -> None:
    await office.all_ready()
    seen = await office.ledger("ben")
    await office.cluster.stop_node("ben")
    ledger = files(office, "ben").ledger
    kept = ledger.read_bytes()
    spoiled = bytearray(kept)
    spoiled[len(spoiled) // 2] ^= 1
    ledger.write_bytes(spoiled)
    await office.cluster.start_node("ben")
    right = office.cluster.members["ben"].pin.encode()
    refusal = await refused_unlock(office, "ben", right)
    assert refusal.code == "ledger-broken"
    session = await office.session("ben")
    assert session.state is NodeState.HALTED
    assert session.halted_because
    assert ledger.read_bytes() == bytes(spoiled)
    await office.cluster.stop_node("ben")
    ledger.write_bytes(kept)
    await office.start("ben")
    require_kept(seen, await office.ledger("ben"))


async def test_a_rolled_back_ledger_halts_the_node(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("chiara")
    ledger = files(office, "chiara").ledger
    old = ledger.with_name("ledger.old")
    shutil.copy2(ledger, old)
    await office.start("chiara")
    seen = await office.ledger("chiara")
    await office.cluster.stop_node("chiara")
    newest = ledger.read_bytes()
    shutil.copy2(old, ledger)
    await office.cluster.start_node("chiara")
    right = office.cluster.members["chiara"].pin.encode()
    assert (await refused_unlock(office, "chiara", right)).code == "ledger-rolled-back"
    assert await state_of(office, "chiara") is NodeState.HALTED
    await office.cluster.stop_node("chiara")
    ledger.write_bytes(newest)
    old.unlink()
    await office.start("chiara")
    require_kept(seen, await office.ledger("chiara"))


async def test_a_deleted_ledger_is_not_made_anew(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("chiara")
    ledger = files(office, "chiara").ledger
    away = ledger.with_name("ledger.away")
    ledger.rename(away)
    await office.cluster.start_node("chiara")
    right = office.cluster.members["chiara"].pin.encode()
    assert (await refused_unlock(office, "chiara", right)).code == "ledger-rolled-back"
    assert not ledger.exists()
    await office.cluster.stop_node("chiara")
    away.rename(ledger)
    await office.start("chiara")


async def test_a_second_node_of_a_member_does_not_start(office: Office) -> None:
    await office.all_ready()
    first = office.cluster.members["ana"].process
    try:
        with pytest.raises(ClusterFailure, match="runs already"):
            await office.cluster.start_node("ana")
    finally:
        office.cluster.members["ana"].process = first
    assert await state_of(office, "ana") is NodeState.READY


async def test_a_node_whose_port_another_program_has_says_so(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("chiara")
    port = office.cluster.members["chiara"].peer_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ClusterFailure, match="in use"):
        await office.cluster.start_node("chiara")
    await office.start("chiara")


async def test_a_stopped_node_is_unreachable_in_one_sentence(office: Office) -> None:
    await office.all_ready()
    await office.cluster.stop_node("ben")
    with pytest.raises(NodeUnreachable, match="does not answer"):
        await office.consoles["ben"].ask(GetSession())
    await office.start("ben")
