"""The wallet's private key exists nowhere: not in memory, ledger, log or share file of a node."""

import base64
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl import bindings

from tests.e2e.member_reading import read_member
from tests.e2e.steps import Office

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ORDER = 2**252 + 27742317777372353535851937790883648493
_CHUNK = 16 << 20
_OVERLAP = 128
_REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+\s*(.*)")


def reconstruct(shares: dict[int, int]) -> int:
    """Interpolate the group secret from t shares by Lagrange at zero."""
    secret = 0
    for i, share in shares.items():
        weight = 1
        for j in shares:
            if j != i:
                weight = weight * j * pow(j - i, -1, ORDER) % ORDER
        secret = (secret + share * weight) % ORDER
    return secret


def forms(secret: int) -> dict[str, bytes]:
    """Every form in which a scalar may have been left behind."""
    little, big = secret.to_bytes(32, "little"), secret.to_bytes(32, "big")
    return {
        "little endian": little,
        "big endian": big,
        "little endian hex": little.hex().encode(),
        "big endian hex": big.hex().encode(),
        "decimal": str(secret).encode(),
    }


def memory_of(process_id: int) -> Iterator[bytes]:
    """Yield the readable memory of a process, in pieces that overlap."""
    maps = Path(f"/proc/{process_id}/maps").read_text().splitlines()
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            region = _REGION.match(line)
            if region is None or region[4] in {"[vvar]", "[vsyscall]", "[vvar_vclock]"}:
                continue
            start, end = int(region[1], 16), int(region[2], 16)
            for at in range(start, end, _CHUNK):
                memory.seek(at)
                try:
                    yield memory.read(min(_CHUNK + _OVERLAP, end - at))
                except OSError:  # a guard page, or one that went away meanwhile
                    continue


def found_in(pieces: Iterator[bytes], secrets: dict[str, bytes]) -> set[str]:
    return {name for piece in pieces for name, value in secrets.items() if value in piece}


async def test_the_key_exists_nowhere(office: Office) -> None:
    await office.all_ready()
    wallet = await office.hold_ceremony("Nowhere")
    await office.fund(wallet)
    await office.transfer(wallet)
    others = office.members[1:]
    shares: dict[int, int] = {}
    for member in others:
        state = office.cluster.members[member]
        await office.cluster.stop_node(member)
        reading = await read_member(state.profile.directory, state.pin)
        index, encoded = reading.shares[wallet]
        shares[index] = int.from_bytes(encoded, "little")
        group_keys = [
            fields["keys"]
            for _, name, fields in reading.events
            if name == "wallet.activated.v1" and fields["wallet"] == wallet
        ]
    key = reconstruct(shares)
    (keys,) = group_keys
    assert isinstance(keys, list)
    public = bindings.crypto_scalarmult_ed25519_base_noclamp(key.to_bytes(32, "little"))
    assert base64.b64decode(keys[0]["public_key"]) == public

    secrets = {f"group secret, {form}": value for form, value in forms(key).items()}
    for index, share in shares.items():
        secrets |= {f"share {index}, {form}": value for form, value in forms(share).items()}

    running = office.cluster.members["ana"]
    assert running.process is not None
    try:
        in_memory = found_in(memory_of(running.process.pid), secrets)
    except PermissionError:
        pytest.skip("reading another process's memory needs CAP_SYS_PTRACE")
    assert not in_memory
    files = (path for path in running.profile.directory.rglob("*") if path.is_file())
    assert not found_in((path.read_bytes() for path in files), secrets)


async def test_a_scan_finds_what_is_there(office: Office) -> None:
    """The scan itself: the node's own name is in its memory, so a secret would be found."""
    await office.all_ready()
    process = office.cluster.members["ana"].process
    assert process is not None
    known = {"name": b"quorate/statement/v1"}
    try:
        assert found_in(memory_of(process.pid), known) == {"name"}
    except PermissionError:
        pytest.skip("reading another process's memory needs CAP_SYS_PTRACE")


async def test_one_share_alone_is_not_the_key(office: Office) -> None:
    await office.all_ready()
    wallet = await office.hold_ceremony("Apart")
    shares: dict[int, int] = {}
    for member, state in office.cluster.members.items():
        await office.cluster.stop_node(member)
        reading = await read_member(state.profile.directory, state.pin)
        index, encoded = reading.shares[wallet]
        shares[index] = int.from_bytes(encoded, "little")
    keys = {reconstruct({i: shares[i] for i in pair}) for pair in itertools.combinations(shares, 2)}
    assert len(keys) == 1
    assert keys.isdisjoint(shares.values())
