"""The panel that decodes a new machine's entry line, to compare and endorse it first."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent

from console.application.views import MachinePreview
from ui import files, wording
from ui import object_names as names
from ui.context import Context
from ui.screens.recovery.endorsing import JOINING, REPLACING, EndorsePanel, MachineFacts
from ui.screens.recovery.view_model import RecoveryModel
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.facts import Fact
from ui.widgets.fields import labelled, text_field
from ui.widgets.sheet import Sheet
from ui.widgets.text import Label

_WIDTH = 680
_SETTLE_MS = 200
MAX_ENTRY = 16_384
_HOW = (
    "The new machine\u2019s page \u201cInvitation\u201d gives its entry, as a file or as one line; "
    "in a terminal, quorate init prints it. Open or paste it here, then compare the code that "
    "appears with the machine\u2019s owner, by voice or in person."
)
_FILE_UNREADABLE = "This file cannot be read: it is larger than 512 KB, or no text."
_FILE_NEXT = "Nothing was endorsed. Ask the machine\u2019s owner to save its entry again."
_FILE_MANY = "This file has more than one line: a machine\u2019s entry is one line."
_READING = "Reading the line."
_PASTE = "Open or paste the entry line first."
_PROBLEMS = "This machine cannot be endorsed."


class EntryPanel(Sheet):
    """Line, preview, tick and PIN. Another line voids the preview, the tick and the PIN."""

    submitted = Signal(object)

    def __init__(self, context: Context, model: RecoveryModel) -> None:
        super().__init__(context.window, "Replace a lost machine or add a member", width=_WIDTH)
        self._model = model
        self._of_file = ""
        """What is wrong with the chosen file, until another line comes."""
        self.card.body.setSpacing(12)
        name = names.MACHINE_ENTRY_PANEL
        self.entry = text_field(
            f"{name}.entry",
            "Entry line",
            "{\u201cmember\u201d: \u2026}",
            mono=True,
            limit=MAX_ENTRY,
        )
        caption, field = labelled("Entry line", self.entry)
        self.file = Button("Open a file \u2026", icon="folder", name=f"{name}.file")
        line = row(spacing=8)
        line.addWidget(field, 1)
        line.addWidget(self.file)
        self.how = Label(_HOW, "secondary", wrap=True)
        self.problems = Banner(Tone.DANGER, f"{name}.problems")
        self.refusal = Banner(Tone.DANGER, f"{name}.refusal")
        self.facts = MachineFacts()
        self.effect = Label("", "secondary", wrap=True)
        cancel = Button("Cancel", name=f"{name}.cancel")
        self.endorse = EndorsePanel(context.link, f"{name}.endorse", cancel)
        self.endorse.block_while(self._blocked)
        self.card.add(
            self.how,
            column(caption, line, spacing=4),
            self.problems,
            self.facts,
            self.effect,
            self.refusal,
            self.endorse,
        )
        self._settled = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settled.timeout.connect(self._read)
        self.entry.textChanged.connect(self._typed)
        self.entry.returnPressed.connect(self._read)
        self.file.clicked.connect(self._open)
        self.endorse.endorsed.connect(self.submitted)
        cancel.clicked.connect(self.close_sheet)

    def ask(self) -> None:
        """Open with an empty line."""
        self.entry.clear()
        self.endorse.reset()
        self._of_file = ""
        self._model.read_entry("")
        self.open(self.entry)
        self.show_model()

    def show_model(self) -> None:
        """Paint the model's preview of the line."""
        if self.isHidden():
            return
        model, preview = self._model, self._model.preview
        known = preview is not None
        self.how.setVisible(not known)
        self.facts.setVisible(known)
        self.effect.setVisible(known)
        if preview is not None:
            self._show_preview(preview)
        self._show_problems(preview)
        self.refusal.show_problem(model.refusal)
        self.endorse.offer(offered=preview is not None and not preview.problems)
        self.endorse.show_state(working=model.working)

    def hideEvent(self, event: QHideEvent) -> None:
        """Clear all that was typed."""
        super().hideEvent(event)
        self.endorse.reset()
        self.entry.clear()
        self._settled.stop()

    def _show_preview(self, preview: MachinePreview) -> None:
        kind = "replaces the current machine" if preview.replaces else "first machine, new member"
        self.facts.show_machine(
            preview.short_code,
            preview.fingerprint,
            Fact("Member", f"{preview.name} ({preview.member})"),
            Fact("Machine", kind),
            Fact("Address", preview.address),
        )
        self.effect.setText(REPLACING if preview.replaces else JOINING)

    def _show_problems(self, preview: MachinePreview | None) -> None:
        problem = self._model.preview_problem
        if self._of_file:
            self.problems.show_text(self._of_file, _FILE_NEXT)
        elif problem is not None:
            self.problems.show_problem(problem)
        elif preview is not None and preview.problems:
            self.problems.show_text(_PROBLEMS, "\n".join(map(wording.sentence, preview.problems)))
        else:
            self.problems.show_text("")

    def _blocked(self) -> str:
        preview = self._model.preview
        if not self.entry.text().strip():
            return _PASTE
        if self.entry.excess:
            return self.entry.excess
        if self._model.preview_problem is not None:
            return _PROBLEMS
        if preview is None or self._model.entry != self.entry.text().strip():
            return _READING
        return _PROBLEMS if preview.problems else ""

    def _open(self) -> None:
        path = files.choose_file(self, "Open the new machine\u2019s entry")
        if path is None:
            return
        text = files.text_of(path)
        lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
        if len(lines) == 1:
            self.entry.setText(lines[0])
            self._read()
            return
        self._of_file = _FILE_MANY if lines else _FILE_UNREADABLE
        self.show_model()

    def _typed(self) -> None:
        if self._of_file:
            self._of_file = ""
            self.show_model()
        self.endorse.reset()
        self._settled.start()
        self.endorse.update_arming()

    def _read(self) -> None:
        self._settled.stop()
        if self.isVisible() and self.entry.text().strip() != self._model.entry:
            self.entry.setCursorPosition(0)
            self._model.read_entry(self.entry.text())
