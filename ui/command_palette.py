"""Ctrl+K: find any screen, request, wallet or ceremony by a part of its name."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from console.application.api import (
    CommandRefused,
    GetCeremonies,
    GetInbox,
    GetWallets,
    NodeUnreachable,
)
from ui import object_names as names
from ui import registry, status, wording
from ui.amounts import Sum
from ui.link import NodeLink
from ui.tasks import TaskOwner
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.fields import text_field
from ui.widgets.sheet import Sheet
from ui.widgets.table import DataTable, RowsModel
from ui.widgets.text import Label

_SHOWN = 9
_ROW = 40


class Target(NamedTuple):
    """A destination, and the text that matches it."""

    screen: str
    subject: str
    title: str
    kind: str
    found_by: str


class CommandPalette(Sheet):
    """A field and the destinations that match; Enter opens the chosen one."""

    def __init__(self, window: QWidget, navigate: Callable[[str, str], None]) -> None:
        super().__init__(window, "", width=640, top=True)
        self.tasks = TaskOwner()
        self._navigate = navigate
        self._link: NodeLink | None = None
        self._hide = False
        self._targets: tuple[Target, ...] = ()
        self._found: tuple[Target, ...] = ()
        self.field = text_field(
            names.PALETTE_FIELD, "Search", "Search requests, wallets, ceremonies, screens"
        )
        self.rows = RowsModel((Column("Go to", stretch=1), Column("", right=True, fits=True)))
        self.list = DataTable(self.rows, names.PALETTE_LIST, "Places", row_height=_ROW)
        self.list.horizontalHeader().hide()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.nothing = Label("Nothing matches. Type part of a name, an amount or a code.", "muted")
        self.card.body.setContentsMargins(16, 16, 16, 16)
        self.card.body.setSpacing(8)
        self.card.add(self.field, self.list, self.nothing)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.clicked.connect(lambda _: self._go())

    def ask(self, link: NodeLink, *, hide: bool) -> None:
        """Open; requests and wallets appear as soon as the node answers."""
        self._link, self._hide = link, hide
        self._targets = tuple(
            Target(entry.name, "", entry.title, "Screen", entry.title)
            for entry in registry.SECTIONS
        )
        self.field.clear()
        self._search("")
        self.open(self.field)
        self.tasks.start(self._load(link))

    def forget(self) -> None:
        """Drop all data of the node."""
        self.close_sheet()
        self._targets = self._found = ()
        self.rows.set_rows(())
        self.field.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let arrows and Enter in the field work on the list."""
        if watched is self.field and isinstance(event, QKeyEvent):
            if event.type() is not QEvent.Type.KeyPress:
                return False
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            step = steps.get(Qt.Key(event.key()))
            if step is not None:
                line = self.list.currentIndex().row() + step
                self.list.selectRow(min(max(line, 0), len(self._found) - 1))
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._go()
                return True
            return False
        return super().eventFilter(watched, event)

    async def _load(self, link: NodeLink) -> None:
        try:
            inbox, wallets, ceremonies = await asyncio.gather(
                link.ask(GetInbox()), link.ask(GetWallets()), link.ask(GetCeremonies())
            )
        except (CommandRefused, NodeUnreachable):
            return
        found = [
            Target("wallets", item.wallet, item.name, "Wallet", f"{item.name} wallet {item.wallet}")
            for item in wallets.wallets
        ]
        found += [
            Target(
                "recovery",
                item.wallet,
                f"Shares of {item.name}",
                "Recovery",
                f"{item.name} shares recovery refresh repair reshare drill {item.wallet}",
            )
            for item in wallets.wallets
        ]
        found.append(
            Target(
                "recovery",
                "machines",
                "Machines",
                "Recovery",
                "machines recovery replace lost machine add member endorse",
            )
        )
        found += [
            Target(
                "ceremonies",
                item.ceremony,
                wording.ceremony(item),
                status.CEREMONY[item.stage].word,
                f"ceremony {wording.ceremony(item)} {item.ceremony}",
            )
            for item in ceremonies.ceremonies
        ]
        found += [
            Target(
                "review",
                item.request,
                f"{Sum(item.amount, item.unit, self._hide).short} from {item.wallet_name} "
                f"\u00b7 {item.short_code}",
                status.REQUEST[item.stage].word,
                f"{item.short_code} {item.wallet_name} {item.to_address} {item.proposer_name} "
                f"{item.request} {item.amount}",
            )
            for item in inbox.rows
        ]
        self._targets += tuple(found)
        self._search(self.field.text())

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        self._found = tuple(_matching(self._targets, words))[:_SHOWN]
        self.rows.set_rows(
            [
                Row(str(place), (Cell(target.title, whole=True), Cell(target.kind, "muted")))
                for place, target in enumerate(self._found)
            ]
        )
        self.list.setVisible(bool(self._found))
        self.list.setFixedHeight(self.list.rows_height + 2)
        self.nothing.setVisible(not self._found)
        if self._found:
            self.list.selectRow(0)

    def _go(self) -> None:
        line = self.list.currentIndex().row()
        if 0 <= line < len(self._found):
            target = self._found[line]
            self.close_sheet()
            self._navigate(target.screen, target.subject)


def _matching(targets: Sequence[Target], words: Sequence[str]) -> list[Target]:
    return [
        target for target in targets if all(word in target.found_by.casefold() for word in words)
    ]
