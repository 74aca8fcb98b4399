"""The window: signs in, shows screens, follows the node, locks."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from console.application.api import CommandRefused, NodeUnreachable
from console.application.commands import Lock
from console.application.views import NodeState
from console.client import Profile
from console.client.set_up.messages import TrialReady
from ui import placing, registry, theme, wording
from ui.activity import ActivitySheet
from ui.clipboard import TimedClipboard
from ui.command_palette import CommandPalette
from ui.context import Context, Privacy
from ui.counts import Counts
from ui.first_run.guide import Guide
from ui.frame import Frame
from ui.idle import IdleTimer
from ui.link import Connect, NodeLink
from ui.node_watch import Startable
from ui.outcomes import Asked, Outcomes
from ui.problem import NOT_LOCKED
from ui.screen import Screen
from ui.screens.settings.view import SettingsScreen
from ui.screens.sign_in.view import SignInScreen
from ui.settings import Settings
from ui.sheets import HelpSheet
from ui.shortcuts import Shortcuts
from ui.switching import MemberSwitch
from ui.tasks import TaskOwner
from ui.theme import ThemeName, Tone
from ui.widgets.focus_ring import FocusRing
from ui.widgets.toast import ToastArea

log = logging.getLogger(__name__)


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class ConsoleWindow(QMainWindow):
    """A client of one member's node at a time; `connect` opens another member's node.

    `nodes` are those that this machine runs, by member: they are watched, and started again.

    Must be created while the event loop runs: it starts to connect immediately.
    """

    first_run_wanted = Signal()

    def __init__(
        self,
        profiles: Sequence[Profile],
        connect: Connect,
        settings: Settings,
        now_ms: Callable[[], int] = _wall_clock_ms,
        nodes: Mapping[str, Startable] = MappingProxyType({}),
        *,
        trial: TrialReady | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Quorate")
        placing.place(self, settings)
        self.profiles = tuple(profiles)
        self.settings = settings
        self._connect = connect
        self._now_ms = now_ms
        self._nodes = nodes
        self._screens: dict[str, Screen] = {}
        self._current: Screen | None = None
        self._wanted = ("overview", "")
        self._frame: Frame | None = None
        self._sign_in: SignInScreen | None = None
        self._tasks = TaskOwner()
        self._closing = TaskOwner()
        self.privacy = Privacy()
        self.privacy.changed.connect(self._privacy_changed)
        self._pages = QStackedWidget()
        self.guide = Guide(trial, self.show_screen)
        self.toasts = ToastArea(self, self.guide.beside(self._pages))
        self._clipboard = TimedClipboard(self)
        self.palette_sheet = CommandPalette(self, self.show_screen)
        self.help_sheet = HelpSheet(self)
        self.activity_sheet = ActivitySheet(self, self.show_screen)
        self.switching = MemberSwitch(self, self._unsaved, self._switch_now)
        self.ring = FocusRing(self)
        self._counts = Counts(self)
        self._counts.counted.connect(self._counted)
        self.idle = IdleTimer(self)
        self.idle.expired.connect(self._idle)
        self._covered = False
        self._keys = Shortcuts(self, self)
        self.set_theme(settings.theme)
        QApplication.styleHints().colorSchemeChanged.connect(self._system_theme_changed)
        first = next((p for p in self.profiles if p.member == settings.member), self.profiles[0])
        self.link = NodeLink(first, connect, nodes.get(first.member))
        self.outcomes = Outcomes(self.link, now_ms)
        self._open_member(first)

    @property
    def member(self) -> str:
        """The member whose node is shown."""
        return self.link.profile.member

    @property
    def current_screen(self) -> str:
        """The name of the screen in front; "sign_in" while the node is locked."""
        return self._current.NAME if self._current is not None else "sign_in"

    @property
    def front(self) -> Screen | None:
        """The screen in front; None while the node is locked."""
        return self._current

    def show_screen(self, name: str, subject: str = "") -> None:
        """Go to a screen; while locked, go there after sign-in. Raises: KeyError."""
        entry = registry.find(name)
        self._wanted = (entry.name, subject)
        if self._frame is None:
            return
        screen = self._screens.get(entry.name)
        if screen is None:
            screen = entry.make(self._context())
            if isinstance(screen, SettingsScreen):
                screen.shortcuts_wanted.connect(self.help_sheet.show_shortcuts)
                screen.lock.chosen.connect(lambda: self.idle.start(self.settings.lock_after_s))
            self._screens[entry.name] = screen
            self._frame.pages.addWidget(screen)
        if self._current is not None and self._current is not screen:
            self._current.pause()
        self._current = screen
        screen.open(subject)
        self._frame.pages.setCurrentWidget(screen)
        self._frame.show_section(entry.section)
        screen.setFocus()

    def set_theme(self, name: str) -> None:
        """Apply "system", "light" or "dark", and save the choice. Raises: ValueError."""
        self.settings.theme = ThemeName(name)
        self.settings.save()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, self.settings.theme)
        if self._current is not None:
            self._current.model.changed.emit()

    async def switch_member(self, member: str) -> None:
        """Show another member's node, with its own sign-in. Raises: KeyError."""
        if member == self.member:
            return
        profile = {profile.member: profile for profile in self.profiles}[member]
        await self._close_member()
        self.settings.member = member
        self.settings.save()
        self._wanted = ("overview", "")
        self._covered = False
        self._tasks = TaskOwner()
        self.link = NodeLink(profile, self._connect, self._nodes.get(member))
        self.outcomes = Outcomes(self.link, self._now_ms)
        self._open_member(profile)

    def lock(self) -> None:
        """Close every screen immediately, then lock the node; open again only by PIN."""
        if self._frame is not None:
            self._covered = True
            self._wanted = ("overview", "")
            self._show_sign_in()
            self._tasks.start(self._lock_node())

    def _idle(self) -> None:
        """Lock after idle time; a node that others use goes on, and this window is covered."""
        session = self.link.session
        if session is not None and session.followers > 1:
            self._covered = True
            self._wanted = ("overview", "")
            self._show_sign_in()
        else:
            self.lock()

    async def finish(self) -> None:
        """Close all connections and wait until they are closed."""
        self._clipboard.clear()
        await self._close_member()
        await self._counts.finish()
        await self._closing.finish()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop all coroutines before closing."""
        placing.remember(self, self.settings)
        self.idle.stop()
        self._clipboard.clear()
        self._drop_screens()
        if self._sign_in is not None:
            self._sign_in.close_screen()
            self._sign_in = None
        self.palette_sheet.tasks.close()
        self.outcomes.close()
        self._counts.close()
        self.guide.close()
        self._tasks.close()
        super().closeEvent(event)

    def _open_member(self, profile: Profile) -> None:
        self.link.session_changed.connect(self._session_changed)
        self.link.reachable_changed.connect(self._reachable_changed)
        self.link.trouble_changed.connect(self._trouble_changed)
        self._counts.follow(self.link)
        self.outcomes.changed.connect(self._outcomes_changed)
        self.outcomes.found.connect(self._outcome_found)
        self.setWindowTitle(f"{profile.name} \u2013 Quorate")
        self.guide.follow(self.link)
        self._show_sign_in()
        self._tasks.start(self.link.run())

    async def _close_member(self) -> None:
        self._drop_screens()
        self.outcomes.close()
        await self.outcomes.tasks.finish()
        await self._tasks.finish()

    def _show_sign_in(self) -> None:
        self._drop_screens()
        if self._sign_in is None:
            self._sign_in = SignInScreen(self._context(), self.profiles)
            self._sign_in.member_chosen.connect(self.switching.wanted)
            self._sign_in.first_run_wanted.connect(self.first_run_wanted)
            self._sign_in.model.unlocked.connect(self._uncover)
            self._sign_in.model.changed.connect(self._session_changed)
            self._pages.addWidget(self._sign_in)
        self._pages.setCurrentWidget(self._sign_in)
        self._sign_in.pin.setFocus()

    def _show_frame(self) -> None:
        if self._frame is not None:
            return
        self._drop_sign_in()
        frame = self._frame = Frame(self.profiles, self.link.profile)
        frame.section_chosen.connect(self.show_screen)
        frame.member_chosen.connect(self.switching.wanted)
        frame.search_wanted.connect(self.search)
        frame.lock_wanted.connect(self.lock)
        frame.privacy_wanted.connect(self.privacy.toggle)
        frame.help_wanted.connect(self.show_help)
        frame.activity_wanted.connect(lambda: self.activity_sheet.ask(self.outcomes))
        frame.show_open(self.outcomes.open)
        frame.retry_wanted.connect(self.link.help_now)
        frame.show_privacy(on=self.privacy.on)
        self._pages.addWidget(frame)
        self._pages.setCurrentWidget(frame)
        self.idle.start(self.settings.lock_after_s)
        self.show_screen(*self._wanted)
        self._counts.count()

    def _drop_sign_in(self) -> None:
        if self._sign_in is not None:
            self._sign_in.close_screen()
            self._pages.removeWidget(self._sign_in)
            self._sign_in.hide()
            self._sign_in.deleteLater()
            self._sign_in = None

    def _drop_screens(self) -> None:
        """Drop all data of the node; the widgets are deleted with their texts."""
        self.idle.stop()
        self.palette_sheet.forget()
        self.help_sheet.close_sheet()
        self.activity_sheet.forget()
        self.switching.sheet.close_sheet()
        self.toasts.clear()
        self._current = None
        for screen in self._screens.values():
            screen.close_screen()
        self._screens.clear()
        if self._frame is not None:
            self._pages.removeWidget(self._frame)
            self._frame.hide()
            self._frame.deleteLater()
            self._frame = None

    async def _lock_node(self) -> None:
        try:
            await self.link.execute(Lock())
            await self.link.refresh_session()
        except CommandRefused as refusal:
            self.toasts.say(f"{refusal.what} {refusal.next_step}", Tone.DANGER)
        except NodeUnreachable:
            log.warning("the node could not be told to lock: it does not answer")
            self.toasts.say(NOT_LOCKED, Tone.DANGER)

    def _unsaved(self, member: str) -> str:
        screens = self._screens.values() if member != self.member else ()
        return next((screen.unsaved for screen in screens if screen.unsaved), "")

    def _switch_now(self, member: str) -> None:
        # Not in `_tasks`: that owner ends with the member that is left.
        self._closing.start(self.switch_member(member))

    def _session_changed(self) -> None:
        session = self.link.session
        if session is None:
            return
        if session.state is not NodeState.READY:
            self._covered = False
        if session.state is NodeState.READY and not self._covered:
            # The reply to Unlock must arrive before its page closes, else it is cancelled.
            if self._sign_in is None or not self._sign_in.model.working:
                self._show_frame()
        elif self._frame is not None:
            self._show_sign_in()
        if self._frame is not None:
            self._frame.show_session(session)
            self.toasts.show_state(*wording.node_state(session))

    def _uncover(self) -> None:
        if self._covered:
            self._covered = False
            self._session_changed()

    def _reachable_changed(self, reachable: bool) -> None:
        if self._frame is not None and reachable:
            self.toasts.say("The node answers again.")
            self._counts.count()

    def _trouble_changed(self) -> None:
        if self._frame is not None:
            self._frame.show_trouble(self.link.trouble, self.link.remedy)

    def _outcomes_changed(self) -> None:
        if self._frame is not None:
            self._frame.show_open(self.outcomes.open)
        if self.activity_sheet.isVisible():
            self.activity_sheet.show_outcomes(self.outcomes)

    def _outcome_found(self, asked: Asked) -> None:
        self.toasts.say(f"Recorded after all: {asked.subject.words}.")

    def _counted(self, approvals: int, ceremonies: int) -> None:
        if self._frame is not None:
            self._frame.show_counts(approvals=approvals, ceremonies=ceremonies)

    def search(self) -> None:
        """Open the command palette."""
        if self._frame is not None:
            self.palette_sheet.ask(self.link, hide=self.privacy.on)

    def show_shortcuts(self) -> None:
        """Open the list of keys."""
        self.help_sheet.show_shortcuts()

    def toggle_privacy(self) -> None:
        """Mask or unmask amounts and addresses."""
        self.privacy.toggle()

    def show_help(self) -> None:
        """Explain the screen in front."""
        if self._current is not None:
            self.help_sheet.show_help(self._current.heading.text(), self._current.HELP)
        else:
            self.help_sheet.show_shortcuts()

    def _context(self) -> Context:
        return Context(
            link=self.link,
            outcomes=self.outcomes,
            privacy=self.privacy,
            settings=self.settings,
            window=self,
            now_ms=self._now_ms,
            navigate=self.show_screen,
            notify=self.toasts.say,
            copy=self._copy,
            choose_theme=self.set_theme,
        )

    def _copy(self, text: str) -> None:
        self._clipboard.copy(text)
        self.toasts.say("Copied. The clipboard is emptied in 30 s.")

    def _privacy_changed(self) -> None:
        if self._frame is not None:
            self._frame.show_privacy(on=self.privacy.on)

    def _system_theme_changed(self) -> None:
        if self.settings.theme is ThemeName.SYSTEM:
            self.set_theme(ThemeName.SYSTEM)
