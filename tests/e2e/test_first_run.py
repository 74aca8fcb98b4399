"""The window from nothing, with the real set-up process, tokens and nodes."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console import client
from console.application.views import NodeState
from console.client import OwnNode, ProcessState
from console.client.set_up import messages as m
from console.client.set_up.process import SetUpProcess
from tests.ui.first_running import FirstRunSteps
from ui import object_names
from ui.app import make_application
from ui.collector import collecting_between_events
from ui.desk import Desk, Outside
from ui.first_run import names
from ui.first_run.guide_steps import current
from ui.first_run.set_up import Step
from ui.first_run.window import FirstRunWindow
from ui.placing import USUAL
from ui.settings import Settings
from ui.theme import ThemeName
from ui.widgets.buttons import ArmedButton
from ui.window import ConsoleWindow

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.hsm,
    pytest.mark.timeout(1200),
    # A node outlives whoever started it, by design.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECRET = "correct horse battery"
PEOPLE = {"ana-ruiz": "Ana Ruiz", "ben-okafor": "Ben Okafor", "chiara-neri": "Chiara Neri"}


class Operator(FirstRunSteps):
    """One operator at one machine: its own home, set-up process and nodes."""

    patience_s = 240.0

    def __init__(self, app: QApplication, home: Path) -> None:
        super().__init__(app)
        self.home = home
        self.nodes: dict[str, OwnNode] = {}
        outside = Outside(
            connect=client.connect, set_up_below=SetUpProcess, own_nodes=self._own_nodes
        )
        self.desk = Desk(app, home, Settings(theme=ThemeName.LIGHT), outside)
        self.ended = asyncio.ensure_future(self.desk.run())
        self.until(lambda: self.desk.window is not None)
        self.window.resize(USUAL)
        if isinstance(self.window, FirstRunWindow):
            self.until(lambda: not self.window.looking.running)

    @property
    def window(self):
        """The window in front."""
        return self.desk.window

    @property
    def console(self) -> ConsoleWindow:
        """A member's window."""
        assert isinstance(self.window, ConsoleWindow)
        return self.window

    def _own_nodes(self, home, profiles, *, only=""):
        del only
        for profile in profiles:
            node = self.nodes[profile.member] = OwnNode(home, profile)
            node.start()
        return self.nodes

    def to_the_invitation(self, name: str, kind: str, port: int) -> m.EntrySeen:
        """Set a member up as far as its entry."""
        self.press(names.START_CREATE)
        self.at(Step.NAME)
        self.type(name)
        self.next(Step.TOKEN)
        self.press(f"{names.TOKENS_LIST}.{kind}")
        self.next(Step.PIN)
        self.page.pin.setText(SECRET)
        self.page.again.setText(SECRET)
        self.next()
        assert self.page.refusal.isHidden()
        self.next(Step.ADDRESS)
        self.page.listen.setText(f"127.0.0.1:{port}")
        self.press(names.ADDRESS_TEST)
        self.until(lambda: self.page.result.mark.look.word == "Works")
        self.next(Step.CHAINS)
        self.next(Step.INVITATION)
        self.until(lambda: self.page.me is not None)
        return self.page.me

    def open_vault(self, files: list[Path]) -> None:
        """Read the others' entries, compare and open the vault."""
        self.page.read("\n".join(path.read_text() for path in files))
        self.next(Step.COMPARISON)
        for tick in self.page.ticks.values():
            tick.setChecked(True)
        self.press(names.WIZARD_NEXT)
        self.until(lambda: isinstance(self.window, ConsoleWindow))

    def sign_in(self, secret: str) -> None:
        """Unlock the node."""
        field = self.find(object_names.SIGN_IN_PIN)
        self.until(field.isEnabled)
        field.setText(secret)
        self.press(object_names.SIGN_IN_UNLOCK)
        self.until(lambda: self.console.current_screen != "sign_in")

    def has(self, name: str) -> bool:
        """Return whether a control is in sight and can be used."""
        found = self.window.findChildren(QWidget, name)
        return any(each.isVisible() and each.isEnabled() for each in found)

    def close(self) -> None:
        """Close the window, and end the nodes that it started."""
        if self.window is not None:
            self.window.close()
        self.until(self.ended.done)
        for member, node in self.nodes.items():
            if node.look().state in {ProcessState.RUNS, ProcessState.STARTS}:
                os.kill(pid_of(self.home / member), signal.SIGTERM)
                self.until(lambda node=node: node.look().state is ProcessState.STOPPED)
        self.end(asyncio.sleep(0), None)


def pid_of(directory: Path) -> int:
    """Return the process that holds a member's mark."""
    inode = (directory / "node.run").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    raise AssertionError("nobody holds the mark")


@pytest.fixture
def app() -> Iterator[QApplication]:
    made = make_application()
    # As the window does: a timer that another thread frees is lost, and what waits for it hangs.
    with collecting_between_events():
        yield made
        gc.collect()


def free_ports(number: int) -> list[int]:
    """Return free ports on loopback."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def test_three_members_create_a_vault_and_sign_in(app, tmp_path):
    """Each begins in an empty home, saves its entry, is closed, and goes on where it was."""
    kinds = ("file", "softhsm", "file")
    entries: dict[str, Path] = {}
    for (member, name), kind, port in zip(PEOPLE.items(), kinds, free_ports(3), strict=True):
        operator = Operator(app, tmp_path / member / "home")
        try:
            entry = operator.to_the_invitation(name, kind, port)
            assert entry.member == member
            entries[member] = tmp_path / f"{member}.json"
            entries[member].write_text(entry.line)
        finally:
            operator.close()
    for member in PEOPLE:
        operator = Operator(app, tmp_path / member / "home")
        try:
            operator.press(f"{names.START_GO_ON}.{member}")
            operator.at(Step.INVITATION)
            operator.open_vault([path for other, path in entries.items() if other != member])
            assert operator.console.member == member
            operator.sign_in(SECRET)
            session = operator.console.link.session
            assert session.state is NodeState.READY
            assert {each.member for each in session.members} == set(PEOPLE)
        finally:
            operator.close()


def test_the_demonstration_leads_to_a_confirmed_payment(app, tmp_path):
    """From an empty home: every step by the guide's own buttons, its ticks by the node."""
    operator = Operator(app, tmp_path / "home")
    try:
        operator.press(names.START_TRY)
        operator.until(lambda: isinstance(operator.window, ConsoleWindow))
        operator.press(names.GUIDE_PIN)
        operator.until(lambda: operator.find(object_names.SIGN_IN_PIN).isEnabled())
        operator.press(names.GUIDE_PIN)
        operator.press(object_names.SIGN_IN_UNLOCK)
        guided(operator, 1)
        operator.press(f"{names.GUIDE_GO}.2")
        operator.until(lambda: operator.has(object_names.CEREMONY_NAME))
        operator.find(object_names.CEREMONY_NAME).setText("Treasury")
        operator.press(object_names.CEREMONY_PROPOSE)
        guided(operator, 2)
        operator.press(f"{names.GUIDE_GO}.3")
        operator.until(lambda: operator.has(object_names.CEREMONY_COMPARED))
        operator.press(object_names.CEREMONY_COMPARED)
        operator.press(object_names.CEREMONY_CONFIRM_CODE)
        guided(operator, 4)
        operator.press(f"{names.GUIDE_GO}.5")
        operator.until(lambda: operator.has(object_names.TRANSFER_TO))
        operator.until(lambda: bool(operator.find(object_names.TRANSFER_AMOUNT).text()))
        operator.press(object_names.TRANSFER_PREVIEW)
        operator.until(lambda: operator.has(object_names.TRANSFER_REQUEST))
        operator.press(object_names.TRANSFER_REQUEST)
        guided(operator, 5)
        operator.until(lambda: at(operator) > 5 or operator.has(object_names.REVIEW_APPROVE))
        if at(operator) == 5 and operator.has(object_names.REVIEW_CHECK_1):
            operator.press(object_names.REVIEW_CHECK_1)
            operator.press(object_names.REVIEW_CHECK_2)
            operator.press(names.GUIDE_PIN)
            operator.until(lambda: at(operator) > 5 or approve(operator).armed)
            if at(operator) == 5:
                operator.press(object_names.REVIEW_APPROVE)
        guided(operator, 7)
        operator.press(names.GUIDE_THROW)
        operator.until(lambda: isinstance(operator.window, FirstRunWindow))
        operator.press(f"{names.THROW_SHEET}.confirm")
        operator.until(lambda: not operator.window.throw_sheet.isVisible())
        assert not (tmp_path / "home" / "demonstration").exists()
    finally:
        gone = asyncio.ensure_future(
            SetUpProcess(tmp_path / "home").ask(m.DiscardTrial(), m.Discarded)
        )
        operator.until(gone.done)
        operator.close()


def approve(operator: Operator) -> ArmedButton:
    """Return the button that approves."""
    button = operator.find(object_names.REVIEW_APPROVE)
    assert isinstance(button, ArmedButton)
    return button


def at(operator: Operator) -> int:
    """Return how many steps of the guide are done, in order."""
    panel = operator.console.guide.panel
    return current(tuple(shown.step for shown in panel.rows))


def guided(operator: Operator, place: int) -> None:
    """Wait until the guide has come to a step."""
    operator.until(lambda: at(operator) >= place)
    operator.pass_time(0.1)
