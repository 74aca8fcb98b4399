"""The base of all screens: a head line, and skeleton, empty, error or content below."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ui import wording
from ui.context import Context
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column_into, row
from ui.widgets.rows import RowList
from ui.widgets.skeleton import Skeleton
from ui.widgets.state_card import EmptyCard, ErrorCard
from ui.widgets.table import DataTable
from ui.widgets.text import Label

MAX_WIDTH = 1320
MARGIN = 24
_CLOCK_MS = 15_000
_BAR = 14


@dataclass(frozen=True, slots=True)
class EmptyText:
    """The text of an empty screen, and the action that it offers."""

    icon: str
    title: str
    sentence: str
    action: str = ""
    go: Callable[[], None] | None = None


class Screen(QWidget):
    """A page of the window. Subclasses fill `content` once and repaint in `render`.

    What is in `foot` stays in sight, whatever part of the content is scrolled to.
    """

    NAME = ""
    TITLE = ""
    HELP: tuple[str, ...] = ()
    SCROLLS = True

    def __init__(self, context: Context, model: ViewModel) -> None:
        super().__init__()
        self.context = context
        self.model = model
        self.setObjectName(f"screen.{self.NAME}")
        self.heading = Label(self.TITLE, "h1")
        self.back_button = Button("", "ghost", icon="chevron-left", accessible="Back")
        self.back_button.setObjectName(f"{self.NAME}.back")
        self.back_button.setFixedSize(32, 36)
        self.back_button.setStyleSheet("padding: 0;")
        self.back_button.clicked.connect(self.back)
        self.back_button.hide()
        self.marks = QHBoxLayout()
        self.marks.setSpacing(8)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(8)
        self.refusal = Banner(Tone.DANGER, f"{self.NAME}.refusal", closable=True)
        self.refusal.closed.connect(model.dismiss_refusal)
        self.content = QVBoxLayout()
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(16)
        self.empty = EmptyCard(self.NAME)
        self.error = ErrorCard(self.NAME)
        self.error.retried.connect(model.refresh)
        self.error.copied.connect(self._copy_problem)
        self.empty.acted.connect(self._empty_action)
        self.stack = QStackedWidget()
        self._pages = {
            LoadState.READY: self._content_page(),
            LoadState.LOADING: _centred(Skeleton()),
            LoadState.EMPTY: self.empty,
            LoadState.ERROR: self.error,
        }
        for page in self._pages.values():
            self.stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head())
        layout.addWidget(self.stack, 1)
        self.foot = QVBoxLayout()
        self.foot.setSpacing(0)
        layout.addLayout(self.foot)
        self._clock = QTimer(self, interval=_CLOCK_MS)
        self._clock.timeout.connect(self._repaint)
        self.build()
        model.changed.connect(self._repaint)
        context.privacy.changed.connect(self._repaint)

    def build(self) -> None:
        """Fill `content`, `marks` and `tools`, once."""
        raise NotImplementedError

    def render_content(self) -> None:
        """Paint the model's view; called only once it is loaded."""
        raise NotImplementedError

    def render_head(self) -> None:
        """Paint the head line, in every state."""

    def empty_text(self) -> EmptyText:
        """Return the text for a screen without content."""
        return EmptyText("inbox", "Nothing here", "There is nothing to show.")

    def open(self, subject: str) -> None:
        """Show the screen for a subject; its times keep counting."""
        self._clock.start()
        self.model.open(subject)

    def pause(self) -> None:
        """Stop updating: the screen is no longer in front."""
        self._clock.stop()
        self.model.pause()

    def close_screen(self) -> None:
        """Close the screen for ever."""
        self._clock.stop()
        self.model.changed.disconnect(self._repaint)
        self.context.privacy.changed.disconnect(self._repaint)
        self.model.close()

    def back(self) -> bool:
        """Go back to where this screen was opened from. Return whether that is known."""
        return False

    def focus_filter(self) -> bool:
        """Focus the filter of this page. Return whether it has one."""
        return False

    def export_all(self) -> None:
        """Export the page's content; most pages have none."""

    def focus_armed(self) -> bool:
        """Focus the armed button. Return whether this page has one."""
        return False

    def focus_list(self) -> bool:
        """Focus the first list of this page, so that J and K move in it."""
        for kind in (DataTable, RowList):
            for found in self.findChildren(kind):
                if isinstance(found, QAbstractItemView) and found.isVisible():
                    found.setFocus()
                    return True
                if isinstance(found, RowList) and found.isVisible() and found.rows:
                    found.rows[0].setFocus()
                    return True
        return False

    @property
    def unsaved(self) -> str:
        """What would be lost with this page, as a sentence; ''."""
        return ""

    @property
    def masked(self) -> bool:
        """Whether amounts and addresses are hidden on this page."""
        return self.context.privacy.on

    def _repaint(self) -> None:
        model = self.model
        self.refusal.show_problem(model.refusal)
        if model.state is LoadState.READY:
            self.render_content()
        elif model.state is LoadState.EMPTY:
            text = self.empty_text()
            self.empty.show_empty(text.icon, text.title, text.sentence, text.action)
        elif model.state is LoadState.ERROR and model.problem is not None:
            self.error.show_problem(model.problem)
        self.render_head()
        self.stack.setCurrentWidget(self._pages[model.state])

    def _head(self) -> QWidget:
        head = row(self.back_button, self.heading, self.marks, 1, self.tools, spacing=12)
        bounded = QWidget()
        column_into(bounded, (head, self.refusal), 0, 12)
        bounded.setContentsMargins(MARGIN, 16, MARGIN, 0)
        bounded.setMaximumWidth(MAX_WIDTH + 2 * MARGIN)
        return bounded

    def _content_page(self) -> QWidget:
        inner = QWidget()
        inner.setProperty("pane", "app")
        inner.setMaximumWidth(MAX_WIDTH + 2 * MARGIN)
        outer = QVBoxLayout(inner)
        outer.setContentsMargins(MARGIN, 16, MARGIN, MARGIN)
        outer.addLayout(self.content, 0 if self.SCROLLS else 1)
        if not self.SCROLLS:
            return inner
        outer.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        bar = area.verticalScrollBar()
        # The scroll bar takes its width from the margin, so that right edges align with the head.
        bar.rangeChanged.connect(
            lambda _low, high: outer.setContentsMargins(
                MARGIN, 16, MARGIN - (_BAR if high else 0), MARGIN
            )
        )
        return area

    def _empty_action(self) -> None:
        go = self.empty_text().go
        if go is not None:
            go()

    def _copy_problem(self) -> None:
        if self.model.problem is not None:
            at = wording.exact(self.context.now_ms())
            self.context.copy(self.model.problem.details(self.NAME, at))


def _centred(widget: QWidget) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(MARGIN, 16, MARGIN, MARGIN)
    layout.addWidget(widget)
    layout.addStretch(1)
    return page
