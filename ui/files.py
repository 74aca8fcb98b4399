"""Files and folders that the operator chooses, with the desktop's own panels."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

MAX_FILE_BYTES = 512 * 1024


def choose_folder(parent: QWidget, title: str, start: Path) -> Path | None:
    """Return the chosen folder; None if the operator cancels."""
    chosen = QFileDialog.getExistingDirectory(parent, title, str(start))
    return Path(chosen) if chosen else None


def choose_file(parent: QWidget, title: str) -> Path | None:
    """Return the chosen file; None if the operator cancels."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title)
    return Path(chosen) if chosen else None


def choose_files(parent: QWidget, title: str) -> list[Path]:
    """Return the chosen files."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, title)
    return [Path(each) for each in chosen]


def choose_target(parent: QWidget, title: str, name: str) -> Path | None:
    """Return where a file shall be saved; None if the operator cancels."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name)
    return Path(chosen) if chosen else None


def text_of(path: Path) -> str | None:
    """Return a small file's text; None if it is larger, no text, or cannot be read."""
    try:
        # A pipe or a device would keep the window waiting.
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        return data.decode() if len(data) <= MAX_FILE_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None
