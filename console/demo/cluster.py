"""A cluster on this machine: a devnet, and members with fresh SoftHSM tokens and nodes."""

import asyncio
import json
import os
import secrets
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.client import Profile, connect
from console.client.remote import RemoteConsole
from console.devnet.tokens import ETHEREUM_DOLLAR, SOLANA_DOLLAR
from console.local_chains import READY as DEVNET_READY
from console.node_process import READY as NODE_READY
from console.provisioning import write_roster
from console.set_up.ports import free_ports
from console.set_up.processes import QUORATE, NotStarted, run, start, stop
from console.set_up.trial_files import PEOPLE
from console.settings import RosterEntry, entry_line

MORE_PEOPLE = (("dora", "Dora Lind"), ("eli", "Eli Sato"))
_PIN_DIGITS = 8
SOURCES = QUORATE
"""The `quorate` command of these sources."""
ClusterFailure = NotStarted
"""A process of the cluster failed; the message names it and quotes its output."""


@dataclass(slots=True)
class ClusterMember:
    """One member of the cluster; `pin` is stored because the demonstration types it."""

    profile: Profile
    pin: str = field(repr=False)
    peer_port: int
    console_port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


@dataclass(slots=True)
class Cluster:
    """The processes that were started, so that exactly these can be stopped."""

    home: Path
    members: dict[str, ClusterMember] = field(default_factory=dict)
    devnet_port: int = 0
    founders: tuple[RosterEntry, ...] = ()
    program: tuple[str, ...] = SOURCES
    """The `quorate` command that sets members up and runs their nodes; the devnet is our own."""
    root: Path = Path("/")
    """What that command takes for the root of the file system; `home` is in it."""
    _devnet: asyncio.subprocess.Process | None = None

    @classmethod
    async def create(
        cls,
        home: Path,
        *,
        people: tuple[tuple[str, str], ...] = PEOPLE,
        tell: Callable[[str], None] = lambda _text: None,
        program: tuple[str, ...] = SOURCES,
        root: Path = Path("/"),
    ) -> "Cluster":
        """Set up the members and start the devnet; no node runs yet. Raises: ClusterFailure."""
        cluster = cls(home, program=program, root=root)
        devnet_port, *ports = free_ports(1 + 2 * len(people))
        cluster.devnet_port = devnet_port
        await cluster._start_devnet()
        entries: list[RosterEntry] = []
        for number, (member, name) in enumerate(people):
            tell(f"Creating the token and the keys of {name}")
            pin = "".join(str(secrets.randbelow(10)) for _ in range(_PIN_DIGITS))
            profile = Profile(member, name, home / member)
            new = ClusterMember(profile, pin, ports[2 * number], ports[2 * number + 1])
            cluster.members[member] = new
            entries.append(await cluster._set_up(new))
        write_roster(home, tuple(entries))
        cluster.founders = tuple(entries)
        return cluster

    async def replace_machine(self, member: str) -> str:
        """Lose a member's machine, with directory and token; set up a new one in its place.

        Returns the new machine's entry line; its node is not started. Raises: ClusterFailure.
        """
        old = self.members[member]
        await self.kill_node(member)
        await asyncio.to_thread(shutil.rmtree, old.profile.directory)
        peer_port, console_port = free_ports(2)
        pin = "".join(str(secrets.randbelow(10)) for _ in range(_PIN_DIGITS))
        new = ClusterMember(old.profile, pin, peer_port, console_port)
        self.members[member] = new
        await self._set_up(new)
        founders = self.home / f"{member}-founders.jsonl"
        founders.write_text("".join(f"{entry_line(entry)}\n" for entry in self.founders))
        command = self._command("join", self._seen(founders), "--member", member)
        return (await run(command, f"{old.profile.name}'s new machine could not join")).strip()

    async def start_node(
        self, member: str, *, fail_at: str = "", fail_token: Path | None = None
    ) -> None:
        """Start a node and wait until it answers. Raises: ClusterFailure."""
        command = self._command("node", "--member", member, "--with-parent", str(os.getpid()))
        if fail_at:
            command += ["--fail-at", fail_at]
        if fail_token:
            command += ["--fail-token", str(fail_token)]
        self.members[member].process = await start(command, NODE_READY)

    async def start_nodes(self) -> None:
        """Start every node that does not run."""
        for member, state in self.members.items():
            if not state.alive:
                await self.start_node(member)

    async def console(self, member: str) -> RemoteConsole:
        """Connect to a member's node."""
        return await connect(self.members[member].profile)

    async def kill_node(self, member: str) -> None:
        """Kill a node, as a power cut would."""
        process = self.members[member].process
        if process and process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def stop_node(self, member: str) -> None:
        """Stop a node in an orderly way."""
        await stop(self.members[member].process)

    async def stop(self) -> None:
        """Stop all processes that were started."""
        for member in self.members:
            await self.stop_node(member)
        await stop(self._devnet)

    def _seen(self, path: Path) -> str:
        """Return a path as the program sees it."""
        return f"/{path.absolute().relative_to(self.root)}"

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [*self.program, name, *arguments, "--home", self._seen(self.home)]

    async def _start_devnet(self) -> None:
        port, parent = str(self.devnet_port), str(os.getpid())
        command = [*SOURCES, "devnet", "--port", port, "--with-parent", parent]
        self._devnet = await start(command, DEVNET_READY)

    async def _set_up(self, new: ClusterMember) -> RosterEntry:
        profile = new.profile
        command = self._command(
            *("init", "--member", profile.member, "--name", profile.name),
            *("--listen", f"127.0.0.1:{new.peer_port}"),
            *("--console", f"127.0.0.1:{new.console_port}"),
            *("--chain", f"solana,devnet,http://127.0.0.1:{self.devnet_port}/solana"),
            *("--chain", f"ethereum,devnet,http://127.0.0.1:{self.devnet_port}/ethereum"),
            *("--chain", f"bitcoin,devnet,http://127.0.0.1:{self.devnet_port}/bitcoin"),
            *("--websocket", f"solana,ws://127.0.0.1:{self.devnet_port}/solana/ws"),
            *("--asset", f"ethereum,{ETHEREUM_DOLLAR},DUSD,6"),
            *("--asset", f"solana,{SOLANA_DOLLAR},SUSD,6"),
        )
        so_pin = "".join(str(secrets.randbelow(10)) for _ in range(_PIN_DIGITS))
        pins = f"{new.pin}\n{so_pin}\n"
        out = await run(command, f"{profile.name} could not be set up", pins)
        return RosterEntry(**json.loads(out))
