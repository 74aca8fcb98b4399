"""The demonstration vault's own file: its members, their PINs and ports, and its supervisor.

The PINs stand in it, for its owner only, because the demonstration types two of them itself. A
member's PIN is in no file anywhere else.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from console import file_lock
from console.client.run_mark import MARK_FILE
from console.domain.ids import MEMBER_PATTERN
from console.sealing.sealed_record import replace_file
from console.settings import SettingsInvalid

FILE, SUPERVISOR_FILE, LOCK_FILE = "demonstration.json", "supervisor.json", "supervisor.lock"
LOG_FILE, CHAINS_FILE = "supervisor.log", "devnet.orders"
PEOPLE = (("ana", "Ana Ruiz"), ("ben", "Ben Okafor"), ("chiara", "Chiara Neri"))
"""The first is whom the window is for; the others are played."""
WARNING = "A demonstration on test chains. Its PINs are here for all to read: keep nothing in it."
_PIN_DIGITS = 8
_MAX_FILE = 16_384
_MOST_LOCKS = 100_000

T = TypeVar("T")
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Digits = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{8}\Z")]
Member = Annotated[str, msgspec.Meta(pattern=MEMBER_PATTERN)]


class TrialDamaged(SettingsInvalid):
    """The demonstration's file is missing or cannot be read."""


class TrialMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of the demonstration."""

    member: Member
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    peer_port: Port
    console_port: Port
    digits: Digits
    """Its PIN."""

    def __repr__(self) -> str:
        """Show the name only."""
        return f"<{self.member} of a demonstration>"


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the demonstration consists of; `whole` once all its members are set up."""

    warning: str
    devnet_port: Port
    members: Annotated[tuple[TrialMember, ...], msgspec.Meta(min_length=2, max_length=8)]
    whole: bool = False


class Running(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A process, so that exactly this one is stopped: numbers are given out again."""

    pid: Annotated[int, msgspec.Meta(ge=2)]
    started: str


@dataclass(frozen=True, slots=True)
class TrialFiles:
    """The files of one demonstration vault. Blocking."""

    home: Path

    @property
    def log(self) -> Path:
        return self.home / LOG_FILE

    @property
    def chains(self) -> Path:
        """What happened on the devnet, so that its chains are the same after a restart."""
        return self.home / CHAINS_FILE

    def record(self) -> TrialRecord:
        """Return what it consists of. Raises: TrialDamaged."""
        return _read(self.home / FILE, TrialRecord)

    def keep(self, record: TrialRecord) -> None:
        """Write the record, for its owner only."""
        replace_file(self.home / FILE, msgspec.json.encode(record))

    def supervisor(self) -> Running | None:
        """Return the running supervisor, None if none runs."""
        try:
            running = _read(self.home / SUPERVISOR_FILE, Running)
        except TrialDamaged:
            return None
        return running if start_of(running.pid) == running.started else None

    @contextlib.contextmanager
    def unsupervised(self) -> Iterator[bool]:
        """Keep a supervisor from starting meanwhile; yield False if one has the demonstration.

        One may hold it that has not said so yet.
        """
        # Without a record there is nothing to supervise, and no file of ours is left there.
        lock = file_lock.take(self.home / LOCK_FILE) if (self.home / FILE).exists() else -1
        try:
            yield lock is not None
        finally:
            if lock not in {None, -1}:
                os.close(lock)

    @contextlib.contextmanager
    def supervised(self) -> Iterator[bool]:
        """Hold the demonstration as its one supervisor; yield False if another one holds it."""
        lock = file_lock.take(self.home / LOCK_FILE)
        if lock is None:
            yield False
            return
        try:
            mine = Running(pid=os.getpid(), started=start_of(os.getpid()))
            replace_file(self.home / SUPERVISOR_FILE, msgspec.json.encode(mine))
            yield True
        finally:
            (self.home / SUPERVISOR_FILE).unlink(missing_ok=True)
            os.close(lock)


def fresh_record(ports: list[int]) -> TrialRecord:
    """Return the record of a new demonstration: `ports` are one, and two for each member."""
    devnet_port, *rest = ports
    return TrialRecord(
        warning=WARNING,
        devnet_port=devnet_port,
        members=tuple(
            TrialMember(
                member=member,
                name=name,
                peer_port=rest[2 * number],
                console_port=rest[2 * number + 1],
                digits=digits(),
            )
            for number, (member, name) in enumerate(PEOPLE)
        ),
    )


def digits() -> str:
    """Return a new PIN."""
    return "".join(str(secrets.randbelow(10)) for _ in range(_PIN_DIGITS))


def start_of(pid: int) -> str:
    """Return when a process started, as the system tells, '' if there is none.

    With the number of this start of the machine: counts begin again with each.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()[:4096]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The name, in parentheses, may hold anything; what follows is split by blanks (proc(5)).
        fields = status[status.rindex(b")") + 2 :].split()
        return "" if fields[0] == b"Z" else f"{boot} {fields[19].decode('ascii')}"
    except (OSError, ValueError, IndexError):
        return ""


def nodes_beside(home: Path) -> tuple[Running, ...]:
    """Return the nodes that run in a demonstration and that its supervisor has not started.

    A window starts a node that it finds dead. The lock on a member's run mark tells whose it is.
    """
    marks = {path.stat().st_ino for path in home.glob(f"*/{MARK_FILE}")}
    try:
        lines = Path("/proc/locks").read_text().splitlines()[:_MOST_LOCKS]
    except OSError:
        return ()
    found: dict[int, Running] = {}
    for line in lines:
        # `1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF` (proc(5)).
        words = line.replace("->", "").split()
        if len(words) < 6 or not words[4].isdigit():
            continue
        pid, inode = int(words[4]), words[5].rpartition(":")[2]
        # Numbers of files are of a file system each: the command line must name the home too.
        if inode.isdigit() and int(inode) in marks and _names(pid, home):
            found[pid] = Running(pid=pid, started=start_of(pid))
    return tuple(found.values())


def _names(pid: int, home: Path) -> bool:
    try:
        return str(home).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _read(path: Path, kind: type[T]) -> T:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            raise TrialDamaged(f"{path} is too large")
        return msgspec.json.decode(data, type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        raise TrialDamaged(f"{path} cannot be read") from None
