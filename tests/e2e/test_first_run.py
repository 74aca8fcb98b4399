"""The window from nothing, with the real set-up process, tokens and nodes."""

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.application.views import NodeState
from console.client.set_up import messages as m
from console.client.set_up.process import SetUpProcess
from tests.e2e.operators import SECRET, Operator, free_ports
from ui import files, object_names
from ui.app import make_application
from ui.collector import collecting_between_events
from ui.first_run import names
from ui.first_run.guide_steps import current
from ui.first_run.set_up import Step
from ui.first_run.window import FirstRunWindow
from ui.widgets.buttons import ArmedButton
from ui.window import ConsoleWindow

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.hsm,
    pytest.mark.timeout(1200),
    # A node outlives whoever started it, by design.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PEOPLE = {"ana-ruiz": "Ana Ruiz", "ben-okafor": "Ben Okafor", "chiara-neri": "Chiara Neri"}
DARA = "dara-lev"


@pytest.fixture
def app() -> Iterator[QApplication]:
    made = make_application()
    # As the window does: a timer that another thread frees is lost, and what waits for it hangs.
    with collecting_between_events():
        yield made
        gc.collect()


class Exchange:
    """Four people at four machines: only files go from one home to another."""

    def __init__(self, app: QApplication, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.folder, self._patch = app, folder, monkeypatch
        self.operators: list[Operator] = []
        self.founders = folder / "founders.json"

    def sits_down(self, member: str) -> Operator:
        """Open the window of a member's home."""
        self.operators.append(Operator(self.app, self.folder / member / "home"))
        return self.operators[-1]

    def entry(self, member: str) -> Path:
        """Return the file of a member's entry."""
        return self.folder / f"{member}.json"

    def saves(self, operator: Operator, button: str, target: Path) -> None:
        """Save a file by a button."""
        self._patch.setattr(files, "choose_target", lambda *_: target)
        operator.press(button)
        assert target.is_file()

    def opens(self, operator: Operator, button: str, *chosen: Path) -> None:
        """Open files by a button."""
        self._patch.setattr(files, "choose_file", lambda *_: chosen[0])
        self._patch.setattr(files, "choose_files", lambda *_: list(chosen))
        operator.press(button)

    def begins(self, member: str, name: str, kind: str, port: int) -> None:
        """Set a founder up as far as its entry, and close the window."""
        operator = self.sits_down(member)
        assert operator.to_the_invitation(name, kind, port).member == member
        self.saves(operator, names.INVITATION_SAVE, self.entry(member))
        operator.close()

    def opens_the_vault(self, member: str) -> None:
        """Go on with the others' files, compare, sign in, and hand the founders' entries on."""
        operator = self.sits_down(member)
        operator.press(f"{names.START_GO_ON}.{member}")
        operator.at(Step.INVITATION)
        others = [self.entry(other) for other in PEOPLE if other != member]
        self.opens(operator, names.INVITATION_FILES, *others)
        operator.compare()
        assert operator.console.member == member
        operator.sign_in(SECRET)
        session = operator.console.link.session
        assert session.state is NodeState.READY
        assert {each.member for each in session.members} == set(PEOPLE)
        if not self.founders.exists():
            operator.show("recovery", "machines")
            operator.press(object_names.MACHINES_FOUNDERS)
            self.saves(operator, f"{object_names.FOUNDERS_PANEL}.save", self.founders)
        operator.close(nodes_go_on=True)

    def joins(self, member: str, name: str, port: int) -> str:
        """Join with the founders' file; return the code that is read out."""
        operator = self.sits_down(member)
        operator.to_the_invitation(name, "file", port, names.START_JOIN)
        self.opens(operator, names.INVITATION_FILES, self.founders)
        operator.until(lambda: len(operator.page.others) == len(PEOPLE))
        self.saves(operator, names.INVITATION_SAVE, self.entry(member))
        code = operator.page.me.code
        operator.compare()
        operator.sign_in(SECRET)
        operator.close(nodes_go_on=True)
        return str(code)

    def endorses(self, member: str, code: str, file: Path | None = None) -> None:
        """Endorse the new machine: by its file, or as another founder has brought it."""
        operator = self.sits_down(member)
        screen = operator.show("recovery", "machines")
        name, shown = object_names.MACHINE_ENDORSE, screen.machines.facts
        if file is not None:
            operator.press(object_names.MACHINES_ADD)
            panel = object_names.MACHINE_ENTRY_PANEL
            self.opens(operator, f"{panel}.file", file)
            name, shown = f"{panel}.endorse", screen.entry_panel.facts
        operator.until(lambda: operator.has(f"{name}.compared"))
        assert shown.code.text() == code
        operator.press(f"{name}.compared")
        operator.find(f"{name}.pin").setText(SECRET)
        operator.press(f"{name}.approve")
        operator.until(lambda: bool(screen.model.view.machines))
        operator.until(lambda: not screen.model.view.machines[0].can_approve)
        operator.close(nodes_go_on=True)


def test_three_members_create_a_vault_and_a_fourth_joins_it(app, tmp_path, monkeypatch):
    """Each begins in an empty home and is closed in between; their nodes go on."""
    office = Exchange(app, tmp_path, monkeypatch)
    kinds, ports = ("file", "softhsm", "file"), free_ports(4)
    try:
        for (member, name), kind, port in zip(PEOPLE.items(), kinds, ports[1:], strict=True):
            office.begins(member, name, kind, port)
        for member in PEOPLE:
            office.opens_the_vault(member)
        code = office.joins(DARA, "Dara Lev", ports[0])
        ana, ben, chiara = PEOPLE
        office.endorses(ana, code, office.entry(DARA))
        office.endorses(ben, code)

        dara = office.sits_down(DARA)
        dara.until(lambda: all(sees_online(dara, each) for each in PEOPLE))
        dara.close(nodes_go_on=True)
        founder = office.sits_down(chiara)
        founder.until(lambda: sees_online(founder, DARA))
        screen = founder.show("recovery", "machines")
        shown = [(each.member, each.admitted) for each in screen.model.view.machines]
        assert shown == [(DARA, True)]
        assert "Dara Lev" in screen.machines.links.lines[DARA].title.text()
        assert {each.member for each in screen.model.view.members} == {*PEOPLE, DARA}
    finally:
        for operator in office.operators:
            operator.close()
            operator.end_nodes()


def sees_online(operator: Operator, member: str) -> bool:
    """Return whether the window shows a member's machine as reached."""
    session = operator.console.link.session
    shown = session.members if session is not None else ()
    return any(each.member == member and (each.online or each.is_me) for each in shown)


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
