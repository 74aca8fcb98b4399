"""Drives the first-run window on a fake set-up process, for tests and pictures."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from console.client.set_up.messages import Draft, Purpose
from tests.fakes.setting_up import FakeSettingUp
from tests.ui.driving import Turning
from ui.first_run import names
from ui.first_run.page import StepPage
from ui.first_run.set_up import Step
from ui.first_run.window import FirstRunWindow
from ui.first_run.wizard import Wizard
from ui.placing import USUAL
from ui.problem import Problem
from ui.settings import Settings
from ui.theme import ThemeName


class FirstRunSteps(Turning):
    """What an operator does in a first-run window."""

    window: FirstRunWindow

    @property
    def wizard(self) -> Wizard:
        """The set-up in front."""
        assert self.window.wizard is not None
        return self.window.wizard

    @property
    def page(self) -> StepPage:
        """The page in front."""
        return self.wizard.page

    def at(self, step: Step) -> None:
        """Wait for a page, and until it has loaded."""
        self.until(lambda: self.window.wizard is not None and self.wizard.step is step)
        self.until(lambda: not self.page.busy)
        self.pass_time(0.03)

    def begin(self, purpose: Purpose = Purpose.CREATE, *, loads: bool = True) -> None:
        """Begin a set-up."""
        self.window.begin(purpose)
        if loads:
            self.at(Step.NAME)

    def next(self, step: Step | None = None) -> None:
        """Press Next, and wait for a page."""
        self.until(self.wizard.next.isEnabled)
        self.press(names.WIZARD_NEXT)
        if step is not None:
            self.at(step)
        else:
            self.until(lambda: not self.page.work.running)
            self.pass_time(0.02)

    def find(self, name: str) -> QWidget:
        """Return the one visible widget with this name."""
        (found,) = [w for w in self.window.findChildren(QWidget, name) if w.isVisible()]
        return found

    def press(self, name: str) -> None:
        """Press a button."""
        button = self.find(name)
        assert isinstance(button, QAbstractButton)
        self.until(button.isEnabled)
        button.click()

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClicks(focused, text)

    def key(self, key: Qt.Key) -> None:
        """Press one key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key)
        self.pass_time(0.02)

    def when(self, happened: Callable[[], bool]) -> None:
        """Wait for something, then for what follows from it."""
        self.until(happened)
        self.pass_time(0.02)


class FirstRun(FirstRunSteps):
    """One first-run window, with a running loop."""

    def __init__(
        self,
        app: QApplication,
        fake: FakeSettingUp,
        *,
        can_go_back: bool = False,
        problem: Problem | None = None,
        home: Path = Path("home"),
        looks: bool = True,
    ) -> None:
        super().__init__(app)
        self.fake = fake
        self.window = FirstRunWindow(
            home,
            fake,
            Settings(theme=ThemeName.LIGHT),
            can_go_back=can_go_back,
            problem=problem,
        )
        self.window.resize(USUAL)
        self.window.show()
        if looks:
            self.until(lambda: not self.window.looking.running)
        self.pass_time(0.02)

    def resume(self, draft: Draft) -> None:
        """Go on with a set-up."""
        self.fake.drafts[draft.member] = draft
        self.window.resume(draft)
        self.at(Step(draft.step))

    def close(self) -> None:
        """Close the window and the loop."""
        self.window.close()
        self.end(self.window.finish(), self.window)
