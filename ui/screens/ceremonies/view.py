"""Ceremonies: the list, the proposal form, and one ceremony."""

from PySide6.QtWidgets import QWidget

from console.application.views import CeremonyStage, CeremonyView
from console.domain.values import CeremonyPurpose
from ui import object_names as names
from ui import status, wording
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.ceremonies.detail import CeremonyDetail
from ui.screens.ceremonies.form import CeremonyForm
from ui.screens.ceremonies.view_model import NEW, CeremoniesModel
from ui.widgets.buttons import Button
from ui.widgets.card import Card
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.chip import Chip
from ui.widgets.older import OlderLine
from ui.widgets.sheet import ReasonSheet
from ui.widgets.table import DataTable, RowsModel

_ROW = 48


class CeremoniesScreen(Screen):
    """The screen where keys are generated and their shares change."""

    NAME = "ceremonies"
    TITLE = "Ceremonies"
    HELP = (
        "A ceremony generates the shares of a new wallet, or changes those of an existing one.",
        "Refresh, repair and reshare start on the Recovery screen.",
        "The matrix shows who has sent and verified what in each round.",
        "At the end all custodians compare 6 words and a group by voice.",
        "Confirm only if every word is the same; otherwise cancel and start again.",
    )
    model: CeremoniesModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, CeremoniesModel(context))

    def build(self) -> None:
        """Lay out the three pages."""
        self.stage = Chip()
        self.marks.addWidget(self.stage)
        self.new = Button("New ceremony", "primary", icon="plus", name=names.CEREMONIES_NEW)
        self.new.clicked.connect(lambda: self.context.navigate("ceremonies", NEW))
        self.tools.addWidget(self.new)
        self.rows = RowsModel(
            (
                Column("State", fits=True),
                Column("Purpose", fits=True),
                Column("Wallet", stretch=2),
                Column("Quorum", width=88, spare=1),
                Column("Accepted", width=88, spare=3),
                Column("Proposed by", stretch=2, spare=4),
                Column("What waits", stretch=4),
                Column("Proposed", right=True, fits=True, spare=2),
            )
        )
        self.table = DataTable(self.rows, names.CEREMONIES_LIST, "Ceremonies", row_height=_ROW)
        self.table.opened.connect(lambda key: self.context.navigate("ceremonies", key))
        self.table.clicked.connect(lambda _: self._open_clicked())
        self.list_page = Card(padding=0, spacing=0)
        self.list_page.body.setContentsMargins(1, 4, 1, 8)
        self.list_page.add(self.table)
        self.older = OlderLine("ceremonies.older", "ceremonies")
        self.older.wanted.connect(self.model.show_older)
        self.list_page.add(self.older)
        self.form, self.detail = CeremonyForm(), CeremonyDetail()
        for page in (self.list_page, self.form, self.detail):
            self.content.addWidget(page)
        model = self.model
        window = self.context.window
        self.decline_panel = ReasonSheet(
            window, "Decline this ceremony", "Decline", names.CEREMONY_DECLINE_PANEL
        )
        self.cancel_panel = ReasonSheet(
            window, "Cancel this ceremony", "Cancel ceremony", names.CEREMONY_CANCEL_PANEL
        )
        self.decline_panel.given.connect(model.decline)
        self.cancel_panel.given.connect(model.cancel)
        self.form.proposed.connect(self._propose)
        self.detail.accepted.connect(model.accept)
        self.detail.declined.connect(self._ask_decline)
        self.detail.confirmed.connect(model.confirm)
        self.detail.cancelled.connect(self._ask_cancel)
        self.detail.wallet_opened.connect(self._open_wallet)

    def open(self, subject: str) -> None:
        """Open with an empty form."""
        if subject == NEW and self.model.subject != NEW:
            self.form.clear()
        self._close_panels()
        super().open(subject)

    def pause(self) -> None:
        """Close the panels with the page."""
        self._close_panels()
        super().pause()

    def close_screen(self) -> None:
        """Close the panels too."""
        for panel in (self.decline_panel, self.cancel_panel):
            panel.hide()
            panel.deleteLater()
        super().close_screen()

    def back(self) -> bool:
        """Go from a ceremony to the list."""
        if not self.model.subject:
            return False
        self.context.navigate("ceremonies", "")
        return True

    def render_head(self) -> None:
        """Name the page."""
        model, ceremony = self.model, self.model.ceremony
        self.back_button.setVisible(bool(model.subject))
        self.new.setVisible(not model.subject and bool(model.view and model.view.ceremonies))
        one = bool(model.subject) and model.subject != NEW and ceremony is not None
        self.stage.setVisible(one)
        titles = {"": self.TITLE, NEW: "New ceremony"}
        self.heading.setText(titles.get(model.subject, "Ceremony"))
        if one and ceremony is not None:
            self.heading.setText(wording.ceremony(ceremony))
            self.stage.set_look(status.CEREMONY[ceremony.stage])

    def render_content(self) -> None:
        """Paint the page that the subject names."""
        model = self.model
        form, one = model.subject == NEW, model.subject not in {"", NEW}
        self._show(self.list_page, shown=not model.subject)
        self._show(self.form, shown=form)
        self._show(self.detail, shown=one)
        if one and model.ceremony is not None:
            over = self.context.now_ms() >= model.ceremony.expires_at_ms
            self.detail.show_ceremony(
                model.ceremony, self._people(), working=bool(model.hindrance), expired=over
            )
            self._follow(model.ceremony)
        elif model.view is not None and form:
            self.form.show_kinds(model.view.kinds)
            self.form.show_members(model.view.members, hindrance=model.hindrance)
        elif model.view is not None:
            self.rows.set_rows([_row(item) for item in model.view.ceremonies])
            self.table.setFixedHeight(40 + _ROW * min(len(model.view.ceremonies), 14))
            self.older.show_count(len(model.view.ceremonies), model.view.total)

    def empty_text(self) -> EmptyText:
        """Return the text that says what a ceremony is for."""
        return EmptyText(
            "people",
            "No ceremony yet",
            "A ceremony creates a wallet: each custodian holds one share, and no one holds the "
            "complete key.",
            "New ceremony",
            lambda: self.context.navigate("ceremonies", NEW),
        )

    def _people(self) -> dict[str, str]:
        session = self.context.link.session
        return {item.member: item.name for item in session.members} if session else {}

    def _ask_decline(self) -> None:
        self.decline_panel.ask(f"The ceremony ends for all members. {self._kept('No key exists.')}")

    def _ask_cancel(self) -> None:
        self.cancel_panel.ask(
            f"None of its shares can be used. {self._kept('You can start again.')}"
        )

    def _follow(self, view: CeremonyView) -> None:
        """Keep open questions true: what the ceremony has become is said in them."""
        blocked = self.model.hindrance
        over = f"This ceremony can no longer be declined. {view.sentence}"
        self.decline_panel.follow("" if view.can_accept else over, blocked)
        over = f"This ceremony can no longer be cancelled. {view.sentence}"
        self.cancel_panel.follow("" if view.can_cancel else over, blocked)

    def _close_panels(self) -> None:
        self.decline_panel.close_sheet()
        self.cancel_panel.close_sheet()

    def _kept(self, otherwise: str) -> str:
        ceremony = self.model.ceremony
        changes = ceremony is not None and ceremony.purpose != CeremonyPurpose.GENERATE
        return "The old shares stay valid." if changes else otherwise

    @staticmethod
    def _show(page: QWidget, *, shown: bool) -> None:
        page.setVisible(shown)

    def _propose(self) -> None:
        form = self.form
        self.model.propose(
            form.name.text(),
            form.kinds,
            form.threshold.value,
            form.approvals.value,
            form.custodians,
        )

    def _open_clicked(self) -> None:
        if self.table.current_key:
            self.context.navigate("ceremonies", self.table.current_key)

    def _open_wallet(self) -> None:
        if self.model.ceremony is not None:
            self.context.navigate("wallets", self.model.ceremony.wallet)


def _row(item: CeremonyView) -> Row:
    accepted = sum(person.accepted_ms is not None for person in item.custodians)
    people = len(item.custodians)
    waits = "" if item.stage is CeremonyStage.COMPLETED else item.sentence
    return Row(
        item.ceremony,
        (
            Cell("", chip=status.CEREMONY[item.stage]),
            Cell("", chip=status.purpose(item.purpose)),
            Cell(item.wallet_name, "strong"),
            Cell(wording.quorum(item.threshold, wording.holders(item))),
            Cell(wording.quorum(accepted, people)),
            Cell(item.proposer_name),
            Cell(waits, "muted"),
            Cell(wording.moment(item.proposed_at_ms), "muted"),
        ),
        f"{wording.ceremony(item)}\n{item.sentence}",
    )
