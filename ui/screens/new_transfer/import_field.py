"""The field for what another program exported: pasted, opened from a file, or dropped on it."""

import base64
from pathlib import Path

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui import object_names as names
from ui import theme
from ui.widgets.fields import ExactText

MAX_FILE_BYTES = 720 * 1024
"""Bytes of a file; no transaction that can be signed is larger, even with what it spends from."""
MAX_TEXT = 1 << 20
"""Characters of what another program exported, in base 64 with its line breaks."""
_LINE = 4096
_HEIGHT = 8 * 22 + 20
_TOO_LARGE = "The file is larger than any transaction that can be signed."
_UNREADABLE = "The file cannot be read."


class ImportField(ExactText):
    """A text field that also reads files; binary ones become base 64 in short lines.

    `problem` tells why a file was not read, "" when one was.
    """

    problem = Signal(str)
    keeps_all = False
    """Its line breaks stand between digits and mean nothing."""

    def __init__(self) -> None:
        super().__init__(MAX_TEXT)
        self.setObjectName(names.TRANSFER_IMPORT)
        self.setAccessibleName("Exported bytes")
        self.setPlaceholderText("Hexadecimal or base 64; or drop a file here")
        self.setTabChangesFocus(True)
        self.setFont(theme.font(14, mono=True))
        self.setFixedHeight(_HEIGHT)

    def choose_file(self, parent: QWidget) -> None:
        """Ask for a file, and read it."""
        path, _ = QFileDialog.getOpenFileName(parent, "Open what another program exported")
        if path:
            self.read_file(path)

    def read_file(self, path: str) -> None:
        """Show a file's content as text, within the limit."""
        source = Path(path)
        try:
            # A pipe or a device would keep the window waiting.
            data = _start_of(source) if source.is_file() else None
        except OSError:
            data = None
        if data is None:
            self.problem.emit(_UNREADABLE)
            return
        if len(data) > MAX_FILE_BYTES:
            self.problem.emit(_TOO_LARGE)
            return
        self.problem.emit("")
        self.setPlainText(_text_of(data))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Accept files beside what a text field accepts."""
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Insert text; of a file, its content instead of its name."""
        paths = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if paths:
            self.read_file(paths[0])
        else:
            plain = QMimeData()
            plain.setText(_in_short_lines(source.text()))
            super().insertFromMimeData(plain)


def _in_short_lines(text: str) -> str:
    """Return a text whose lines are quick to lay out; in digits, their breaks mean nothing."""
    lines = text.splitlines()
    if len(text) > MAX_TEXT or max(map(len, lines), default=0) <= _LINE:
        return text
    return "\n".join(line[at : at + _LINE] for line in lines for at in range(0, len(line), _LINE))


def _start_of(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _text_of(data: bytes) -> str:
    """Return text as it is, anything else as base 64 in lines that are quick to lay out."""
    text = data.decode("ascii", "ignore")
    plain = len(text) == len(data) and all(each.isprintable() or each.isspace() for each in text)
    return text if plain else base64.encodebytes(data).decode()
