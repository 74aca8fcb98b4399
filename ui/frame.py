"""The frame around the screens: sidebar, top bar, banner for an unreachable node."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from console.application.views import SessionView
from console.client import Profile
from ui import object_names as names
from ui import registry, status, theme, wording
from ui.problem import Problem
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import row
from ui.widgets.chip import Chip, IconMark
from ui.widgets.navigation import Avatar, NavButton
from ui.widgets.text import Label

_SIDEBAR, _ICONS_ONLY = 224, 56
_COMPACT_BELOW = 1280
_TOP = 56
_ACTIVITY = "What you asked the node"


class Frame(QWidget):
    """The parts that stay while screens change."""

    section_chosen = Signal(str)
    member_chosen = Signal(str)
    search_wanted = Signal()
    lock_wanted = Signal()
    privacy_wanted = Signal()
    help_wanted = Signal()
    activity_wanted = Signal()
    retry_wanted = Signal()

    def __init__(self, profiles: Sequence[Profile], me: Profile) -> None:
        super().__init__()
        self._compact = False
        self.sections: dict[str, NavButton] = {}
        self.pages = QStackedWidget()
        self.unreachable = Banner(Tone.UNKNOWN, names.FRAME_UNREACHABLE, action="Retry now")
        self.unreachable.acted.connect(self.retry_wanted)
        self.strip = HueStrip()
        banner = QVBoxLayout()
        banner.setContentsMargins(24, 16, 24, 0)
        banner.addWidget(self.unreachable)
        self._banner_holder = QWidget()
        self._banner_holder.setLayout(banner)
        self._banner_holder.hide()
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.strip)
        right.addWidget(self._top_bar(profiles, me))
        right.addWidget(self._banner_holder)
        right.addWidget(self.pages, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._sidebar())
        layout.addLayout(right, 1)

    @property
    def compact(self) -> bool:
        """Whether the sidebar shows icons only, and the top bar what is needed."""
        return self._compact

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the page the room of titles in a narrow window."""
        super().resizeEvent(event)
        compact = event.size().width() < _COMPACT_BELOW
        if compact != self._compact:
            self._set_compact(compact=compact)

    def _set_compact(self, *, compact: bool) -> None:
        self._compact = compact
        self._bar.setFixedWidth(_ICONS_ONLY if compact else _SIDEBAR)
        side = 8 if compact else 12
        self._entries.setContentsMargins(side, 0, side, 16)
        for button in self.sections.values():
            button.set_compact(compact=compact)
        for label in (self._brand, self._me):
            label.setVisible(not compact)
        self._search.setText("Search" if compact else "Search   Ctrl+K")
        self._search.setMinimumWidth(112 if compact else 240)
        self._lock.setText("Lock" if compact else "Lock  Ctrl+L")

    def show_section(self, section: str) -> None:
        """Highlight a sidebar entry."""
        self.sections[section].setChecked(True)

    def show_counts(self, *, approvals: int, ceremonies: int) -> None:
        """Show how many items wait."""
        self.sections["approvals"].set_count(approvals)
        self.sections["ceremonies"].set_count(ceremonies)

    def show_session(self, session: SessionView) -> None:
        """Show network, quorum and ledger."""
        self.network.set_look(status.network(session.network))
        self.strip.set_shown(session.network != "mainnet")
        people, able = len(session.members), sum(member.able for member in session.members)
        word = f"{wording.quorum(able, people)} ready to sign"
        if able == people:
            self.peers.set_look(Look("shield-check", word, Tone.OK))
        else:
            tone = Tone.WARN if able > 1 else Tone.UNKNOWN
            self.peers.set_look(Look("question-dashed", word, tone))
        self.peers.setToolTip(
            "\n".join(f"{m.name}: {status.presence(m).word.lower()}" for m in session.members)
        )

    def show_trouble(self, problem: Problem | None, action: str = "") -> None:
        """Show why the node does not answer, and what can be done; hide the banner for None."""
        self._banner_holder.setVisible(problem is not None)
        self.unreachable.set_action(action)
        self.unreachable.show_text(
            problem.what if problem else "",
            f"{problem.safe} {problem.next_step}" if problem else "",
        )

    def show_open(self, count: int) -> None:
        """Show how many commands have an outcome that is not known."""
        words = wording.count(count, "outcome is", "outcomes are")
        name = f"{_ACTIVITY}: {words} not known" if count else _ACTIVITY
        self.activity.setText(str(count) if count else "")
        self.activity.set_icon("question-dashed" if count else "list")
        self.activity.setAccessibleName(name)
        self.activity.setToolTip(name)

    def show_privacy(self, *, on: bool) -> None:
        """Show whether amounts are masked."""
        self.privacy.set_icon("eye-off" if on else "eye")
        self.privacy.setAccessibleName("Show amounts again" if on else "Hide amounts")
        self.privacy.setToolTip(f"{self.privacy.accessibleName()}  Ctrl+Shift+H")

    def _sidebar(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("pane", "sidebar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedWidth(_SIDEBAR)
        layout = QVBoxLayout(bar)
        layout.setContentsMargins(12, 0, 12, 16)
        layout.setSpacing(4)
        self._bar, self._entries = bar, layout
        self._brand = Label("Quorate", "brand")
        brand = row(IconMark("quorate", "accent", 24), self._brand, 1)
        brand.setContentsMargins(8, 16, 0, 16)
        layout.addLayout(brand)
        for place, entry in enumerate(registry.SECTIONS, 1):
            button = NavButton(entry.title, entry.icon, f"{names.NAV}.{entry.name}", f"Alt+{place}")
            name = entry.name
            button.clicked.connect(lambda _=False, name=name: self.section_chosen.emit(name))
            self.sections[entry.name] = button
            layout.addWidget(button)
        layout.addStretch(1)
        return bar

    def _top_bar(self, profiles: Sequence[Profile], me: Profile) -> QWidget:
        bar = QWidget()
        bar.setProperty("pane", "topbar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(_TOP)
        search = Button(
            "Search   Ctrl+K",
            "search",
            icon="search",
            name=names.FRAME_SEARCH,
            accessible="Search",
        )
        search.setMinimumWidth(240)
        search.setMaximumWidth(380)
        search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._search = search
        search.clicked.connect(self.search_wanted)
        self.network, self.peers = Chip(), Chip()
        self.privacy = Button(
            "", "ghost", icon="eye", name=names.FRAME_PRIVACY, accessible="Hide amounts"
        )
        self.privacy.clicked.connect(self.privacy_wanted)
        self.activity = Button(
            "",
            "ghost",
            icon="list",
            name=names.FRAME_ACTIVITY,
            accessible="What you asked the node",
        )
        self.activity.clicked.connect(self.activity_wanted)
        guide = Button("", "ghost", icon="help", name=names.FRAME_HELP, accessible="Help")
        guide.clicked.connect(self.help_wanted)
        lock = Button("Lock  Ctrl+L", icon="lock", name=names.FRAME_LOCK)
        lock.clicked.connect(self.lock_wanted)
        self._lock, self._me = lock, Label(me.name, "secondary")
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(24, 0, 24, 0)
        layout.setSpacing(8)
        layout.addWidget(search, 3)
        layout.addStretch(1)
        for part in (self.network, self.peers, self.privacy, self.activity, guide):
            layout.addWidget(part)
        if len(profiles) > 1:
            layout.addSpacing(4)
            for profile in profiles:
                layout.addWidget(self._avatar(profile, chosen=profile == me))
        layout.addWidget(self._me)
        layout.addSpacing(4)
        layout.addWidget(lock)
        return bar

    def _avatar(self, profile: Profile, *, chosen: bool) -> Avatar:
        avatar = Avatar(profile.name, f"{names.FRAME_MEMBER}.{profile.member}")
        avatar.setChecked(chosen)
        member = profile.member
        avatar.clicked.connect(lambda: self.member_chosen.emit(member))
        return avatar


class HueStrip(QWidget):
    """A coloured line above the top bar on every network but the main network."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(3)
        self._shown = False

    def set_shown(self, shown: bool) -> None:
        """Paint the line, or nothing."""
        self._shown = shown
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        del event
        painter = QPainter(self)
        token = "strip" if self._shown else "surface"
        painter.fillRect(QRectF(self.rect()), theme.color(token))
        painter.end()
