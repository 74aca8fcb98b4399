"""The audit ledger: records, filter, one record in full, verification."""

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QProgressBar, QSizePolicy

from ui import object_names as names
from ui import wording
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.audit.ledger_table import LedgerTable
from ui.screens.audit.view_model import AuditModel
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.chip import Chip
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.facts import Fact, Facts
from ui.widgets.fields import text_field
from ui.widgets.table import DataTable
from ui.widgets.text import Label


class AuditScreen(Screen):
    """Search, read, verify."""

    NAME = "audit"
    TITLE = "Audit ledger"
    SCROLLS = False
    HELP = (
        "Every record carries the hash of the one before. Verify chain recomputes all of them.",
        "Enter shows one record in full. Ctrl+F filters by name, member and stream.",
        "If the chain is broken, stop: leave the machine as it is and call your security officer.",
    )
    model: AuditModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, AuditModel(context))

    def build(self) -> None:
        """Lay out filter, table and drawer."""
        self.verified = Chip()
        self.marks.addWidget(self.verified)
        self.verify = Button(
            "Verify chain", "primary", icon="shield-check", name=names.AUDIT_VERIFY
        )
        self.verify.clicked.connect(self.model.verify)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setFixedWidth(160)
        self.progress.setAccessibleName("Verification progress")
        self.progress_text = Label("", "caption")
        self.tools.addWidget(self.progress_text)
        self.tools.addWidget(self.progress)
        self.export = Button("Export", icon="book", name=names.AUDIT_EXPORT)
        self.export.setToolTip("Ctrl+E writes the ledger to a file that anyone can verify")
        self.export.clicked.connect(self.model.export)
        self.tools.addWidget(self.export)
        self.tools.addWidget(self.verify)
        self.broken = Banner(Tone.DANGER, "audit.broken")
        self.filter = text_field(names.AUDIT_FILTER, "Filter records", "Filter records   Ctrl+F")
        self.filter.setFixedWidth(320)
        self.filter.textChanged.connect(self.model.filter)
        self.clear = Button("Clear", "ghost", icon="x", name=names.AUDIT_CLEAR)
        self.clear.clicked.connect(self.filter.clear)
        self.count = Label("", "caption")
        self.rows = LedgerTable(self.model)
        self.table = DataTable(self.rows, names.AUDIT_LIST, "Ledger records", row_height=36)
        self.table.opened.connect(lambda _: self._select(self.table.currentIndex()))
        self.table.clicked.connect(self._select)
        self.nothing = Label("No record matches. Clear the filter to see all of them.", "muted")
        bar = row(self.filter, self.clear, 1, self.count)
        bar.setContentsMargins(16, 12, 16, 12)
        card = Card(padding=1, spacing=0)
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.nothing.setContentsMargins(28, 8, 16, 16)
        card.add(bar, self.nothing)
        card.body.addWidget(self.table, 1)
        card.body.addStretch(0)
        line = row(spacing=16)
        line.addWidget(card, 1)
        line.addWidget(self._drawer())
        self.content.addWidget(self.broken)
        self.content.addLayout(line, 1)

    def _drawer(self) -> Card:
        self.summary = Label("", "strong", wrap=True)
        self.facts = Facts(values_left=True)
        self.hash, self.previous = ChunkedAddress(13, what="Hash"), ChunkedAddress(13, what="Hash")
        self.detail = Label("", "secondary", wrap=True)
        close = Button(
            "", "ghost", icon="x", name=names.AUDIT_CLOSE_DETAIL, accessible="Close record"
        )
        close.clicked.connect(lambda: self.model.select(None))
        copy = Button("Copy record", icon="copy", name=names.AUDIT_COPY_RECORD)
        copy.clicked.connect(self._copy)
        self.prove = Button("Export record", icon="book", name=names.AUDIT_EXPORT_RECORD)
        self.prove.setToolTip("Writes this record to a file, with the proof that the ledger has it")
        self.prove.clicked.connect(self.model.prove)
        self.drawer = Card("Record", spacing=12)
        self.drawer.setFixedWidth(368)
        self.drawer.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.drawer.head.addWidget(close)
        self.drawer.add(
            self.summary,
            self.facts,
            column(Label("Hash", "caption"), self.hash, spacing=4),
            column(Label("Hash of the previous record", "caption"), self.previous, spacing=4),
            column(Label("Content", "caption"), self.detail, spacing=4),
            row(copy, self.prove, 1),
        )
        self.drawer.body.addStretch(1)
        return self.drawer

    def back(self) -> bool:
        """Close the drawer first."""
        if self.model.selected is None:
            return False
        self.model.select(None)
        self.table.setFocus()
        return True

    def export_all(self) -> None:
        """Export the ledger to a file."""
        self.model.export()

    def focus_filter(self) -> bool:
        """Focus the filter."""
        self.filter.setFocus()
        return True

    def empty_text(self) -> EmptyText:
        """Return the text of an empty ledger."""
        return EmptyText(
            "book",
            "No record yet",
            "The ledger starts with the first decision. Propose a ceremony to make a wallet.",
            "New ceremony",
            lambda: self.context.navigate("ceremonies", "new"),
        )

    def render_content(self) -> None:
        """Paint the records that are loaded."""
        model, head = self.model, self.model.head
        if head is None:
            return
        self.rows.sync()
        self.table.setVisible(model.total > 0)
        self.nothing.setVisible(model.total == 0)
        self.clear.setVisible(bool(model.text))
        self.count.setText(wording.count(model.total, "record"))
        self.broken.show_text(
            f"The chain is broken: {head.broken_because}" if head.broken_because else "",
            "Signing has stopped. Keep this machine as it is, export the ledger of another member, "
            "and call your security officer.",
        )
        self._render_verification()
        self._render_drawer()

    def _render_verification(self) -> None:
        model, head = self.model, self.model.head
        if head is None:
            return
        if head.broken_because:
            self.verified.set_look(Look("x-octagon", "Broken", Tone.DANGER))
        else:
            at = wording.ago(head.verified_at_ms, self.context.now_ms())
            words = f"Verified 1\u2013{wording.number(head.verified_to)} \u00b7 {at}"
            tone = Tone.OK if head.verified_to == head.head_sequence else Tone.INFO
            self.verified.set_look(Look("shield-check", words, tone))
        running = model.working and model.verifying is not None
        self.verify.setEnabled(not running and not model.hindrance)
        self.export.setEnabled(not model.hindrance)
        self.prove.setEnabled(not model.hindrance)
        self.progress.setVisible(running)
        done, total = model.verifying or (0, 1)
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        words = f"{wording.number(done)} of {wording.number(total)}"
        self.progress_text.show_text(words if running else "")

    def _render_drawer(self) -> None:
        record = self.model.selected
        self.drawer.setVisible(record is not None)
        for place in LedgerTable.SPARE:
            self.table.hide_column(place, hidden=record is not None)
        if record is None:
            return
        self.drawer.heading.setText(f"Record #{wording.number(record.sequence)}")
        self.summary.setText(wording.without_digits(record.summary, hide=self.masked))
        self.facts.set_facts(
            Fact("Time", wording.exact(record.at_ms)),
            Fact("Event", record.name),
            Fact("Stream", record.stream),
            Fact("Member", record.member),
        )
        self.hash.set_address(record.hash)
        self.previous.set_address(record.previous_hash)
        self.detail.setText(wording.without_digits(record.detail, hide=self.masked))

    def _select(self, index: QModelIndex) -> None:
        if index.isValid():
            self.model.select(self.model.row(index.row()))

    def _copy(self) -> None:
        record = self.model.selected
        if record is not None:
            self.context.copy(
                f"#{record.sequence} {wording.exact(record.at_ms)} {record.name} {record.stream}\n"
                f"{record.summary}\nhash {record.hash}\nprevious {record.previous_hash}"
            )
