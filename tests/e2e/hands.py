"""`python -m tests.e2e.hands HOME create|try`: an operator with a mouse and a keyboard, no more.

Every click and key goes to the window as the desktop would send it: a control that is covered, out
of sight or without the focus gets none. Under Xvfb where it is installed, else without a display.
"""

import sys
from pathlib import Path
from time import monotonic

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from console.application.views import NodeState
from console.demo.display import display
from tests.e2e.operators import SECRET, Operator, free_ports
from ui import object_names
from ui.app import make_application
from ui.collector import collecting_between_events
from ui.first_run import names
from ui.first_run.guide_steps import current
from ui.first_run.set_up import Step
from ui.window import ConsoleWindow

DONE = "done by hand on"
PASTED = "entries.jsonl"
_TABS = 60


class Hands(Operator):
    """Clicks in the middle of what is in sight, and types where the focus is."""

    def press(self, name: str) -> None:
        """Click a control in its middle."""
        self.until(lambda: self.has(name))
        widget = self.find(name)
        self._scroll_to(widget)
        self.pass_time(0.05)
        middle = widget.mapTo(widget.window(), widget.rect().center())
        under = widget.window().childAt(middle)
        assert under is not None
        assert under is widget or widget.isAncestorOf(under), f"{name} is under {under}"
        QTest.mouseClick(
            widget.window().windowHandle(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            middle,
        )
        self.pass_time(0.02)

    def type(self, text: str) -> None:
        """Type where the focus is."""
        for letter in text:
            QTest.keyClick(self.window.windowHandle(), letter)
        self.pass_time(0.02)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier):
        """Press a key where the focus is."""
        QTest.keyClick(self.window.windowHandle(), key, modifier)
        self.pass_time(0.03)

    def tab_to(self, name: str) -> None:
        """Press Tab until a control has the focus."""
        self.until(lambda: self.has(name))
        for _ in range(_TABS):
            focused = QApplication.focusWidget()
            if focused is not None and focused.objectName() == name:
                return
            self.key(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not reach {name}")

    def active(self) -> None:
        """Wait until the window has the keyboard."""
        self.until(self.window.isActiveWindow)

    @staticmethod
    def _scroll_to(widget: QWidget) -> None:
        """Do what the wheel would do."""
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget, 0, 40)
            parent = parent.parentWidget()


def create(hands: Hands) -> None:
    """Set one member up: by keys where they are quick, by the mouse elsewhere."""
    to_the_invitation(hands)
    exchange(hands)
    hands.until(lambda: hands.has(object_names.SIGN_IN_PIN))
    hands.tab_to(object_names.SIGN_IN_PIN)
    hands.type(SECRET)
    hands.key(Qt.Key.Key_Return)
    hands.until(lambda: hands.console.current_screen != "sign_in")
    session = hands.console.link.session
    assert session is not None
    assert session.state is NodeState.READY


def to_the_invitation(hands: Hands) -> None:
    """Go through the first five steps; the second passphrase is mistyped first."""
    hands.active()
    hands.tab_to(names.START_CREATE)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.NAME)
    hands.type("Ana Ruiz")
    hands.until(hands.wizard.next.isEnabled)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.TOKEN)
    hands.tab_to(f"{names.TOKENS_LIST}.file")
    hands.key(Qt.Key.Key_Space)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.PIN)
    hands.type(SECRET)
    hands.key(Qt.Key.Key_Tab)
    hands.type(SECRET[:-1] + "x")
    hands.key(Qt.Key.Key_Return)
    assert hands.wizard.step is Step.PIN
    assert hands.wizard.why.text() == "The two are not the same."
    hands.key(Qt.Key.Key_Backspace)
    hands.type(SECRET[-1])
    hands.key(Qt.Key.Key_Return)
    hands.until(lambda: hands.wizard.set_up.draft.keys_made)
    hands.until(lambda: not hands.page.work.running)
    hands.pass_time(0.05)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.ADDRESS)
    hands.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    hands.type(f"127.0.0.1:{free_ports(1)[0]}")
    hands.press(names.ADDRESS_TEST)
    hands.until(lambda: hands.page.result.mark.look.word == "Works")
    hands.press(names.WIZARD_NEXT)
    hands.at(Step.CHAINS)
    hands.key(Qt.Key.Key_Escape)
    hands.at(Step.ADDRESS)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.CHAINS)
    hands.key(Qt.Key.Key_Return)
    hands.at(Step.INVITATION)


def exchange(hands: Hands) -> None:
    """Paste the others' entries, compare, and open the vault."""
    hands.until(lambda: hands.page.me is not None)
    QApplication.clipboard().setText((hands.home.parent / PASTED).read_text())
    hands.tab_to(names.INVITATION_PASTE)
    (paste,) = QKeySequence.keyBindings(QKeySequence.StandardKey.Paste)[:1]
    hands.key(Qt.Key(paste[0].key()), Qt.KeyboardModifier.ControlModifier)
    hands.tab_to(names.INVITATION_ADD)
    hands.key(Qt.Key.Key_Return)
    hands.until(lambda: len(hands.page.others) == 2 and hands.wizard.next.isEnabled())
    hands.press(names.WIZARD_NEXT)
    hands.at(Step.COMPARISON)
    hands.key(Qt.Key.Key_Space)
    hands.key(Qt.Key.Key_Tab)
    hands.key(Qt.Key.Key_Space)
    hands.key(Qt.Key.Key_Return)
    hands.until(lambda: isinstance(hands.window, ConsoleWindow))
    hands.active()


def at(hands: Hands) -> int:
    """Return how many steps of the guide are done, in order."""
    return current(tuple(shown.step for shown in hands.console.guide.panel.rows))


def try_it(hands: Hands) -> None:
    """From the first click to the confirmed payment, as the guide says."""
    hands.active()
    begun_s = monotonic()
    hands.key(Qt.Key.Key_Return)
    hands.until(lambda: isinstance(hands.window, ConsoleWindow))
    print(f"ready after {monotonic() - begun_s:.1f} s")
    hands.active()
    hands.press(names.GUIDE_PIN)
    hands.until(lambda: hands.has(object_names.SIGN_IN_PIN))
    hands.press(names.GUIDE_PIN)
    hands.press(object_names.SIGN_IN_UNLOCK)
    hands.until(lambda: at(hands) >= 1)
    hands.press(f"{names.GUIDE_GO}.2")
    hands.press(object_names.CEREMONY_NAME)
    hands.type("Treasury")
    hands.press(object_names.CEREMONY_PROPOSE)
    hands.until(lambda: at(hands) >= 2)
    hands.press(f"{names.GUIDE_GO}.3")
    hands.press(object_names.CEREMONY_COMPARED)
    hands.press(object_names.CEREMONY_CONFIRM_CODE)
    hands.until(lambda: at(hands) >= 4)
    hands.press(f"{names.GUIDE_GO}.5")
    hands.until(lambda: hands.has(object_names.TRANSFER_TO))
    hands.until(lambda: bool(hands.find(object_names.TRANSFER_AMOUNT).text()))
    hands.press(object_names.TRANSFER_PREVIEW)
    hands.press(object_names.TRANSFER_REQUEST)
    hands.until(lambda: at(hands) >= 5)
    hands.until(lambda: at(hands) > 5 or hands.has(object_names.REVIEW_CHECK_1))
    if at(hands) == 5:
        approve(hands)
    hands.until(lambda: at(hands) >= 7)
    hands.press(names.GUIDE_THROW)
    hands.press(f"{names.THROW_SHEET}.confirm")
    hands.until(lambda: not (hands.home / "demonstration").exists())


def approve(hands: Hands) -> None:
    """Check, enter the PIN and approve; the two others may be quick enough without it."""
    hands.press(object_names.REVIEW_CHECK_1)
    hands.press(object_names.REVIEW_CHECK_2)
    hands.press(names.GUIDE_PIN)
    button = hands.find(object_names.REVIEW_APPROVE)
    hands.until(lambda: at(hands) > 5 or button.isEnabled())
    if at(hands) == 5:
        hands.press(object_names.REVIEW_APPROVE)


def main(home: str, what: str) -> None:
    """Do it, and say on which display."""
    with display() as shown:
        app = make_application()
        with collecting_between_events():
            hands = Hands(app, Path(home))
            try:
                (create if what == "create" else try_it)(hands)
            except BaseException:
                hands.window.grab().save(str(Path(home).parent / "at-the-end.png"))
                raise
            finally:
                hands.close()
        print(DONE, shown, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
