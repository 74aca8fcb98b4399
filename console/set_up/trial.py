"""The demonstration vault: three members on SoftHSM and a devnet, kept until it is discarded."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from console.client.set_up import messages as m
from console.hardening import die_with_parent
from console.local_chains import local_chains_installed
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, set_up_member, write_roster
from console.set_up.ports import standing_ports
from console.set_up.processes import QUORATE
from console.set_up.refusing import NotDone
from console.set_up.tokens import softhsm_is_here
from console.set_up.trial_answers import all_answer
from console.set_up.trial_files import (
    FILE,
    PEOPLE,
    Running,
    TrialDamaged,
    TrialFiles,
    TrialMember,
    digits,
    fresh_record,
    nodes_beside,
    start_of,
)
from console.set_up.trial_ports import chains_at, taken_ports, with_others, write_ports
from console.settings import (
    ROSTER_FILE,
    SETTINGS_FILE,
    ChainEntry,
    MemberFiles,
    read_entries,
)
from console.unfinished import JOURNAL_FILE, TRIAL_FOLDER, find_softhsm, set_up_held

STOP_S = 30.0
_LOOK_S = 0.2
_WHOSE = "the demonstration vault"
_STEPS = len(PEOPLE) + 2

Tell = Callable[[m.Answer], None]


def is_there(home: Path) -> bool:
    """Return whether a demonstration vault is below `home`, also one that was never whole."""
    files = TrialFiles(home / TRIAL_FOLDER)
    with suppress(NotDone, OSError):
        _require_ours(files)
        return files.home.exists()
    return False


def is_kept(home: Path) -> bool:
    """Return whether a whole demonstration vault is kept below `home`."""
    with suppress(TrialDamaged):
        return TrialFiles(home / TRIAL_FOLDER).record().whole
    return False


def not_possible_because() -> str:
    """Return why no demonstration vault can be made here, or ''."""
    if not local_chains_installed():
        return (
            "The local chains, on which a demonstration pays, are not part of this installation. "
            "They are in the sources."
        )
    if not softhsm_is_here():
        return "SoftHSM, which holds a demonstration's keys, is not installed (softhsm2)."
    return ""


def make(home: Path, tell: Tell) -> m.TrialReady:
    """Make the demonstration vault, or start the one that is kept. Blocking.

    Raises: NotDone, and what a set-up raises.
    """
    if problem := not_possible_because():
        raise NotDone("no-demonstration", problem, "Nothing was changed.", "Create a vault.")
    files = TrialFiles(home / TRIAL_FOLDER)
    with set_up_held(files.home, _WHOSE):
        _require_ours(files)
        if not is_kept(home):
            _remove(files)
            set_up_all(files, tell)
        if files.supervisor() is None:
            _tell(tell, len(PEOPLE), "Starting the test chains and the three nodes")
            have_free_ports(files)
            _start_supervisor(files)
        record = files.record()
        _tell(tell, len(PEOPLE) + 1, "Waiting for the three nodes to answer")
        asyncio.run(all_answer(files, record))
    first = record.members[0]
    return m.TrialReady(home=str(files.home), member=first.member, pin=first.digits)


def discard(home: Path) -> m.Discarded:
    """Stop the demonstration vault and remove it. Blocking. Raises: NotDone."""
    files = TrialFiles(home / TRIAL_FOLDER)
    with set_up_held(files.home, _WHOSE):
        _remove(files)
    return m.Discarded()


def have_free_ports(files: TrialFiles) -> None:
    """Give what does not run yet other ports, where another program has taken one."""
    with files.unsupervised() as still:
        if not still:
            return  # A supervisor is starting, with the ports that are written.
        record = files.record()
        taken = taken_ports(files.home, record)
        if taken:
            # A node that a window started would not learn of the others' new ports.
            for node in nodes_beside(files.home):
                _stopped(node)
            # The record first: what a crash leaves behind it is written at the next start.
            files.keep(with_others(record, taken))
        write_ports(files, files.record())


def set_up_all(files: TrialFiles, tell: Tell) -> None:
    """Set all members up, at once; the record says at the end that it is whole."""
    files.home.mkdir(parents=True, mode=0o700)
    record = fresh_record(standing_ports(1 + 2 * len(PEOPLE)))
    files.keep(record)
    chains = chains_at(record.devnet_port)
    # A process each: SoftHSM reads where its tokens are once. Forked before any library is loaded.
    context = multiprocessing.get_context("fork")
    working = [
        context.Process(target=_set_up_member, args=(files.home, member, chains, os.getpid()))
        for member in record.members
    ]
    _tell(tell, 0, "Making the tokens and keys of the three members")
    for process in working:
        process.start()
    for number, process in enumerate(working):
        process.join()
        _tell(tell, number + 1, f"{PEOPLE[number][1]} is set up")
    if any(process.exitcode for process in working):
        _remove(files)
        raise NotDone(
            "demonstration-failed",
            "A member of the demonstration could not be set up.",
            "Nothing is left of it.",
            "Check that the disk is not full, then try again.",
        )
    entries = [read_entries(MemberFiles(files.home / each.member).entry) for each in record.members]
    write_roster(files.home, tuple(entry for (entry,) in entries))
    files.keep(msgspec.structs.replace(record, whole=True))


def _set_up_member(
    home: Path, member: TrialMember, chains: tuple[ChainEntry, ...], parent: int
) -> None:
    # Ended alone, it would write on where another demonstration is made meanwhile.
    die_with_parent(parent)
    new = NewMember(
        member=member.member,
        name=member.name,
        peer_address=f"127.0.0.1:{member.peer_port}",
        console_address=f"127.0.0.1:{member.console_port}",
        module=str(find_softhsm()),
        token=f"quorate-{member.member}",
        fresh_softhsm=True,
        chains=chains,
    )
    set_up_member(home, new, _secret(member.digits), _secret(digits()))


def _start_supervisor(files: TrialFiles) -> None:
    """Start the demonstration's own process, which outlives the window and this one."""
    subprocess.Popen(  # noqa: S603  this very program
        [*QUORATE, "trial", "--home", str(files.home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _remove(files: TrialFiles) -> None:
    """Stop what runs and remove the folder. Raises: NotDone if it does not stop, or is not ours."""
    _require_ours(files)
    running = files.supervisor()
    stopped = running is None or _stopped(running)
    if not stopped or not all(_stopped(node) for node in nodes_beside(files.home)):
        raise _runs_on()
    if not files.home.exists():
        return
    with files.unsupervised() as still:
        if not still:
            raise _runs_on()
        _remove_files(files)


def _runs_on() -> NotDone:
    return NotDone(
        "demonstration-runs-on",
        "The demonstration could not be stopped.",
        "Nothing was removed.",
        "Try again.",
    )


def _remove_files(files: TrialFiles) -> None:
    # The record goes last: it says whose the rest is, if this ends in the middle.
    for path in files.home.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != FILE:
            path.unlink()
    shutil.rmtree(files.home)


def _require_ours(files: TrialFiles) -> None:
    """Refuse a folder that no demonstration made, or that is a member's. Raises: NotDone.

    The record is what a demonstration writes first: a crash before it leaves nothing but its
    temporary file.
    """
    home = files.home
    if not os.path.lexists(home):
        return
    if home.is_dir() and not home.is_symlink():
        names = {path.name for path in home.iterdir()}
        if all(name.startswith(f"{FILE}.") and name.endswith(".tmp") for name in names):
            return
        if not names & {SETTINGS_FILE, ROSTER_FILE, JOURNAL_FILE}:
            with suppress(TrialDamaged):
                files.record()
                return
    raise NotDone(
        "demonstration-not-ours",
        f"{home} was not made by a demonstration, or its record cannot be read.",
        "It was not touched.",
        "Move it to another place, then try again.",
    )


def _stopped(running: Running) -> bool:
    """Stop a process, told by number and start; its own children end with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if start_of(running.pid) != running.started:
            return True
        with suppress(ProcessLookupError):
            os.kill(running.pid, number)
        until_s = time.monotonic() + STOP_S
        while time.monotonic() < until_s:
            if start_of(running.pid) != running.started:
                return True
            time.sleep(_LOOK_S)
    return False


def _secret(text: str) -> SecretBytes:
    return SecretBytes(bytearray(text.encode()))


def _tell(tell: Tell, done: int, text: str) -> None:
    tell(m.Progress(done=done, total=_STEPS, text=text))
