"""Guides through a demonstration vault: follows the node's views, and shows the panel beside."""

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from console.application.api import (
    Change,
    CommandRefused,
    GetCeremonies,
    GetInbox,
    GetWallets,
    NodeUnreachable,
)
from console.client.set_up.messages import TrialReady
from ui import object_names
from ui.first_run.guide_panel import GuidePanel
from ui.first_run.guide_steps import Seen, generates, steps
from ui.link import NodeLink
from ui.tasks import TaskOwner
from ui.widgets.fields import LimitedField, PinField

_SOON_MS, _AGAIN_MS = 200, 3_000
_FIELD_MS, _FIELD_TRIES = 100, 50
_IN_HEX = "0x52908400098527886E0F7030069857D2E4169EE7"
_IN_BASE_58 = "7YttLkHDoNj9wyDur5pM1ejNaAvT9X4eqaYcHQqtj2G5"
_AMOUNT = "0.25"
"""An example payment: a beginner has no address at hand, and the coins are worth nothing."""


class Guide(QObject):
    """Does nothing where there is no demonstration."""

    throw_away = Signal()

    def __init__(self, trial: TrialReady | None, show_screen: Callable[[str, str], None]) -> None:
        super().__init__()
        self._trial = trial
        self._show_screen = show_screen
        self._tasks = TaskOwner()
        self._link: NodeLink | None = None
        self._pages: QWidget | None = None
        self.seen = Seen()
        self.panel: GuidePanel | None = None
        self._timer = QTimer(self, interval=_SOON_MS, singleShot=True)
        # Balances come from the chain: no change at the node tells of them.
        self._clock = QTimer(self, interval=_AGAIN_MS)
        for timer in (self._timer, self._clock):
            timer.timeout.connect(self._look_soon)
        if trial is not None:
            self.panel = GuidePanel(trial.pin)
            self.panel.went.connect(self._go)
            self.panel.pin_wanted.connect(self._enter_pin)
            self.panel.throw_away.connect(self.throw_away)
            self.panel.show_steps(steps(self.seen))

    def beside(self, pages: QWidget) -> QWidget:
        """Return the pages with the panel at their right; the pages alone without a guide."""
        self._pages = pages
        if self.panel is None:
            return pages
        both = QWidget()
        layout = QHBoxLayout(both)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(pages, 1)
        layout.addWidget(self.panel)
        return both

    def follow(self, link: NodeLink) -> None:
        """Follow a node; only the demonstration's first member is guided."""
        if self._trial is None:
            return
        mine = link.profile.member == self._trial.member
        self._link = link if mine else None
        if self.panel is not None:
            self.panel.setVisible(mine)
        if mine:
            link.changed.connect(self._moved)
            link.session_changed.connect(self._look_soon)
            self._clock.start()

    def close(self) -> None:
        """Stop looking."""
        self._timer.stop()
        self._clock.stop()
        self._tasks.close()

    def _go(self, screen: str, subject: str) -> None:
        self._show_screen(screen, subject)
        if screen == "new_transfer":
            self._fill_in(_FIELD_TRIES)

    def _fill_in(self, tries: int) -> None:
        """Fill in an example payment, as soon as the form is there; nothing is overwritten."""
        window = self._pages.window() if self._pages is not None else None
        if window is None or not self.seen.wallets or not self.seen.wallets[0].accounts:
            return
        payee = _payee(self.seen.wallets[0].accounts[0].address)
        for name, text in (
            (object_names.TRANSFER_TO, payee),
            (object_names.TRANSFER_AMOUNT, _AMOUNT),
        ):
            field = window.findChild(LimitedField, name)
            if field is None or not field.isVisible():
                if tries:
                    QTimer.singleShot(_FIELD_MS, self, lambda: self._fill_in(tries - 1))
                return
            if not field.text():
                field.setText(text)
                field.setCursorPosition(0)

    def _moved(self, change: Change) -> None:
        del change
        if not self._timer.isActive():
            self._timer.start()

    def _look_soon(self) -> None:
        if not self._tasks.busy:
            self._tasks.start(self._look())

    async def _look(self) -> None:
        link = self._link
        if link is None:
            return
        seen = Seen(session=link.session)
        if seen.ready:
            try:
                seen = Seen(
                    session=link.session,
                    ceremonies=tuple(
                        filter(generates, (await link.ask(GetCeremonies())).ceremonies)
                    ),
                    wallets=(await link.ask(GetWallets())).wallets,
                    rows=(await link.ask(GetInbox())).rows,
                )
            except (CommandRefused, NodeUnreachable):
                return
        else:
            # A locked node shows nothing more: what was done stays done.
            seen = Seen(
                session=link.session,
                ceremonies=self.seen.ceremonies,
                wallets=self.seen.wallets,
                rows=self.seen.rows,
            )
        self.seen = seen
        if self.panel is not None and shiboken6.isValid(self.panel):
            self.panel.show_steps(steps(seen))

    def _enter_pin(self) -> None:
        """Fill the PIN field that is in front."""
        if self._pages is None or self._trial is None:
            return
        window = self._pages.window()
        fields = [each for each in window.findChildren(PinField) if each.isVisible()]
        for field in fields:
            if field.isEnabled():
                field.setText(self._trial.pin)
                field.setFocus()
                return


def _payee(own: str) -> str:
    """Return an address of the form of one's own; '' if there is no example of it."""
    if own.startswith("0x"):
        return _IN_HEX
    # Addresses in base 32 are in one case.
    return "" if own in {own.lower(), own.upper()} else _IN_BASE_58
