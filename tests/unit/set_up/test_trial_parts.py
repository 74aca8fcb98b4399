"""Parts of the demonstration: what its players agree to, what is started again, whom it stops."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    ConfirmCeremonyCode,
    FundFromFaucet,
    Unlock,
)
from console.application.views import CeremonyStage, NodeState, RequestStage, TokenView
from console.client import Profile
from console.set_up import trial_supervisor
from console.set_up.processes import NotStarted
from console.set_up.trial_files import (
    Running,
    TrialDamaged,
    TrialFiles,
    TrialRecord,
    fresh_record,
    nodes_beside,
    start_of,
)
from console.set_up.trial_players import Player
from console.set_up.trial_supervisor import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    MOST_FAILURES,
    Kept,
    stop_when_removed,
)
from tests.fakes import scenario
from tests.fakes.console import PIN, FakeConsole

FIRST, OWN = Profile("ben", "Ben", Path("ben")), Profile("ana", "Ana", Path("ana"))
WAITING = scenario.request_name(RequestStage.AWAITING_APPROVAL)
COMPARING = scenario.ceremony_name(CeremonyStage.COMPARING)
SAFE = replace(scenario.description(), red_flags=())


@pytest.fixture
def own() -> FakeConsole:
    console = FakeConsole().unlocked()
    console.ceremonies = {}
    console.inbox = replace(console.inbox, rows=())
    return console


@pytest.fixture
def first() -> FakeConsole:
    return FakeConsole().unlocked()


def player(**changes: bool) -> Player:
    return Player(OWN, PIN.decode(), FIRST, **changes)


def asked(console: FakeConsole, **changes: object) -> None:
    """Let a request wait at a node."""
    rows = [row for row in scenario.inbox().rows if row.request == WAITING]
    console.inbox = replace(console.inbox, rows=tuple(rows))
    request = replace(scenario.request(), description=SAFE, can_approve=True)
    console.requests[WAITING] = replace(request, **changes)


async def test_a_locked_node_is_unlocked(own: FakeConsole, first: FakeConsole) -> None:
    own.session = scenario.session(NodeState.LOCKED, "ana")
    await player().play_once(own, first)
    assert isinstance(own.executed[0], Unlock)
    assert own.pins == [PIN]


async def test_what_the_first_member_asks_is_approved(own: FakeConsole, first: FakeConsole) -> None:
    asked(own)
    asked(first)
    await player().play_once(own, first)
    (command,) = own.executed
    assert isinstance(command, ApproveRequest)
    assert (command.request, command.digest) == (WAITING, own.requests[WAITING].intent_digest)


@pytest.mark.parametrize(
    "changes",
    [
        {"intent_digest": "00" * 32},
        {"description": replace(SAFE, amount="999")},
        {"description": replace(SAFE, to_address="elsewhere")},
        {"short_code": "0000-0000"},
    ],
)
async def test_what_the_first_member_does_not_show_is_not_approved(
    own: FakeConsole, first: FakeConsole, changes: dict[str, object]
) -> None:
    asked(own)
    asked(first, **changes)
    await player().play_once(own, first)
    assert own.executed == []


@pytest.mark.parametrize(
    "changes",
    [
        {"proposer": "chiara"},
        {"description": replace(SAFE, red_flags=("It empties the account.",))},
        {"can_approve": False},
    ],
)
async def test_what_is_not_of_the_first_member_or_dangerous_is_not_approved(
    own: FakeConsole, first: FakeConsole, changes: dict[str, object]
) -> None:
    asked(own, **changes)
    asked(first, **changes)
    await player().play_once(own, first)
    assert own.executed == []


async def test_a_code_is_confirmed_if_it_is_the_same(own: FakeConsole, first: FakeConsole) -> None:
    view = scenario.ceremony(CeremonyStage.COMPARING)
    own.ceremonies = {COMPARING: view}
    first.ceremonies = {COMPARING: replace(view, code="another code")}
    await player().play_once(own, first)
    assert own.executed == []
    first.ceremonies = {}
    await player().play_once(own, first)
    assert own.executed == []
    first.ceremonies = {COMPARING: view}
    await player().play_once(own, first)
    assert own.executed == [ConfirmCeremonyCode(COMPARING, view.code)]


async def test_only_the_first_members_ceremony_is_accepted(
    own: FakeConsole, first: FakeConsole
) -> None:
    view = scenario.ceremony(CeremonyStage.AWAITING_ACCEPTANCE)
    own.ceremonies = {view.ceremony: replace(view, proposer="chiara")}
    await player().play_once(own, first)
    assert own.executed == []
    own.ceremonies = {view.ceremony: view}
    await player().play_once(own, first)
    assert own.executed == [AcceptCeremony(view.ceremony)]


async def test_empty_accounts_are_funded_once(own: FakeConsole, first: FakeConsole) -> None:
    wallet = scenario.wallet()
    (account, *_) = wallet.accounts
    token = TokenView(address="mint", unit="SUSD", decimals=6, balance="0", balance_base_units="0")
    empty = replace(account, balance_base_units="0", balance_as_of_ms=1, tokens=(token,))
    unknown = replace(account, balance_base_units="", balance_as_of_ms=None, path="m/1", tokens=())
    full = replace(account, balance_base_units="7", balance_as_of_ms=1, path="m/2", tokens=())
    own.wallets = {wallet.wallet: replace(wallet, accounts=(empty, unknown, full))}
    await player().play_once(own, first)
    assert own.executed == []
    funding = player(funds=True)
    await funding.play_once(own, first)
    await funding.play_once(own, first)
    gifts = [each for each in own.executed if isinstance(each, FundFromFaucet)]
    assert [(gift.account, gift.asset) for gift in gifts] == [
        (account.path, ""),
        (account.path, "mint"),
    ]
    assert gifts[1].base_units == 5 * 10**6


class Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def kept(clock: Clock) -> Kept:
    return Kept("node", ["node"], "ready", 1, sleep=clock.sleep, now_s=lambda: clock.now_s)


async def test_a_process_that_never_starts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    async def start(*_: object) -> None:
        raise NotStarted("no")

    monkeypatch.setattr(trial_supervisor, "start", start)
    with pytest.raises(NotStarted, match=f"{MOST_FAILURES} times"):
        await kept(clock).run()
    assert clock.slept[0] == FIRST_WAIT_S
    assert max(clock.slept) == LONGEST_WAIT_S
    assert clock.slept == sorted(clock.slept)


async def test_a_process_that_ran_long_is_started_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, lives = Clock(), []

    async def start(*_: object) -> str:
        lives.append(clock.now_s)
        if len(lives) > 30:
            raise RuntimeError("enough")
        return "a process"

    async def ended(_process: str) -> int:
        clock.now_s += 100
        return 0

    async def stop(_process: object) -> None:
        pass

    for name, replaced in (("start", start), ("ended", ended), ("stop", stop)):
        monkeypatch.setattr(trial_supervisor, name, replaced)
    with pytest.raises(RuntimeError):
        await kept(clock).run()
    assert set(clock.slept) == {FIRST_WAIT_S}


async def test_a_node_that_somebody_else_started_is_let_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, answers = Clock(), [True, True, False]

    async def start(*_: object) -> None:
        raise RuntimeError("started")

    monkeypatch.setattr(trial_supervisor, "port_answers", lambda _port: answers.pop(0))
    monkeypatch.setattr(trial_supervisor, "start", start)
    with pytest.raises(RuntimeError):
        await kept(clock).run()
    assert answers == []


def test_a_record_comes_back_and_shows_no_pin(tmp_path: Path) -> None:
    record = fresh_record(list(range(1000, 1007)))
    files = TrialFiles(tmp_path)
    files.keep(record)
    assert files.record() == record
    assert len({member.digits for member in record.members}) == 3
    assert not any(member.digits in repr(record) for member in record.members)


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b"\xff", b"[]", b" " * 20_000])
def test_a_damaged_record_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "demonstration.json").write_bytes(content)
    with pytest.raises(TrialDamaged):
        TrialFiles(tmp_path).record()
    (tmp_path / "supervisor.json").write_bytes(content)
    assert TrialFiles(tmp_path).supervisor() is None


@pytest.mark.parametrize(
    "change",
    [
        {"devnet_port": 0},
        {"devnet_port": 70_000},
        {"members": []},
        {"more": 1},
    ],
)
def test_a_record_is_read_strictly(tmp_path: Path, change: dict[str, object]) -> None:
    files = TrialFiles(tmp_path)
    files.keep(fresh_record(list(range(1000, 1007))))
    path = tmp_path / "demonstration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(TrialDamaged):
        files.record()
    assert isinstance(fresh_record(list(range(1000, 1007))), TrialRecord)


def test_a_process_is_told_by_its_start_not_by_its_number(tmp_path: Path) -> None:
    files = TrialFiles(tmp_path)
    with files.supervised() as mine:
        assert mine
        running = files.supervisor()
        assert running is not None
        assert running.pid == os.getpid()
        other = Running(pid=running.pid, started="another start")
        (tmp_path / "supervisor.json").write_bytes(
            json.dumps({"pid": other.pid, "started": other.started}).encode()
        )
        assert files.supervisor() is None
    assert not (tmp_path / "supervisor.json").exists()


def test_a_demonstration_has_one_supervisor(tmp_path: Path) -> None:
    with TrialFiles(tmp_path).supervised() as mine, TrialFiles(tmp_path).supervised() as second:
        assert mine
        assert not second
        assert TrialFiles(tmp_path).supervisor() is not None


def test_a_process_that_is_gone_has_no_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert start_of(child.pid)
        child.kill()
    assert start_of(child.pid) == ""


HOLDER = (
    "import sys; from pathlib import Path; from console.client.run_mark import RunMark\n"
    "with RunMark(Path(sys.argv[1])).held(): print('held', flush=True); input()"
)


@pytest.mark.parametrize("names_home", [True, False])
def test_a_node_beside_is_told_by_its_lock_and_its_home(tmp_path: Path, names_home: bool) -> None:
    home = tmp_path / "home"
    (home / "ana").mkdir(parents=True)
    assert nodes_beside(home) == ()
    arguments = [str(home / "ana"), *([str(home)] if names_home else [])]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as node:
        assert node.stdout is not None
        assert node.stdout.readline() == b"held\n"
        found = [each.pid for each in nodes_beside(home)]
        assert found == ([node.pid] if names_home else [])
        node.kill()
    assert nodes_beside(home) == ()


async def test_a_demonstration_whose_folder_is_removed_ends(tmp_path: Path) -> None:
    home, stopping = tmp_path / "home", asyncio.Event()
    home.mkdir()
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(stop_when_removed(home, stopping, look_s=0.01))
        await asyncio.sleep(0.05)
        assert not stopping.is_set()
        home.rmdir()
        await stopping.wait()
