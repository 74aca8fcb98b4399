"""The members' machines: where each is reached, its version and certificate, and what to change."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.application.views import LinkView
from ui import object_names as names
from ui import wording
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.text import Label

CHANGE = "Change address\u2026"
ENTER = "Enter address\u2026"


class LinksCard(Card):
    """One line a member; `moving` and `entering` carry a link, the other signals nothing."""

    moving = Signal(object)
    entering = Signal(object)
    key_wanted = Signal()
    finish_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Members\u2019 machines", spacing=12)
        self.key = Button("Change TLS key\u2026", icon="refresh", name=names.LINKS_KEY)
        self.head.addWidget(self.key)
        self.coming = Banner(Tone.INFO, names.LINKS_COMING, action="Go over now\u2026")
        self.lines: dict[str, LinkLine] = {}
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self.add(self.coming, self._column)
        self.key.clicked.connect(self.key_wanted)
        self.coming.acted.connect(self.finish_wanted)

    def show_links(self, links: tuple[LinkView, ...], now: int, *, blocked: bool) -> None:
        """Paint the lines; members come, and none goes."""
        self.setVisible(bool(links))
        own_version = next((link.version for link in links if link.is_me), "")
        for link in links:
            if link.member not in self.lines:
                self._add(link)
            self.lines[link.member].show_link(link, own_version, now, blocked=blocked)
            if link.is_me:
                self._show_key(link, blocked=blocked)

    def _show_key(self, own: LinkView, *, blocked: bool) -> None:
        self.key.setEnabled(not (blocked or own.new_key))
        if not own.new_key:
            self.coming.show_text("")
            return
        missing = wording.listed(own.untold)
        waits = f"{missing} has not said so yet." if len(own.untold) == 1 else ""
        waits = waits or (f"{missing} have not said so yet." if missing else "")
        self.coming.show_text(
            "This machine goes over to its new TLS key once all members have it.",
            f"{waits} Until then the old key is in use as well.".strip(),
        )

    def _add(self, link: LinkView) -> None:
        line = LinkLine(link)
        line.act.clicked.connect(
            lambda: (self.moving if line.link.is_me else self.entering).emit(line.link)
        )
        self.lines[link.member] = line
        self._column.addWidget(line)


class LinkLine(QWidget):
    """A member's machine, and the button for its address."""

    def __init__(self, link: LinkView) -> None:
        super().__init__()
        self.link = link
        self.title = Label("", "strong", wrap=True)
        self.detail = Label("", "secondary", wrap=True)
        self.warning = Label("", "warn", wrap=True)
        self.act = Button(
            CHANGE if link.is_me else ENTER,
            name=f"{names.LINKS_ADDRESS}.{link.member}",
            accessible=f"{CHANGE if link.is_me else ENTER} {link.name}",
        )
        line = row(spacing=12)
        line.addLayout(column(self.title, self.detail, self.warning, spacing=2), 1)
        line.addWidget(self.act)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)

    def show_link(self, link: LinkView, own_version: str, now: int, *, blocked: bool) -> None:
        """Paint a machine."""
        self.link = link
        self.title.setText(f"{link.name} (you)" if link.is_me else link.name)
        parts = (_address(link), _version(link, own_version), _certificate(link, now))
        self.detail.setText(" \u00b7 ".join(part for part in parts if part))
        warning = f"{link.warning}. {link.advice}." if link.warning else ""
        self.warning.show_text(warning)
        self.act.setEnabled(not blocked)


def _address(link: LinkView) -> str:
    if link.address_here:
        return f"{link.address_here}, entered here (it says {link.address})"
    return link.address


def _version(link: LinkView, own: str) -> str:
    if link.version_differs:
        return f"\u26a0 version {link.version}, yours is {own}"
    return f"version {link.version}" if link.version else "version not known"


def _certificate(link: LinkView, now: int) -> str:
    if link.certificate_ends_ms is None:
        return ""
    ended = "ended" if link.certificate_ends_ms <= now else "until"
    return f"certificate {ended} {wording.moment(link.certificate_ends_ms)[:10]}"
