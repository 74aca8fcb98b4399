"""The base of the seven pages: heading, refusal with Retry, and what Next does."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from console.client.set_up.messages import Draft
from ui.first_run.set_up import SetUp
from ui.first_run.work import Work
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.card import column
from ui.widgets.text import Label

WIDTH = 760
MARGIN = 32


class StepPage(QWidget):
    """One step. `finish` does its work and returns the draft for the next one."""

    changed = Signal()
    """What keeps Next from being pressed may be another thing now."""
    NAME = ""
    TITLE = ""
    LEAD = ""
    HELP: tuple[str, ...] = ()
    """What F1 explains."""

    def __init__(self, set_up: SetUp) -> None:
        super().__init__()
        self.setObjectName(f"page.{self.NAME}")
        self.set_up = set_up
        self._built = False
        self.works: list[Work] = []
        self.work = self.add_work(Work())
        self.heading = Label(self.TITLE, "h1")
        self.lead = Label(self.LEAD, "secondary", wrap=True)
        self.refusal = Banner(Tone.DANGER, f"{self.NAME}.refusal", action="Retry")
        self.refusal.acted.connect(self.retry)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName(f"Progress: {self.TITLE}")
        self.progress_text = Label("", "caption", wrap=True)
        self.progress.hide()
        self.progress_text.hide()
        self.content = QVBoxLayout()
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(16)
        self._lay_out()
        self.build()
        self._built = True
        self.repaint_page()

    def build(self) -> None:
        """Fill `content`, once."""
        raise NotImplementedError

    def enter(self) -> None:
        """Show the draft: the page comes to the front."""

    def repaint_page(self) -> None:
        """Show what the work has found, whenever some has moved."""

    def leave(self) -> None:
        """Forget secrets and stop what runs beside Next: the page is no longer in front."""
        for work in self.works:
            if work is not self.work:
                work.cancel()

    def blocked(self) -> str:
        """Return why Next cannot be pressed, or ''."""
        return ""

    def waiting(self) -> str:
        """Return what is waited for while the page's work runs."""
        return "Working."

    def first_field(self) -> QWidget | None:
        """Return what has the focus first."""
        return None

    def next_word(self) -> str:
        """Return what Next is called now."""
        return "Next"

    def typed(self) -> str:
        """Return what would be lost with the page, as a sentence, or ''."""
        return ""

    async def finish(self) -> Draft | None:
        """Do the page's work. Return the draft for the next page; None stays here.

        Raises: SetUpRefused.
        """
        raise NotImplementedError

    def add_work(self, work: Work) -> Work:
        """Follow a work beside Next's, and show its refusal on this page."""
        self.works.append(work)
        work.changed.connect(self._repaint_work)
        return work

    @property
    def busy(self) -> bool:
        """Whether an answer is waited for."""
        return any(work.running for work in self.works)

    def retry(self) -> None:
        """Do again what was refused."""
        refused = next((work for work in self.works if work.problem is not None), None)
        if refused is not None:
            refused.retry()

    def focus_refusal(self) -> None:
        """Focus what helps after a refusal: Retry, if the same can be done again."""
        self.refusal.focus_action()

    def close_page(self) -> None:
        """Give up all work, for ever."""
        self.leave()
        self.work.cancel()

    def _repaint_work(self) -> None:
        if not self._built:
            return
        work = self.work
        problems = (each.problem for each in self.works if each.problem is not None)
        problem = next(problems, None)
        if problem is not None and self.refusal.isHidden():
            self.area.verticalScrollBar().setValue(0)
        self.refusal.show_problem(problem)
        told = work.progress if work.running else None
        self.progress.setVisible(told is not None)
        self.progress_text.show_text(told.text if told else "")
        if told is not None:
            self.progress.setRange(0, max(told.total, 1))
            self.progress.setValue(min(told.done, told.total))
        self.repaint_page()
        self.changed.emit()

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(WIDTH + 2 * MARGIN)
        body = QVBoxLayout(inner)
        body.setContentsMargins(MARGIN, 28, MARGIN, MARGIN)
        body.setSpacing(16)
        body.addLayout(column(self.heading, self.lead, spacing=6))
        body.addWidget(self.refusal)
        body.addLayout(column(self.progress, self.progress_text, spacing=6))
        body.addLayout(self.content)
        body.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        page = QWidget()
        middle = QHBoxLayout(page)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addStretch(1)
        middle.addWidget(inner, 100)
        middle.addStretch(1)
        area.setWidget(page)
        self.area = area
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
