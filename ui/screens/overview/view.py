"""The first page: tasks, wallets, members, and the newest events."""

from typing import NamedTuple

from PySide6.QtWidgets import QLayout, QWidget

from console.application.views import LedgerRow, MemberView, TaskView, WalletView
from ui import object_names as names
from ui import status, wording
from ui.amounts import Sum, trimmed_within
from ui.context import Context
from ui.screen import Screen
from ui.screens.overview.view_model import OverviewModel
from ui.status import Look
from ui.theme import Tone
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.chip import IconMark
from ui.widgets.rows import RowItem, RowList
from ui.widgets.text import Label

_TASK_ICONS = {
    "review": "inbox",
    "approvals": "inbox",
    "ceremonies": "people",
    "wallets": "wallet",
    "recovery": "lifebuoy",
}


class Tile(NamedTuple):
    """A figure with its name."""

    card: Card
    figure: Label
    note: Label


class OverviewScreen(Screen):
    """The first page."""

    NAME = "overview"
    TITLE = "Overview"
    HELP = (
        "Waiting for you lists what only this member can do. Enter opens the first one.",
        "Wallets show the last balances from the chain; Ctrl+R refreshes them.",
        "The quorum card shows who can sign, is online but locked, or unreachable. None is blamed.",
    )
    model: OverviewModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, OverviewModel(context))

    def build(self) -> None:
        """Lay out tiles, tasks, wallets, members and events."""
        self.open_first = Button(
            "Open first task", "primary", icon="arrow-right", name=names.OVERVIEW_OPEN_FIRST
        )
        self.open_first.clicked.connect(self._open_first)
        self.tools.addWidget(self.open_first)
        self.requests = _tile("Open requests", "inbox")
        self.ceremonies = _tile("Open ceremonies", "people")
        self.quorum = _tile("Ready to sign", "shield-check")
        self.ledger = _tile("Ledger records", "book")
        tiles = (self.requests, self.ceremonies, self.quorum, self.ledger)
        line = row(spacing=16)
        for tile in tiles:
            line.addWidget(tile.card, 1)
        self.content.addLayout(line)
        self.tasks = RowList(names.OVERVIEW_TASKS)
        self.tasks.opened.connect(self._open_task)
        self.no_tasks = Label("Nothing waits for you.", "muted")
        self.wallets = RowList(names.OVERVIEW_WALLETS)
        self.wallets.opened.connect(lambda key: self.context.navigate("wallets", key))
        self.no_wallets = Label("No wallet yet. A key ceremony creates one.", "muted", wrap=True)
        self.new_wallet = Button("New ceremony", icon="plus", name=names.OVERVIEW_NEW_WALLET)
        self.new_wallet.clicked.connect(lambda: self.context.navigate("ceremonies", "new"))
        offer = row(self.new_wallet, 1)
        offer.setContentsMargins(0, 8, 0, 0)
        self.members = RowList(names.OVERVIEW_MEMBERS, opens=False)
        self.recent = RowList(names.OVERVIEW_RECENT, opens=False)
        self.content.addLayout(
            columns(
                column(
                    _list_card("Waiting for you", self.tasks, self.no_tasks),
                    _list_card("Wallets", self.wallets, self.no_wallets, offer),
                    spacing=16,
                    stretch=True,
                ),
                column(
                    _list_card("Quorum", self.members),
                    _list_card("Recent events", self.recent),
                    spacing=16,
                    stretch=True,
                ),
            )
        )

    def render_content(self) -> None:
        """Paint the overview."""
        view = self.model.view
        if view is None:
            return
        self.requests.figure.setText(str(view.open_requests))
        self.requests.note.setText("not yet signed or denied")
        self.ceremonies.figure.setText(str(view.open_ceremonies))
        self.ceremonies.note.setText("proposed or running")
        self.quorum.figure.setText(wording.quorum(self.model.ready, len(view.members)))
        self.quorum.note.setText(f"{self.model.online} online")
        self.ledger.figure.setText(wording.number(view.ledger_sequence))
        behind = self.model.ledger_behind
        sealed = f"verified to #{wording.number(view.ledger_verified_to)}"
        self.ledger.note.setText("all verified" if not behind else sealed)
        now = self.context.now_ms()
        self.tasks.set_items(
            [_task_row(place, task, now, hide=self.masked) for place, task in enumerate(view.tasks)]
        )
        self.no_tasks.setVisible(not view.tasks)
        self.open_first.setVisible(bool(view.tasks))
        self.wallets.set_items([_wallet_row(wallet, hide=self.masked) for wallet in view.wallets])
        for part in (self.no_wallets, self.new_wallet):
            part.setVisible(not view.wallets)
        self.members.set_items([_member_row(member, now) for member in view.members])
        self.recent.set_items(
            [_event_row(event, now, hide=self.masked) for event in view.recent[:6]]
        )

    def _open_task(self, key: str) -> None:
        view = self.model.view
        if view is not None and int(key) < len(view.tasks):
            task = view.tasks[int(key)]
            self.context.navigate(task.screen, task.subject)

    def _open_first(self) -> None:
        self._open_task("0")


def _tile(title: str, icon: str) -> Tile:
    card = Card(spacing=4)
    figure, note = Label("", "total"), Label("", "caption")
    card.add(row(IconMark(icon, "muted", 16), Label(title, "caption"), 1), figure, note)
    return Tile(card, figure, note)


def _list_card(title: str, *parts: QWidget | QLayout) -> Card:
    card = Card(title, spacing=4)
    card.add(*parts)
    return card


def _task_row(place: int, task: TaskView, now: int, *, hide: bool) -> RowItem:
    due = None
    if task.due_ms is not None:
        soon = task.due_ms - now < 2 * 3_600_000
        words = wording.remaining(task.due_ms, now)
        due = Look("timer", words, Tone.WARN if soon else Tone.NEUTRAL)
    icon = _TASK_ICONS.get(task.screen, "inbox")
    title = wording.without_digits(trimmed_within(task.title), hide=hide)
    return RowItem(str(place), icon, title, task.detail, due, tone_icon="accent", whole=True)


def _wallet_row(wallet: WalletView, *, hide: bool) -> RowItem:
    balances = [
        Sum(account.balance, account.unit, hide) for account in wallet.accounts if account.balance
    ]
    quorum = wording.quorum(wallet.threshold, len(wallet.custodians))
    detail = f"{quorum} \u00b7 {wording.kinds(wallet.kinds)}"
    return RowItem(
        wallet.wallet,
        "wallet",
        wallet.name,
        detail,
        trailing=_shown([balance.short for balance in balances]),
        trailing_full=_shown([balance.full for balance in balances]),
        whole=True,
    )


def _member_row(member: MemberView, now: int) -> RowItem:
    name = f"{member.name} (you)" if member.is_me else member.name
    seen = "this machine" if member.is_me else f"seen {wording.ago(member.last_seen_ms, now)}"
    if member.ledger_sequence is not None:
        seen += f" \u00b7 ledger #{wording.number(member.ledger_sequence)}"
    return RowItem(member.member, "user", name, seen, status.presence(member))


def _event_row(event: LedgerRow, now: int, *, hide: bool) -> RowItem:
    detail = f"#{wording.number(event.sequence)} \u00b7 {wording.ago(event.at_ms, now)}"
    return RowItem(
        str(event.sequence), "seal", wording.without_digits(event.summary, hide=hide), detail
    )


def _shown(balances: list[str]) -> str:
    """Return the first balance and the number of others: a row has no room for all."""
    if not balances:
        return "Unknown"
    more = len(balances) - 1
    return f"{balances[0]} \u00b7 {more} more" if more else balances[0]
