"""The set-up in seven steps: the bar of steps, the page in front, and Cancel, Back, Next."""

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.client.set_up.messages import Draft
from console.client.set_up.port import SettingUp
from ui.announcing import announce
from ui.first_run import names
from ui.first_run.address_page import AddressPage
from ui.first_run.chains_page import ChainsPage
from ui.first_run.comparison_page import ComparisonPage
from ui.first_run.invitation_page import InvitationPage
from ui.first_run.name_page import NamePage
from ui.first_run.page import StepPage
from ui.first_run.pin_page import PinPage
from ui.first_run.set_up import TITLES, SetUp, Step
from ui.first_run.sheets import LeaveSheet
from ui.first_run.step_bar import StepBar
from ui.first_run.token_page import TokenPage
from ui.first_run.work import Work
from ui.widgets.buttons import Button
from ui.widgets.card import row
from ui.widgets.chip import IconMark
from ui.widgets.text import Label

_SIDE, _NEAR = 248, 24
PAGES: dict[Step, type[StepPage]] = {
    Step.NAME: NamePage,
    Step.TOKEN: TokenPage,
    Step.PIN: PinPage,
    Step.ADDRESS: AddressPage,
    Step.CHAINS: ChainsPage,
    Step.INVITATION: InvitationPage,
    Step.COMPARISON: ComparisonPage,
}
_FOOT = (
    "Every step is kept. You can close this window and go on later. F1 explains the page that you "
    "are on."
)
_LOCKED = "The keys are made: name and token stay."


class Wizard(QWidget):
    """Goes through the pages of one draft. Enter is Next, Esc is Back."""

    left = Signal()
    throw_away = Signal(object)
    opened = Signal(str)
    copied = Signal(str)

    def __init__(self, setting_up: SettingUp, draft: Draft, window: QWidget) -> None:
        super().__init__()
        self.setObjectName("wizard")
        self.set_up = SetUp(setting_up, draft)
        self._ran: StepPage | None = None
        """The page whose work runs."""
        self._from: QWidget | None = None
        """What had the focus when the work was begun."""
        self._given: QWidget | None = None
        """What a page got the focus on before it had loaded."""
        self.step = Step(min(max(draft.step, Step.NAME), Step.COMPARISON))
        self.leave_sheet = LeaveSheet(window)
        self.leave_sheet.keep.connect(self.left)
        self.leave_sheet.throw_away.connect(lambda: self.throw_away.emit(self.set_up.draft))
        self.pages = {step: kind(self.set_up) for step, kind in PAGES.items()}
        self.stack = QStackedWidget()
        for page in self.pages.values():
            self.stack.addWidget(page)
            page.changed.connect(self._repaint)
        self._connect_ends()
        self.bar = StepBar()
        self.cancel = Button("Cancel", "ghost", name=names.WIZARD_CANCEL)
        self.back = Button("Back", icon="chevron-left", name=names.WIZARD_BACK)
        self.next = Button("Next", "primary", name=names.WIZARD_NEXT)
        self.stop = Button("Stop", name=names.WIZARD_STOP)
        self.why = Label("", "caption", wrap=True)
        self._lay_out()
        self.cancel.clicked.connect(self.ask_to_leave)
        self.back.clicked.connect(self.go_back)
        self.next.clicked.connect(self.go_on)
        self.stop.clicked.connect(self._stop)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)
        self._show(self.step)

    @property
    def page(self) -> StepPage:
        """The page in front."""
        return self.pages[self.step]

    @property
    def works(self) -> list[Work]:
        """The work of all pages."""
        return [work for page in self.pages.values() for work in page.works]

    def focus_first(self) -> None:
        """Focus the first field of the page, else Next, else the page, which may still load."""
        field = self.page.first_field()
        usable = field is not None and field.isVisibleTo(self) and field.isEnabled()
        other = self.next if self.next.isEnabled() else self.page
        given = field if usable and field is not None else other
        self._given = given if self.page.busy else None
        given.setFocus()

    def go_on(self) -> None:
        """Do the page's work, keep the draft, and show the next page."""
        page = self.page
        if not page.work.running and not page.blocked():
            self._from = QApplication.focusWidget()
            page.work.start(self._advance)

    def go_back(self) -> None:
        """Show the page before, if it can still be changed."""
        if not self.page.work.running and not self._no_way_back():
            self._show(Step(self.step - 1))

    def escape(self) -> None:
        """Go back, or ask before leaving."""
        if self.page.work.running:
            return
        if self._no_way_back():
            self.ask_to_leave()
        else:
            self.go_back()

    def ask_to_leave(self) -> None:
        """Leave at once if nothing would be lost, else ask."""
        page = self.page
        if page.work.running:
            return
        if not self.set_up.kept and not page.typed():
            self.left.emit()
            return
        self.leave_sheet.ask(kept=self.set_up.kept, typed=page.typed())

    def close_wizard(self) -> None:
        """Stop everything, for ever."""
        self._given = None
        self.leave_sheet.close_sheet()
        for page in self.pages.values():
            page.close_page()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter that no field needs as Next."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.go_on()
        else:
            super().keyPressEvent(event)

    async def _advance(self) -> None:
        page, step = self.page, self.step
        draft = await page.finish()
        if draft is None:
            return
        following = Step(min(step + 1, Step.COMPARISON))
        await self.set_up.keep(replace(draft, step=following))
        self._show(following)

    def _show(self, step: Step) -> None:
        before = self.pages[self.step]
        if step is not self.step:
            before.leave()
        self.step = step
        page = self.page
        self.stack.setCurrentWidget(page)
        page.area.verticalScrollBar().setValue(0)
        page.enter()
        self._repaint()
        self.focus_first()
        announce(self, f"Step {step.value} of {len(TITLES)}: {page.TITLE}")

    def _repaint(self) -> None:
        page = self.page
        running, blocked = page.work.running, page.blocked()
        done = max(self.set_up.draft.step - 1, self.step - 1)
        self.bar.show_step(self.step, done)
        word = page.next_word()
        self.next.setText(word)
        self.next.setAccessibleName(word)
        self.next.setEnabled(not running and not blocked)
        self.next.setAccessibleDescription(blocked)
        no_way_back = self._no_way_back()
        self.back.setEnabled(not running and not no_way_back)
        self.back.setToolTip(no_way_back)
        self.cancel.setEnabled(not running)
        self.stop.setVisible(running)
        self.why.setText(page.waiting() if running else blocked)
        before, self._ran = self._ran, page if running else None
        if before is page and not running:
            self._return_focus()
        elif self._given is not None and not page.busy:
            # What has just been added to the page is shown at the next turn.
            QTimer.singleShot(0, self, self._focus_what_came)

    def _return_focus(self) -> None:
        """Focus the page again: what is disabled while its work runs loses the focus."""
        page, before = self.page, self._from
        if page.work.problem is None:
            self.focus_first()
        elif before is not None and page.isAncestorOf(before) and before.isEnabled():
            before.setFocus()
        else:
            page.focus_refusal()
        page.area.verticalScrollBar().setValue(0)

    def _focus_what_came(self) -> None:
        """Focus what a page has loaded, unless its operator has begun elsewhere meanwhile."""
        given = self._given
        if given is None or self.page.busy:
            return
        self._given = None
        if QApplication.focusWidget() in {given, None} and not self.page.typed():
            self.focus_first()

    def _follow_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        """Scroll to what the keys have reached; a click is not pulled away from the pointer."""
        area = self.page.area
        inside, pressed = area.widget(), QApplication.mouseButtons() != Qt.MouseButton.NoButton
        if new is None or inside is None or pressed:
            return
        if inside.isAncestorOf(new):
            area.ensureWidgetVisible(new, 0, _NEAR)

    def _no_way_back(self) -> str:
        if self.step is Step.NAME:
            return "This is the first step."
        fixed = self.set_up.draft.keys_made and self.step <= Step.PIN
        return _LOCKED if fixed else ""

    def _stop(self) -> None:
        self.page.work.cancel()
        self.focus_first()

    def _connect_ends(self) -> None:
        invitation, comparison = self.pages[Step.INVITATION], self.pages[Step.COMPARISON]
        if isinstance(invitation, InvitationPage):
            invitation.copied.connect(self.copied)
        if isinstance(comparison, ComparisonPage):
            comparison.opened.connect(self.opened)

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.stack, 1)
        right.addWidget(self._foot())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._side())
        layout.addLayout(right, 1)

    def _side(self) -> QWidget:
        side = QWidget()
        side.setProperty("pane", "sidebar")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side.setFixedWidth(_SIDE)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(12, 0, 12, 16)
        layout.setSpacing(8)
        brand = row(IconMark("quorate", "accent", 24), Label("Quorate", "brand"), 1)
        brand.setContentsMargins(8, 16, 0, 12)
        layout.addLayout(brand)
        what = "Create a vault" if self.set_up.creates else "Join a vault"
        title = Label(what, "caption")
        title.setContentsMargins(10, 0, 0, 0)
        layout.addWidget(title)
        layout.addWidget(self.bar)
        layout.addStretch(1)
        note = Label(_FOOT, "caption", wrap=True)
        note.setContentsMargins(10, 0, 8, 0)
        layout.addWidget(note)
        return side

    def _foot(self) -> QWidget:
        foot = QWidget()
        foot.setProperty("pane", "foot")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        foot.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(foot)
        layout.setContentsMargins(24, 12, 24, 12)
        layout.setSpacing(12)
        layout.addWidget(self.cancel)
        layout.addWidget(self.why, 1)
        self.why.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for button in (self.stop, self.back, self.next):
            layout.addWidget(button)
        self.next.setMinimumWidth(112)
        return foot
