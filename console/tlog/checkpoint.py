"""Checkpoints: what a log has promised, as three lines of text. C2SP tlog-checkpoint."""

import base64
import binascii
from typing import NamedTuple

from console.tlog.note import NoteInvalid
from console.tlog.proofs import MAX_SIZE
from console.tlog.tree import HASH_SIZE

_LINES = 3


class Checkpoint(NamedTuple):
    """A tree of a log: the log's name, how many leaves, and the root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the text of the note that promises this tree."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note's text. Lines after the third are refused: nobody could audit them.

    Raises: NoteInvalid.
    """
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[-1] or not lines[0]:
        raise NoteInvalid("a checkpoint is three lines: its log, its size and its root")
    origin, size, encoded = lines[:_LINES]
    if not (size.isascii() and size.isdecimal()) or size != str(int(size[:20])):
        raise NoteInvalid("a checkpoint's size is a number without leading zeros")
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("a checkpoint's root is not base64") from None
    found = Checkpoint(origin, int(size), root)
    if len(root) != HASH_SIZE or found.size > MAX_SIZE or found.text() != text:
        raise NoteInvalid("a checkpoint's root has 32 bytes, and one spelling")
    return found
