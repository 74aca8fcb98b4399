"""A demonstration keeps its ports, and gets others where another program has taken one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.client.run_mark import RunMark
from console.provisioning import write_roster
from console.set_up import ports, trial
from console.set_up.refusing import NotDone
from console.set_up.trial_files import LOCK_FILE, TrialFiles, TrialRecord, fresh_record
from console.set_up.trial_ports import chains_at, taken_ports, with_others, write_ports
from console.settings import (
    MemberFiles,
    SettingsInvalid,
    read_entries,
    read_roster,
    read_settings,
    write_toml,
)
from tests.unit.set_up.test_exchange import draft, finished, keys_made


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


@pytest.fixture
def made(tmp_path: Path) -> TrialFiles:
    """Return a demonstration with files for keys."""
    home = tmp_path / "demonstration"
    home.mkdir()
    files = TrialFiles(home)
    record = fresh_record(ports.standing_ports(7))
    files.keep(record)
    entries = []
    for number, each in enumerate(record.members):
        keys_made(home, each.member, b"\x04" + bytes([number]) * 64)
        finished(home, draft(each.member))
        entries += read_entries(MemberFiles(home / each.member).entry)
    write_roster(home, tuple(entries))
    write_ports(files, record)
    return files


def require_said(files: TrialFiles, record: TrialRecord) -> None:
    at = {each.member: f"127.0.0.1:{each.peer_port}" for each in record.members}
    for each in record.members:
        of = MemberFiles(files.home / each.member)
        settings = read_settings(of)
        console = f"127.0.0.1:{each.console_port}"
        assert settings.peer_address == at[each.member]
        assert settings.console_address == console
        assert (of.directory / "console.address").read_text().strip() == console
        assert {entry.member: entry.address for entry in read_roster(of).members} == at
        assert read_entries(of.entry)[0].address == at[each.member]


def state(files: TrialFiles) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_ino, path.read_bytes())
        for path in files.home.rglob("*")
        if path.is_file() and path.name != LOCK_FILE
    }


def test_ports_that_are_free_are_kept(made: TrialFiles) -> None:
    before = state(made)
    trial.have_free_ports(made)
    assert state(made) == before


@pytest.mark.parametrize("which", range(7))
def test_a_port_that_is_taken_is_replaced_and_no_other(made: TrialFiles, which: int) -> None:
    record = made.record()
    known = numbers(record)
    of = MemberFiles(made.home / "ana")
    identities = [entry.identity_key for entry in read_roster(of).members]
    with listening(known[which]):
        trial.have_free_ports(made)
    moved = numbers(made.record())
    assert moved[which] != known[which]
    assert [a for at, a in enumerate(moved) if at != which] == [
        a for at, a in enumerate(known) if at != which
    ]
    assert len(set(moved)) == 7
    require_said(made, made.record())
    roster = read_roster(of).members
    assert [entry.identity_key for entry in roster] == identities
    # They stay for the starts that follow.
    before = state(made)
    trial.have_free_ports(made)
    assert state(made) == before


def test_while_a_supervisor_starts_its_ports_stay_and_nothing_is_removed(
    made: TrialFiles,
) -> None:
    home = made.home
    with made.unsupervised() as still, listening(made.record().devnet_port):
        assert still
        before = state(made)
        trial.have_free_ports(made)
        with pytest.raises(NotDone) as refused:
            trial.discard(home.parent)
        assert refused.value.refused.code == "demonstration-runs-on"
        assert state(made) == before
    trial.discard(home.parent)
    assert not home.exists()


def test_what_a_crash_left_is_written_at_the_next_start(made: TrialFiles) -> None:
    record = with_others(made.record(), numbers(made.record()))
    made.keep(record)
    trial.have_free_ports(made)
    assert made.record() == record
    require_said(made, record)


def test_chains_of_the_devnet_move_with_it(made: TrialFiles) -> None:
    of = MemberFiles(made.home / "ana")
    old, new = chains_at(17_601), chains_at(17_602)
    write_toml(of.settings, replace(read_settings(of), chains=old))
    write_ports(made, replace(made.record(), devnet_port=17_602))
    assert read_settings(of).chains == new


def test_a_node_that_runs_has_its_own_ports(made: TrialFiles) -> None:
    record = made.record()
    first = record.members[0]
    with listening(first.peer_port), listening(first.console_port):
        assert taken_ports(made.home, record) == {first.peer_port, first.console_port}
        with RunMark(made.home / first.member).held():
            assert taken_ports(made.home, record) == set()


def test_ports_are_not_those_of_connections_that_go_out() -> None:
    found = ports.standing_ports(40, avoid=range(17_600, 25_000))
    assert len(set(found)) == 40
    assert all(25_000 <= port < 32_000 for port in found)


def test_a_machine_without_free_ports_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: False)
    with pytest.raises(SettingsInvalid, match="are free"):
        ports.standing_ports(1)


def numbers(record: TrialRecord) -> list[int]:
    of_members = [port for each in record.members for port in (each.peer_port, each.console_port)]
    return [record.devnet_port, *of_members]
