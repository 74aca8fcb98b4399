"""The first-run window: the start page, a set-up, or a demonstration vault in the making."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from console.application.commands import Pin
from console.client.set_up.messages import (
    Discard,
    Discarded,
    DiscardTrial,
    Draft,
    Here,
    LookHere,
    MakeTrial,
    Purpose,
    TrialReady,
)
from console.client.set_up.port import SettingUp
from ui import files, placing, theme
from ui.clipboard import TimedClipboard
from ui.first_run import homes, making_page, start_page
from ui.first_run.making_page import MakingPage
from ui.first_run.secret import text_of
from ui.first_run.set_up import TITLES
from ui.first_run.sheets import ThrowSheet
from ui.first_run.start_page import StartPage
from ui.first_run.wizard import Wizard
from ui.first_run.work import Work
from ui.problem import Problem
from ui.settings import Settings
from ui.sheets import HelpSheet
from ui.widgets.focus_ring import FocusRing
from ui.widgets.sheet import front_sheet


class FirstRunWindow(QMainWindow):
    """Must be created while the event loop runs: it asks what is on this machine immediately."""

    member_ready = Signal(object, str)
    """A home, and the member in it whose node can start."""
    home_chosen = Signal(object)
    """Another home, with members in it."""
    trial_ready = Signal(object)
    """The answer that names a demonstration vault's home, member and PIN."""
    back_wanted = Signal()

    def __init__(
        self,
        home: Path,
        setting_up: SettingUp,
        settings: Settings,
        *,
        can_go_back: bool = False,
        problem: Problem | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Quorate")
        placing.place(self, settings)
        self.home, self.settings = home, settings
        self.setting_up = setting_up
        self._can_go_back = can_go_back
        self._thrown: Draft | None = None
        self.wizard: Wizard | None = None
        self._left: list[Work] = []
        """Work of set-ups that were left, whose processes may still be ending."""
        self.looking, self.making, self.throwing = Work(), Work(), Work()
        self._stack = QStackedWidget()
        self.setCentralWidget(self._stack)
        self.start = StartPage()
        self.progress = MakingPage()
        for page in (self.start, self.progress):
            self._stack.addWidget(page)
        self.throw_sheet = ThrowSheet(self)
        self.help_sheet = HelpSheet(self)
        self._clipboard = TimedClipboard(self)
        self.ring = FocusRing(self)
        self._connect()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, settings.theme)
        self.start.show_back(possible=can_go_back)
        self.start.show_problem(problem)
        self.show_start()

    def show_start(self) -> None:
        """Show the start page, and look again what is on this machine."""
        self._drop_wizard()
        self._stack.setCurrentWidget(self.start)
        self.start.focus_first()
        self.looking.start(self._look)

    def begin(self, purpose: Purpose) -> None:
        """Begin a set-up."""
        self.resume(Draft(member="", name="", purpose=purpose))

    def resume(self, draft: Draft) -> None:
        """Go on with a set-up at its page."""
        self._drop_wizard()
        wizard = self.wizard = Wizard(self.setting_up, draft, self)
        wizard.left.connect(self.show_start)
        wizard.throw_away.connect(self.ask_to_throw_away)
        wizard.copied.connect(self._clipboard.copy)
        wizard.opened.connect(lambda member: self.member_ready.emit(self.home, member))
        self._stack.addWidget(wizard)
        self._stack.setCurrentWidget(wizard)
        wizard.focus_first()

    def make_trial(self) -> None:
        """Make the demonstration vault, or start the one that is kept."""
        self._stack.setCurrentWidget(self.progress)
        self.progress.cancel.setFocus()
        self.making.start(self._make)

    def open_folder(self) -> None:
        """Have the operator choose another home."""
        folder = files.choose_folder(self, "Open a folder with members", self.home)
        if folder is None:
            return
        found = homes.open_folder(folder)
        self.start.show_problem(found.problem)
        if found.problem is None:
            self.home_chosen.emit(found.home)

    def ask_to_throw_away(self, draft: Draft | None) -> None:
        """Ask before a set-up, or the demonstration vault for None, is removed."""
        self._thrown = draft
        self.throwing.cancel()
        self.throwing.clear()
        if draft is None:
            self.throw_sheet.ask_about_trial()
        else:
            self.throw_sheet.ask_about(draft)

    def show_help(self) -> None:
        """Explain the page in front, unless a question covers it."""
        if front_sheet(self) is not None:
            return
        if self.wizard is not None:
            page = self.wizard.page
            self.help_sheet.show_help(TITLES[self.wizard.step], page.HELP)
        elif self._stack.currentWidget() is self.progress:
            self.help_sheet.show_help(making_page.TITLE, making_page.HELP)
        else:
            self.help_sheet.show_help(start_page.TITLE, start_page.HELP)

    async def finish(self) -> None:
        """Stop all work, and wait until its processes have ended."""
        self._close_work()
        works = [self.looking, self.making, self.throwing, *self._left]
        if self.wizard is not None:
            works += self.wizard.works
        for work in works:
            await work.finish()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop all work; what was kept is there for the next time."""
        placing.remember(self, self.settings)
        self._clipboard.clear()
        self._close_work()
        super().closeEvent(event)

    def _connect(self) -> None:
        start = self.start
        start.try_wanted.connect(self.make_trial)
        start.create_wanted.connect(lambda: self.begin(Purpose.CREATE))
        start.join_wanted.connect(lambda: self.begin(Purpose.JOIN))
        start.open_wanted.connect(self.open_folder)
        start.back_wanted.connect(self.back_wanted)
        start.retry_wanted.connect(self.looking.retry)
        start.go_on.connect(self._go_on)
        start.throw_away.connect(self.ask_to_throw_away)
        self.progress.cancelled.connect(self._cancel_making)
        self.progress.retry_wanted.connect(self.making.retry)
        self.throw_sheet.confirmed.connect(self._throw_away)
        self.throw_sheet.closed.connect(self.throwing.cancel)
        self.looking.changed.connect(lambda: start.show_refusal(self.looking.problem))
        self.making.changed.connect(self._show_making)
        self.throwing.changed.connect(self._show_throwing)
        for keys, act in (("Esc", self._escape), ("F1", self.show_help)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(act)

    async def _look(self) -> None:
        here = await self.setting_up.ask(LookHere(), Here)
        self.start.show_here(here)
        if self._stack.currentWidget() is self.start and front_sheet(self) is None:
            self.start.focus_first()

    async def _make(self) -> None:
        ready = await self.setting_up.ask(MakeTrial(), TrialReady, self.making.tell)
        self.trial_ready.emit(ready)

    def _go_on(self, draft: Draft | None) -> None:
        if draft is None:
            self.make_trial()
        else:
            self.resume(draft)

    def _cancel_making(self) -> None:
        self.making.cancel()
        self.making.clear()
        self.show_start()

    def _throw_away(self, pin: Pin | None) -> None:
        draft, text = self._thrown, None if pin is None else text_of(pin)
        question = DiscardTrial() if draft is None else Discard(draft=draft, pin=text)

        async def ask() -> None:
            await self.setting_up.ask(question, Discarded)
            self.throw_sheet.close_sheet()
            self.show_start()

        self.throwing.start(ask, again=False)

    def _escape(self) -> None:
        sheet = front_sheet(self)
        if sheet is not None:
            sheet.close_sheet()
        elif self.wizard is not None:
            self.wizard.escape()
        elif self._stack.currentWidget() is self.progress:
            self._cancel_making()
        elif self._can_go_back:
            self.back_wanted.emit()

    def _show_making(self) -> None:
        self.progress.show_work(self.making.progress, self.making.problem)

    def _show_throwing(self) -> None:
        work = self.throwing
        self.throw_sheet.show_work(working=work.running, problem=work.problem)

    def _close_work(self) -> None:
        for work in (self.looking, self.making, self.throwing):
            work.cancel()
        if self.wizard is not None:
            self.wizard.close_wizard()

    def _drop_wizard(self) -> None:
        wizard, self.wizard = self.wizard, None
        if wizard is not None:
            wizard.close_wizard()
            left = (*self._left, *wizard.works)
            self._left = [work for work in left if not work.ended]
            self._stack.removeWidget(wizard)
            wizard.hide()
            wizard.deleteLater()
