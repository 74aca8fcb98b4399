"""One operator before a real window: its own home, set-up process and nodes."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from console import client
from console.client import OwnNode, ProcessState
from console.client.set_up import messages as m
from console.client.set_up.process import PROGRAM, SetUpProcess
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import NewMember, set_up_member
from console.settings import entry_line
from tests.ui.first_running import FirstRunSteps
from ui import object_names
from ui.desk import Desk, Outside
from ui.first_run import names
from ui.first_run.set_up import Step
from ui.first_run.window import FirstRunWindow
from ui.placing import USUAL
from ui.screen import Screen
from ui.settings import Settings
from ui.theme import ThemeName
from ui.view_model import LoadState
from ui.window import ConsoleWindow

_PAUSE_S = 0.005
SECRET = "correct horse battery"


class Operator(FirstRunSteps):
    """One operator at one machine: its own home, set-up process and nodes."""

    patience_s = 240.0

    def __init__(self, app: QApplication, home: Path, program: tuple[str, ...] = PROGRAM) -> None:
        super().__init__(app)
        self.home = home
        self.nodes: dict[str, OwnNode] = {}
        self._open = True
        outside = Outside(
            connect=client.connect,
            set_up_below=lambda home: SetUpProcess(home, program),
            own_nodes=self._own_nodes,
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

    def to_the_invitation(
        self, name: str, kind: str, port: int, way: str = names.START_CREATE
    ) -> m.EntrySeen:
        """Set a member up as far as its entry."""
        self.press(way)
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
        if way == names.START_JOIN:  # Once: each question is a process.
            self.press(names.ADDRESS_TEST)
            self.until(lambda: self.page.result.mark.look.word == "Works")
        self.next(Step.CHAINS)
        self.next(Step.INVITATION)
        self.until(lambda: self.page.me is not None)
        return self.page.me

    def open_vault(self, files: list[Path]) -> None:
        """Read the others' entries, compare and open the vault."""
        self.page.read("\n".join(path.read_text() for path in files))
        self.compare()

    def compare(self) -> None:
        """Tick every code, and go on to the member's window."""
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

    def turn(self) -> None:
        """Leave the processor to the processes that are waited for."""
        super().turn()
        time.sleep(_PAUSE_S)

    def show(self, screen: str, subject: str = "") -> Screen:
        """Show a screen of a member's window, once it is loaded."""
        self.until(lambda: self.console.current_screen != "sign_in")
        self.console.show_screen(screen, subject)
        front = self.console.front
        assert front is not None
        self.until(lambda: front.model.state is LoadState.READY)
        return front

    def has(self, name: str) -> bool:
        """Return whether a control is in sight and can be used."""
        found = self.window.findChildren(QWidget, name)
        return any(each.isVisible() and each.isEnabled() for each in found)

    def close(self, *, nodes_go_on: bool = False) -> None:
        """Close the window, and end the nodes that it started unless they shall go on."""
        if not self._open:
            return
        self._open = False
        if self.window is not None:
            self.window.close()
        self.until(self.ended.done)
        if not nodes_go_on:
            self.end_nodes()
        self.end(asyncio.sleep(0), None)

    def end_nodes(self) -> None:
        """End the nodes that run, whichever window started them."""
        for member, node in self.nodes.items():
            while node.look().state is ProcessState.STARTS:
                time.sleep(0.05)
            if node.look().state is ProcessState.RUNS:
                os.kill(pid_of(self.home / member), signal.SIGTERM)
                while node.look().state is ProcessState.RUNS:
                    time.sleep(0.05)


def pid_of(directory: Path) -> int:
    """Return the process that holds a member's mark."""
    inode = (directory / "node.run").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    raise AssertionError("nobody holds the mark")


def free_ports(number: int) -> list[int]:
    """Return free ports on loopback."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def entries_of(home: Path, *members: str) -> str:
    """Return the entries of members that are set up elsewhere."""
    return "".join(
        entry_line(
            set_up_member(
                home,
                NewMember(
                    member=member,
                    name=member.title(),
                    peer_address=f"{member}.example.org:7421",
                    console_address="127.0.0.1:7422",
                    module="file",
                    token="",
                    fresh_softhsm=False,
                    chains=(),
                ),
                SecretBytes(SECRET.encode()),
                None,
            )
        )
        + "\n"
        for member in members
    )


def discard_trial(home: Path) -> None:
    """Throw a demonstration vault away, if there is one left."""
    asyncio.run(SetUpProcess(home).ask(m.DiscardTrial(), m.Discarded))
