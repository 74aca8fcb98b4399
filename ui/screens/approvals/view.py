"""The inbox of requests."""

from PySide6.QtWidgets import QSizePolicy

from console.application.views import RequestRow
from ui import object_names as names
from ui import status, wording
from ui.amounts import Sum
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.approvals.view_model import DONE, MINE, TEAM, ApprovalsModel
from ui.widgets.buttons import Button
from ui.widgets.card import Card, row
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.fields import text_field
from ui.widgets.older import OlderLine
from ui.widgets.table import DataTable, RowsModel
from ui.widgets.tabs import Tabs
from ui.widgets.text import Label

_TITLES = {MINE: "Mine", TEAM: "Team", DONE: "Done"}
_NOTHING = {
    MINE: "Nothing waits for you. New requests start from a wallet.",
    TEAM: "No request waits for other members. New requests start from a wallet.",
    DONE: "No request has ended yet. Open ones are under Mine and Team.",
}


class ApprovalsScreen(Screen):
    """Triage: amount, destination, state and expiry."""

    NAME = "approvals"
    TITLE = "Approvals"
    SCROLLS = False
    HELP = (
        "Mine holds the requests that wait for your decision. Enter opens one for review.",
        "Nothing is decided in this list: approving and denying happen on the review page.",
        "J and K or the arrow keys move; Ctrl+F filters by wallet, address, person or code.",
    )
    model: ApprovalsModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, ApprovalsModel(context))

    def build(self) -> None:
        """Lay out tabs, filter and table."""
        self.tabs = Tabs(names.APPROVALS_TABS, tuple(_TITLES.items()))
        self.tabs.chosen.connect(self.model.choose)
        self.filter = text_field("approvals.filter", "Filter requests", "Filter requests   Ctrl+F")
        self.filter.setFixedWidth(280)
        self.filter.setClearButtonEnabled(False)
        self.filter.textChanged.connect(self.model.filter)
        self.rows = RowsModel(
            (
                Column("State", fits=True),
                Column("Amount", right=True, fits=True),
                Column("Wallet", stretch=2),
                Column("To", fits=True, spare=1),
                Column("Approvals", width=96, spare=2),
                Column("Requested by", stretch=2, spare=3),
                Column("Code", fits=True),
                Column("When", right=True, fits=True),
            )
        )
        self.table = DataTable(self.rows, names.APPROVALS_LIST, "Requests", row_height=48)
        self.table.opened.connect(lambda key: self.context.navigate("review", key))
        self.table.clicked.connect(lambda _: self._open_clicked())
        self.nothing = Label("", "muted", wrap=True)
        self.next = Button("", name=names.APPROVALS_NEXT)
        self.next.clicked.connect(self._do_next)
        card = Card(padding=0, spacing=0)
        card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        bar = row(self.tabs, 1, self.filter)
        bar.setContentsMargins(16, 12, 16, 8)
        offer = row(self.next, 1)
        offer.setContentsMargins(28, 0, 16, 16)
        self.nothing.setContentsMargins(28, 16, 16, 12)
        card.add(bar, self.nothing, offer)
        card.body.addWidget(self.table, 1)
        card.body.addStretch(0)
        self.older = OlderLine("approvals.older", "requests")
        self.older.wanted.connect(self.model.show_older)
        card.add(self.older)
        self.content.addWidget(card, 1)

    def render_content(self) -> None:
        """Paint the chosen tab."""
        model = self.model
        self.tabs.choose(model.tab)
        for tab, title in _TITLES.items():
            self.tabs.set_title(tab, f"{title}  {len(model.part(tab))}")
        now = self.context.now_ms()
        self.rows.set_rows([_row(item, now, hide=self.masked) for item in model.shown])
        self.table.setVisible(bool(model.shown))
        if model.view is not None:
            self.older.show_count(len(model.view.rows), model.view.total)
        self.nothing.show_text(
            "" if model.shown else ("Nothing matches." if model.text else _NOTHING[model.tab])
        )
        self.next.setText("Clear filter" if model.text else "Open wallets")
        self.next.setAccessibleName(self.next.text())
        self.next.setVisible(not model.shown and (bool(model.text) or model.tab != DONE))

    def empty_text(self) -> EmptyText:
        """Return the text of a clear inbox."""
        return EmptyText(
            "inbox",
            "Inbox clear",
            "No transfer was requested here yet. Requests start from a wallet.",
            "Open wallets",
            lambda: self.context.navigate("wallets", ""),
        )

    def focus_filter(self) -> bool:
        """Focus the filter."""
        self.filter.setFocus()
        return True

    def _do_next(self) -> None:
        if self.model.text:
            self.filter.clear()
            self.filter.setFocus()
        else:
            self.context.navigate("wallets", "")

    def _open_clicked(self) -> None:
        if self.table.current_key:
            self.context.navigate("review", self.table.current_key)


def _row(item: RequestRow, now: int, *, hide: bool) -> Row:
    look = status.REQUEST[item.stage]
    ended = item.stage not in status.OPEN_REQUESTS
    expires = (
        wording.moment(item.proposed_at_ms)[:10]
        if ended
        else wording.remaining(item.expires_at_ms, now)
    )
    to = wording.masked(wording.shortened(item.to_address), hide=hide)
    tip = "Hidden by privacy mode" if hide else f"To {' '.join(wording.chunks(item.to_address))}"
    return Row(
        item.request,
        (
            Cell("", chip=look),
            Cell.of_amount(Sum(item.amount, item.unit, hide)),
            Cell(item.wallet_name),
            Cell(to, "mono"),
            Cell(wording.quorum(item.approvals_done, item.approvals_needed)),
            Cell(item.proposer_name),
            Cell(item.short_code, "mono"),
            Cell(expires, "muted"),
        ),
        tip,
    )
