"""A table model over ledger pages; rows that are loading are shown as bars."""

from PySide6.QtCore import QModelIndex

from console.application.views import LedgerRow
from ui import wording
from ui.screens.audit.view_model import AuditModel
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.table import CellModel, Index

_COLUMNS = (
    Column("Record", width=104),
    Column("Time (UTC)", width=160),
    Column("What happened", stretch=3),
    Column("Event", stretch=2),
    Column("Member", width=120),
    Column("Hash", width=216),
)
_ROOT = QModelIndex()


class LedgerTable(CellModel):
    """Counts all records; loads those that are visible."""

    SPARE = (3, 5)
    """Columns that the drawer shows too; hidden while it is open."""

    def __init__(self, model: AuditModel) -> None:
        super().__init__(_COLUMNS)
        self._model = model
        self._total = 0
        self._generation = -1

    def sync(self) -> None:
        """Follow the model: reset when the ledger changed, else repaint."""
        if self._generation != self._model.generation or self._total != self._model.total:
            self.beginResetModel()
            self._generation, self._total = self._model.generation, self._model.total
            self.endResetModel()
        elif self._total:
            end = self.index(self._total - 1, len(_COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), end)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of matching records."""
        return 0 if parent.isValid() else self._total

    def row_at(self, line: int) -> Row | None:
        """Return a record as a row."""
        record = self._model.row(line)
        hide = self._model.context.privacy.on
        return _row(record, hide=hide) if record is not None else None


def _row(record: LedgerRow, *, hide: bool) -> Row:
    summary = wording.without_digits(record.summary, hide=hide)
    return Row(
        str(record.sequence),
        (
            Cell(f"#{wording.number(record.sequence)}", "strong"),
            Cell(wording.moment(record.at_ms).removesuffix(" UTC"), "muted"),
            Cell(summary),
            Cell(record.name, "muted"),
            Cell(record.member),
            Cell(wording.shortened(record.hash), "mono"),
        ),
        summary,
    )
