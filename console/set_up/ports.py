"""Ports: which ones members of this machine have, and which one is free."""

import contextlib
import secrets
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from console.settings import SETTINGS_FILE, MemberFiles, SettingsInvalid, read_settings
from console.unfinished import JOURNAL_FILE

FIRST_PORT = 7600
_TRIED = 200
_STANDING = range(17_600, 32_000)
"""Where no system takes ports for connections that go out (Linux begins at 32768)."""


def ports_in_use(home: Path, *, but: str = "", set_ups: bool = True) -> frozenset[int]:
    """Return the ports of the members below `home`, running or not, except of member `but`.

    Without `set_ups`, members whose set-up is not over are left out.
    """
    found: set[int] = set()
    for path in home.glob(f"*/{SETTINGS_FILE}"):
        if path.parent.name == but or (not set_ups and path.with_name(JOURNAL_FILE).exists()):
            continue
        # A damaged member is told by its own node.
        with contextlib.suppress(SettingsInvalid, ValueError):
            settings = read_settings(MemberFiles(path.parent))
            for address in (settings.peer_address, settings.console_address):
                found.add(int(address.rpartition(":")[2]))
    return frozenset(found)


def free_port(host: str, taken: Iterable[int], *, first: int = 0) -> int:
    """Return a port at which nothing listens, from `first` on or any; 0 if none was found."""
    avoided = set(taken)
    for number in range(_TRIED):
        wanted = first + number if first else 0
        if wanted in avoided:
            continue
        with contextlib.suppress(OSError), socket.socket() as held:
            held.bind((host, wanted))
            port = int(held.getsockname()[1])
            if port not in avoided:
                return port
    return 0


def standing_ports(count: int, *, avoid: Iterable[int] = ()) -> list[int]:
    """Return free ports on loopback that stay free when nothing uses them for a while.

    Raises: SettingsInvalid if there are fewer.
    """
    found = set(avoid)
    ports: list[int] = []
    for _ in range(_TRIED * count):
        port = secrets.choice(_STANDING)
        if len(ports) < count and port not in found and is_free(port):
            found.add(port)
            ports.append(port)
    if len(ports) < count:
        raise SettingsInvalid(
            f"fewer than {count} ports from {_STANDING.start} to {_STANDING.stop - 1} are free here"
        )
    return ports


def is_free(port: int) -> bool:
    """Return whether a server could listen at a port of loopback."""
    with contextlib.suppress(OSError), socket.socket() as held:
        if sys.platform != "win32":  # There it would take a port that is in use.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.listen(1)
        return True
    return False


def free_ports(count: int) -> list[int]:
    """Return free ports on loopback, all held until the last is known."""
    held = [socket.socket() for _ in range(count)]
    try:
        for sock in held:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()


def port_answers(port: int) -> bool:
    """Return whether something listens at a port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
