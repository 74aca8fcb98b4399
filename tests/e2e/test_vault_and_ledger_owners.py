"""A member with an encrypted-file vault, a member alone, and two processes on one ledger."""

import json
import socket
import sys
from asyncio import create_subprocess_exec, subprocess
from pathlib import Path

import msgspec
import pytest

from console.application.api import CommandRefused
from console.application.commands import Lock, Unlock
from console.application.views import NodeState
from console.client import Profile, connect
from console.client.remote import ADDRESS_FILE
from console.client.run_mark import MARK_FILE
from console.demo.cluster import Cluster, ClusterMember
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import write_roster
from console.settings import MemberFiles, RosterEntry, read_settings, write_toml
from tests.e2e.steps import Office, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PASSPHRASE = "correct horse battery"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def file_member(home: Path, member: str) -> tuple[ClusterMember, RosterEntry]:
    """Set a member with an encrypted-file vault up, by the command line."""
    peer, console = free_port(), free_port()
    arguments = [
        *("init", "--member", member, "--name", member.title(), "--home", str(home)),
        *("--listen", f"127.0.0.1:{peer}", "--console", f"127.0.0.1:{console}"),
        *("--module", "file"),
    ]
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "console.cli", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate(f"{PASSPHRASE}\n".encode())
    assert process.returncode == 0, err.decode()
    profile = Profile(member, member.title(), home / member)
    return ClusterMember(profile, PASSPHRASE, peer, console), RosterEntry(**json.loads(out))


@pytest.mark.parametrize("others", [(), ("eve",)])
async def test_a_file_vault_opens_with_its_passphrase_only(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    cluster = Cluster(tmp_path)
    entries = []
    for name in ("dora", *others):
        cluster.members[name], entry = await file_member(tmp_path, name)
        entries.append(entry)
    write_roster(tmp_path, tuple(entries))
    await cluster.start_node("dora")
    office = await Office.open(cluster)
    try:
        console = office.consoles["dora"]
        with pytest.raises(CommandRefused) as caught:
            await console.execute(Unlock(SecretBytes(b"another passphrase")))
        assert caught.value.code == "wrong-pin"
        assert "another passphrase" not in str(caught.value)

        async def opened() -> bool:
            await office.unlock("dora")
            return True

        await until("the passphrase opens", opened)
        session = await office.session("dora")
        assert session.state is NodeState.READY
        assert session.vault.kind == "file"
        await console.execute(Lock())
        assert (await office.session("dora")).state is NodeState.LOCKED
    finally:
        await office.close()


async def test_a_second_process_does_not_get_the_ledger(office: Office) -> None:
    await office.all_ready()
    state = office.cluster.members["ana"]
    first, files = state.process, MemberFiles(state.profile.directory)
    settings, address = read_settings(files), files.directory / ADDRESS_FILE
    elsewhere = f"127.0.0.1:{free_port()}"
    moved = msgspec.structs.replace(
        settings, peer_address=f"127.0.0.1:{free_port()}", console_address=elsewhere
    )
    before = await office.ledger("ana")
    kept = address.read_text()
    # This file keeps a second process of one member out; the ledger has a lock of its own.
    (files.directory / MARK_FILE).unlink()
    try:
        write_toml(files.settings, moved)
        address.write_text(f"{elsewhere}\n")
        await office.cluster.start_node("ana")
        second = await connect(state.profile)
        with pytest.raises(CommandRefused) as caught:
            await second.execute(Unlock(SecretBytes(state.pin.encode())))
        await second.close()
        assert caught.value.code == "ledger-unavailable"
    finally:
        await office.cluster.stop_node("ana")
        state.process = first
        write_toml(files.settings, settings)
        address.write_text(kept)
    assert (await office.session("ana")).state is NodeState.READY
    assert before.items() <= (await office.ledger("ana")).items()
