"""The window from nothing, with the real set-up process, tokens and nodes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.application.views import NodeState
from tests.e2e.hands import DONE, PASTED
from tests.e2e.operators import SECRET, Operator, discard_trial, entries_of, free_ports
from ui import files, object_names
from ui.first_run import names
from ui.first_run.set_up import Step

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.hsm,
    pytest.mark.timeout(1200),
    # A node outlives whoever started it, by design.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PEOPLE = {"ana-ruiz": "Ana Ruiz", "ben-okafor": "Ben Okafor", "chiara-neri": "Chiara Neri"}
DARA = "dara-lev"


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


@pytest.mark.parametrize("what", ["create", "try"])
def test_mouse_and_keyboard_alone_lead(tmp_path, what):
    """To a signed-in member, and from an empty home to a confirmed payment by the guide."""
    (tmp_path / PASTED).write_text(entries_of(tmp_path / "elsewhere", "ben", "chiara"))
    home = tmp_path / "home"
    # A display of its own: the desktop's would see the clicks, and have others.
    without = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    try:
        said = subprocess.run(
            [sys.executable, "-m", "tests.e2e.hands", str(home), what],
            capture_output=True,
            text=True,
            env=environment,
            timeout=900,
            check=False,
        )
    finally:
        discard_trial(home)
    assert DONE in said.stdout, said.stderr
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: it was done without a display")
    assert "Xvfb" in said.stdout
