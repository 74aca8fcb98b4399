"""The window always opens: on the members of a home, or on the ways to one."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize

from console.client.set_up import messages as m
from tests.fakes.console import FakeConsole
from tests.fakes.setting_up import FakeSettingUp, draft
from tests.ui.driving import Turning
from ui import object_names
from ui.desk import Desk, Outside
from ui.first_run import names
from ui.first_run.window import FirstRunWindow
from ui.placing import USUAL
from ui.settings import Settings
from ui.theme import ThemeName
from ui.widgets.buttons import Button
from ui.window import ConsoleWindow


def member(home: Path, name: str, text: str = "") -> None:
    """Write a member's profile below a home."""
    (home / name).mkdir(parents=True)
    body = text or f'{{"member": "{name}", "name": "{name.title()}"}}'
    (home / name / "profile.json").write_text(body)
    (home / name / "roster.toml").touch()


class Running(Turning):
    """A desk that runs, with a fake node and a fake set-up process."""

    def __init__(self, app, home: Path) -> None:
        super().__init__(app)
        self.fake, self.console = FakeSettingUp(), FakeConsole()
        self.started: list[tuple[Path, str]] = []
        self.connected: list[Path] = []
        settings = Settings(theme=ThemeName.LIGHT)
        outside = Outside(
            connect=self._connect, set_up_below=lambda _home: self.fake, own_nodes=self._start
        )
        self.desk = Desk(app, home, settings, outside)
        self.ended = asyncio.ensure_future(self.desk.run())
        self.until(lambda: self.desk.window is not None)
        self.desk.window.resize(USUAL)
        self.pass_time(0.05)

    async def _connect(self, profile):
        await asyncio.sleep(0)
        self.connected.append(profile.directory)
        self.console.me = profile.member
        return self.console

    def _start(self, home, profiles, *, only=""):
        self.started += [
            (home, profile.member) for profile in profiles if only in {"", profile.member}
        ]
        return {}

    def first(self) -> FirstRunWindow:
        """Wait for the first run."""
        self.until(lambda: isinstance(self.desk.window, FirstRunWindow))
        self.pass_time(0.05)
        return self.desk.window

    def signed_out(self) -> ConsoleWindow:
        """Wait for a member's sign-in page."""
        self.until(lambda: isinstance(self.desk.window, ConsoleWindow))
        self.pass_time(0.05)
        assert self.desk.window.current_screen == "sign_in"
        return self.desk.window

    def close(self) -> None:
        """Close the window, which ends the desk."""
        if self.desk.window is not None:
            self.desk.window.close()
        self.until(self.ended.done)
        assert self.ended.result() == 0
        self.end(asyncio.sleep(0), None)


@pytest.fixture
def run(qapp, tmp_path):
    running: list[Running] = []

    def start(home: Path = tmp_path) -> Running:
        running.append(Running(qapp, home))
        return running[-1]

    yield start
    running[-1].close()


def test_an_empty_home_opens_the_first_run_even_one_that_does_not_exist(run, tmp_path):
    running = run(tmp_path / "none")
    window = running.first()
    assert window.isVisible()
    assert not window.start.back.isVisible()


def test_a_home_with_members_opens_their_sign_in(run, tmp_path):
    member(tmp_path, "ana")
    window = run().signed_out()
    assert window.member == "ana"


def test_a_member_whose_set_up_is_not_over_is_none_yet(run, tmp_path):
    member(tmp_path, "ana")
    (tmp_path / "ana" / "roster.toml").unlink()
    running = run()
    assert not running.first().start.back.isVisible()
    assert running.started == []


def test_a_damaged_profile_is_said_in_the_window(run, tmp_path):
    member(tmp_path, "ana", "{")
    window = run().first()
    assert "damaged" in window.start.problem.accessibleName()
    assert "not affected" in window.start.problem.accessibleName()


def test_another_member_is_reached_from_sign_in_and_back(run, tmp_path):
    member(tmp_path, "ana")
    running = run()
    window = running.signed_out()
    window.setGeometry(40, 30, 1200, 700)
    window.findChild(Button, object_names.SIGN_IN_ANOTHER).click()
    first = running.first()
    assert first.geometry() == QRect(40, 30, 1200, 700)
    assert first.start.back.isVisible()
    assert not running.ended.done()
    first.findChild(Button, names.START_BACK).click()
    assert running.signed_out().size() == QSize(1200, 700)


def test_a_set_up_that_is_over_starts_the_node_and_opens_its_sign_in(run, tmp_path):
    member(tmp_path, "ana")
    running = run()
    running.signed_out().first_run_wanted.emit()
    first = running.first()
    running.fake.drafts["ben"] = m.Draft(member="ben", name="Ben", purpose=m.Purpose.CREATE)
    first.resume(draft(7))
    running.until(lambda: bool(first.wizard.page.ticks))
    member(tmp_path, "ana-ruiz")
    for tick in first.wizard.page.ticks.values():
        tick.setChecked(True)
    first.wizard.go_on()
    window = running.signed_out()
    assert window.member == "ana-ruiz"
    assert (tmp_path, "ana-ruiz") in running.started
    assert len(window.profiles) == 2


def test_a_folder_with_members_is_opened_and_their_nodes_are_started(run, tmp_path):
    other = tmp_path / "disk"
    member(other, "ben")
    member(other, "chiara")
    running = run()
    running.first().home_chosen.emit(other)
    window = running.signed_out()
    assert {profile.member for profile in window.profiles} == {"ben", "chiara"}
    assert [started for _, started in running.started] == ["ben", "chiara"]
    running.until(lambda: running.connected == [other / "ben"])


def test_a_demonstration_vault_opens_with_its_guide(run, tmp_path):
    member(tmp_path / "trial", "ana")
    running = run()
    running.fake.trial_home = str(tmp_path / "trial")
    running.first().start.trying.click()
    window = running.signed_out()
    assert window.guide.panel.isVisible()
    window.first_run_wanted.emit()
    running.first().back_wanted.emit()
    assert running.signed_out().guide.panel.isVisible()
    assert running.started == []


def test_a_demonstration_is_thrown_away_from_its_guide(run, tmp_path):
    member(tmp_path / "trial", "ana")
    running = run()
    running.fake.trial_home = str(tmp_path / "trial")
    running.first().start.trying.click()
    running.signed_out().guide.throw_away.emit()
    first = running.first()
    assert first.throw_sheet.isVisible()
    assert not first.start.back.isVisible()
    first.throw_sheet.confirm.click()
    running.until(lambda: not first.throw_sheet.isVisible())
    assert not running.fake.trial


def test_a_new_window_is_in_front_before_the_old_one_ends(run, tmp_path):
    member(tmp_path, "ana")
    running = run()
    before = running.signed_out()
    before.first_run_wanted.emit()
    running.first()
    running.pass_time(0.1)
    assert not running.ended.done()
