"""An account's history from its chain, beside the requests of this vault."""

from PySide6.QtCore import Signal

from console.application.views import MovementsView, MovementView
from ui import object_names as names
from ui import wording
from ui.amounts import Sum
from ui.widgets.card import Card
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.table import DataTable, RowsModel
from ui.widgets.text import Label

_ROW = 44
_SHOWN = 6
_HASTE = "A payment waits. Open its line to speed it up, for a fee from this wallet."


class MovementsCard(Card):
    """Empty where a chain's nodes keep no history of an account.

    `accelerated` names the waiting payment to speed up, where the chain allows it.
    """

    accelerated = Signal(str)

    def __init__(self) -> None:
        super().__init__("On the chain", spacing=8)
        self.rows = RowsModel(
            (
                Column("Amount", right=True, fits=True),
                Column("Transaction", stretch=1),
                Column("Block", right=True, fits=True),
                Column("Time", right=True, fits=True, spare=1),
            )
        )
        self.table = DataTable(self.rows, names.WALLET_MOVEMENTS, "Movements", row_height=_ROW)
        self.sentence = Label("", "muted", wrap=True)
        self.haste = Label(_HASTE, "muted", wrap=True)
        self._waiting: frozenset[str] = frozenset()
        self.table.opened.connect(self._opened)
        self.add(self.table, self.haste, self.sentence)

    def show_movements(
        self, told: MovementsView | None, trouble: str, *, hide: bool, hastens: bool
    ) -> None:
        """Paint the movements that the chain's node reports; a claim that decides nothing."""
        lines = told.lines if told is not None else ()
        waiting = (line.transaction_id for line in lines if line.incoming and not line.block)
        self._waiting = frozenset(waiting) if hastens else frozenset()
        self.haste.setVisible(bool(self._waiting))
        self.rows.set_rows([_row(line, hide=hide) for line in lines])
        self.table.setVisible(bool(lines))
        self.table.setFixedHeight(36 + _ROW * min(len(lines), _SHOWN) + 2)
        empty = "" if lines else "The chain's node reports no movements."
        asking = "Asking the chain." if told is None else empty
        self.sentence.show_text(trouble or asking)

    def _opened(self, transaction_id: str) -> None:
        if transaction_id in self._waiting:
            self.accelerated.emit(transaction_id)


def _row(line: MovementView, *, hide: bool) -> Row:
    sign = "+" if line.incoming else "\u2212"
    amount = Sum(f"{sign}{line.amount}", line.unit, hide)
    shown = wording.masked(wording.shortened(line.transaction_id, 3), hide=hide)
    return Row(
        line.transaction_id,
        (
            Cell.of_amount(amount),
            Cell(shown, "mono"),
            Cell(str(line.block) if line.block else "waiting", "muted"),
            Cell(wording.moment(line.at_ms) if line.at_ms else "", "muted"),
        ),
        "Hidden by privacy mode" if hide else line.transaction_id,
    )
