"""Two real nodes: an ended certificate, a new TLS key and a new address, and both still talk."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.adapters.network.anchors import renewed
from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.tls import load_identity, write_anew
from console.application.api import Console, GetRecovery
from console.application.commands import Unlock
from console.application.views import LinkView
from console.client import Profile, connect
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from tests.e2e.steps import until

pytestmark = pytest.mark.e2e

PASSPHRASE = "correct horse battery staple"
TWO = ("ana", "ben")
Seen = dict[str, dict[str, LinkView]]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Vault:
    """Ana's and Ben's directories, their nodes, and a window's connection to each."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.nodes: dict[str, subprocess.Popen[str]] = {}
        self.windows: dict[str, Console] = {}
        self.peer_ports = {member: free_port() for member in TWO}
        entries = home / "entries.jsonl"
        entries.write_text("".join(map(self._init, TWO)))
        self.quorate("roster", str(entries))

    def _init(self, member: str) -> str:
        return self.quorate(
            *("init", "--member", member, "--name", member.title(), "--module", "file"),
            *("--listen", f"127.0.0.1:{self.peer_ports[member]}"),
            *("--console", f"127.0.0.1:{free_port()}"),
        )

    def quorate(self, *arguments: str) -> str:
        outcome = subprocess.run(
            [sys.executable, "-m", "console.cli", *arguments, "--home", str(self.home)],
            input=f"{PASSPHRASE}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    def _run(self, member: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "console.cli", "node", "--member", member]
        return subprocess.Popen(
            [*command, "--home", str(self.home)], stdout=subprocess.PIPE, text=True
        )

    async def start(self) -> None:
        for member in TWO:
            node = self.nodes[member] = self._run(member)
            assert node.stdout is not None
            assert "ready" in await asyncio.to_thread(node.stdout.readline)
            self.windows[member] = await connect(Profile(member, member, self.home / member))
            await self.windows[member].execute(Unlock(SecretBytes(PASSPHRASE.encode())))

    async def stop(self) -> None:
        for window in self.windows.values():
            await window.close()
        for node in self.nodes.values():
            node.terminate()
            node.wait()
            assert node.stdout is not None
            node.stdout.close()
        self.windows.clear()
        self.nodes.clear()

    async def until(self, what: str, happened: Callable[[Seen], bool]) -> None:
        async def look() -> bool:
            return happened(
                {
                    name: {link.member: link for link in (await window.ask(GetRecovery())).links}
                    for name, window in self.windows.items()
                }
            )

        await until(what, look)


def linked(seen: Seen) -> bool:
    return seen["ana"]["ben"].online and seen["ben"]["ana"].online


async def test_two_nodes_find_each_other_after_every_change(tmp_path: Path) -> None:
    vault = await asyncio.to_thread(Vault, tmp_path)
    tls = tmp_path / "ben" / "tls"
    over = renewed(load_identity(tls, "peer"), tls_name(MemberId("ben")), days=-1)
    write_anew(tls / "peer.crt", over.certificate_pem)
    try:
        await vault.start()
        await vault.until("Ben's node has renewed its certificate", linked)
        await asyncio.to_thread(vault.quorate, "link-key", "--member", "ben")
        await vault.until(
            "the old key is destroyed",
            lambda seen: not seen["ben"]["ben"].new_key and not (tls / "peer.key").exists(),
        )
        await vault.until("they talk with the new key", linked)
        port = free_port()
        settings = tmp_path / "ben" / "member.toml"
        listening = f"127.0.0.1:{vault.peer_ports['ben']}"
        settings.write_text(settings.read_text().replace(listening, f"127.0.0.1:{port}"))
        await asyncio.to_thread(vault.quorate, "address", f"127.0.0.1:{port}", "--member", "ben")
        await vault.until(
            "Ana knows", lambda seen: seen["ana"]["ben"].address == f"127.0.0.1:{port}"
        )
        await vault.stop()
        await vault.start()
        await vault.until("they talk at the new address", linked)
        printed = await asyncio.to_thread(vault.quorate, "machines", "--member", "ana")
        assert f"ben  127.0.0.1:{port}  online" in printed
    finally:
        await vault.stop()
