"""Tables: a model of painted cells, one delegate, and keys that move and open."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from ui import theme
from ui.widgets.cells import (
    PADDING,
    SKELETON,
    Cell,
    Column,
    Row,
    lines_height,
    natural_width,
    paint_text,
    shared_widths,
    to_hide,
)
from ui.widgets.chip import chip_width, paint_chip

Index = QModelIndex | QPersistentModelIndex
_CELL_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()


class CellModel(QAbstractTableModel):
    """The model as the delegate uses it: cells by index, keys by row."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)

    def row_at(self, line: int) -> Row | None:
        """Return a row, or None while it loads."""
        raise NotImplementedError

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return data for the delegate, assistive technology and tooltips."""
        row = self.row_at(index.row())
        if row is None:
            return SKELETON if role == _CELL_ROLE else None
        if role == _CELL_ROLE:
            return row.cells[index.column()]
        cell = row.cells[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.chip.word if cell.chip else cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = cell.amount.full if cell.amount else cell.text
            return cell.chip.word if cell.chip else words
        if role == Qt.ItemDataRole.ToolTipRole:
            full = cell.amount.full if cell.amount and not cell.amount.masked else ""
            return full or row.tip or None
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return column titles."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag
            across = side.AlignRight if self.columns[section].right else side.AlignLeft
            return across | side.AlignVCenter
        return None


class RowsModel(CellModel):
    """A model whose rows are all loaded."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return self._rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace the rows; the same number of rows keeps the selection."""
        fresh = tuple(rows)
        if fresh == self._rows:
            return
        if len(fresh) == len(self._rows):
            self._rows = fresh
            end = self.index(len(fresh) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), end)
            return
        self.beginResetModel()
        self._rows = fresh
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def row_at(self, line: int) -> Row | None:
        """Return a row."""
        return self._rows[line]


class RowDelegate(QStyledItemDelegate):
    """Paints all cells from one role."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return a row's height; the header sets widths."""
        del option, index
        return QSize(80, 40)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw background, selection bar and content."""
        cell: Cell = index.data(_CELL_ROLE)
        box = QRectF(option.rect)
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, theme.color("selection"))
            if index.column() == 0:
                bar = QRectF(box.left(), box.top(), 3, box.height())
                painter.fillRect(bar, theme.color("accent"))
        painter.fillRect(
            QRectF(box.left(), box.bottom() - 1, box.width(), 1), theme.color("border")
        )
        room = box.adjusted(12, 0, -12, 0)
        model = index.model()
        right = isinstance(model, CellModel) and model.columns[index.column()].right
        if cell.manner == "skeleton":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("neutral_bg"))
            bar = QRectF(room.left(), room.center().y() - 6, room.width() * 0.6, 12)
            painter.drawRoundedRect(bar, 4, 4)
        elif cell.chip is not None:
            width = min(chip_width(cell.chip.word, cell.chip.icon), room.width())
            left = room.right() - width if right else room.left()
            paint_chip(painter, QRectF(left, room.center().y() - 12, width, 24), cell.chip)
        else:
            view = option.widget
            focused = isinstance(view, DataTable) and view.shows_all(index.row())
            paint_text(painter, room, cell, right=right, full=focused)
        painter.restore()


class DataTable(QTableView):
    """A table that opens rows by Enter or double click and moves by J and K."""

    opened = Signal(str)

    def __init__(
        self, model: CellModel, name: str, accessible: str, *, row_height: int = 40
    ) -> None:
        super().__init__()
        self._cells = model
        self._row_height = row_height
        self._withheld: set[int] = set()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setModel(model)
        self.setItemDelegate(RowDelegate(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_height)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setFixedHeight(36)
        header.setMinimumSectionSize(48)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.doubleClicked.connect(self._open_index)
        model.modelReset.connect(self._share_room)
        model.dataChanged.connect(self._share_room)
        self.selectionModel().currentChanged.connect(lambda _now, _before: self._share_room())

    @property
    def keys(self) -> list[str]:
        """The keys of all loaded rows."""
        rows = (self._cells.row_at(line) for line in range(self._cells.rowCount()))
        return [row.key for row in rows if row is not None]

    @property
    def current_key(self) -> str:
        """The key of the selected row, or ''."""
        line = self.currentIndex().row()
        row = self._cells.row_at(line) if 0 <= line < self._cells.rowCount() else None
        return row.key if row else ""

    @property
    def rows_height(self) -> int:
        """The height of all rows together."""
        return self.verticalHeader().length()

    def hide_column(self, place: int, *, hidden: bool) -> None:
        """Withhold or show a column; the others share its width."""
        if hidden != (place in self._withheld):
            self._withheld ^= {place}
            self._share_room()

    def shows_all(self, line: int) -> bool:
        """Whether a row shows all decimals of its amounts: the selected one, with the focus."""
        return self.hasFocus() and self.currentIndex().row() == line

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width between the columns."""
        super().resizeEvent(event)
        self._share_room()

    def move_by(self, step: int) -> None:
        """Select another row; J and K do this."""
        if self._cells.rowCount():
            line = min(max(self.currentIndex().row() + step, 0), self._cells.rowCount() - 1)
            self.selectRow(line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Enter; copy the row's amount by Ctrl+C."""
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy_amount()
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and plain:
            self._open_index(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Make room for all decimals of the selected row."""
        super().focusInEvent(event)
        self._share_room()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show short amounts again."""
        super().focusOutEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        columns, room = self._cells.columns, self.viewport().width()
        needed = {place: self._needed(place) for place, column in enumerate(columns) if column.fits}
        hidden = set(self._withheld) | to_hide(columns, needed, room, self._withheld)
        for place in range(len(columns)):
            if self.isColumnHidden(place) != (place in hidden):
                self.setColumnHidden(place, place in hidden)
        shown = {place: column for place, column in enumerate(columns) if place not in hidden}
        rows = self._rows()
        wrapping = {place for place in needed if any(row.cells[place].whole for row in rows)}
        widths = shared_widths(shown, needed, room, wrapping)
        for place, width in widths.items():
            self.horizontalHeader().resizeSection(place, width)
        self._give_height(widths)
        self.viewport().update()

    def _rows(self) -> list[Row]:
        return list(self._cells.rows) if isinstance(self._cells, RowsModel) else []

    def _needed(self, place: int) -> int:
        """Return the width in which no content of a column is cut."""
        widths = [natural_width(row.cells[place]) for row in self._rows()]
        title = QFontMetrics(theme.font(12, QFont.Weight.DemiBold))
        widths.append(title.horizontalAdvance(self._cells.columns[place].title))
        return max(widths) + PADDING

    def _give_height(self, widths: dict[int, int]) -> None:
        """Make rows higher whose amounts need more lines than fit."""
        header = self.verticalHeader()
        for line, row in enumerate(self._rows()):
            height = self._row_height
            for place, width in widths.items():
                cell = row.cells[place]
                if cell.whole:
                    taken = lines_height(cell, width, full=self.shows_all(line))
                    height = max(height, taken + 4)
            if header.sectionSize(line) != height:
                header.resizeSection(line, height)

    def _copy_amount(self) -> None:
        line = self.currentIndex().row()
        row = self._cells.row_at(line) if 0 <= line < self._cells.rowCount() else None
        amounts = [cell.amount.plain for cell in row.cells if cell.amount] if row else []
        if amounts and amounts[0]:
            QApplication.clipboard().setText(amounts[0])

    def _open_index(self, index: QModelIndex) -> None:
        row = self._cells.row_at(index.row()) if index.isValid() else None
        if row is not None:
            self.opened.emit(row.key)
