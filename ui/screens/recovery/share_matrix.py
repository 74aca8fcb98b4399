"""Custodians and the state of their shares, a line each, nothing shortened."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from console.application.views import ShareView
from ui import status, wording
from ui.widgets.card import column, row, rule
from ui.widgets.chip import Chip, IconMark
from ui.widgets.text import Label

_PERSON, _STATE, _PROVED = 152, 104, 144
_GAP = 16
_LOWER = 4  # Aligns text with the words of the chips.
_TOP = Qt.AlignmentFlag.AlignTop


class ShareMatrix(QWidget):
    """Rows of custodians; updates keep the widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[ShareRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addLayout(_head())

    @property
    def rows(self) -> tuple["ShareRow", ...]:
        """The rows on screen."""
        return tuple(self._rows)

    def set_shares(self, shares: Sequence[ShareView], now: int) -> None:
        """Show these shares in order."""
        while len(self._rows) > len(shares):
            gone = self._rows.pop()
            self._layout.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self._rows) < len(shares):
            fresh = ShareRow()
            self._rows.append(fresh)
            self._layout.addWidget(fresh)
        for widget, share in zip(self._rows, shares, strict=True):
            widget.show_share(share, now)


class ShareRow(QWidget):
    """One custodian: name, state of the share, detail, and time of the last proof."""

    def __init__(self) -> None:
        super().__init__()
        self.name = Label("", "strong", wrap=True)
        self.mark = IconMark("check-circle", "ok_fg", 14)
        self.online = Label("", "caption")
        self.state = Chip()
        self.detail = Label("", "secondary", wrap=True)
        self.ago = Label("")
        self.at = Label("", "caption")
        for label in (self.ago, self.at):
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
        line = row(spacing=_GAP)
        line.setContentsMargins(0, 8, 0, 12)
        person = column(self.name, row(self.mark, self.online, 1, spacing=6), spacing=4)
        proved = column(self.ago, self.at, spacing=4)
        for part in (person, proved):
            part.setContentsMargins(0, _LOWER, 0, 0)
        self.detail.setContentsMargins(0, _LOWER, 0, 0)
        _add(line, person, _PERSON)
        _add(line, column(self.state), _STATE)
        line.addWidget(self.detail, 1, _TOP)
        _add(line, proved, _PROVED)
        layout = column(rule(), line, spacing=0)
        self.setLayout(layout)

    def show_share(self, share: ShareView, now: int) -> None:
        """Paint a share."""
        look = status.SHARE[share.state]
        online = status.presence(share)
        self.name.setText(f"{share.name} (you)" if share.is_me else share.name)
        self.mark.set_icon(online.icon, f"{online.tone}_fg")
        self.online.setText(online.word)
        self.state.set_look(look)
        self.detail.setText(wording.sentence(share.detail))
        proved = share.last_proved_ms
        self.ago.setText(wording.ago(proved, now) if proved else "never proved")
        self.at.setText(wording.moment(proved) if proved else "")
        said = f"{self.ago.text()} {self.at.text()}".strip()
        self.setAccessibleName(
            f"{self.name.text()}, {online.word}. Share: {look.word}. {self.detail.text()} "
            f"Last proved: {said}"
        )


def _head() -> QHBoxLayout:
    titles = [Label(text, "caption") for text in ("Custodian", "Share", "Known", "Last proved")]
    titles[3].setAlignment(Qt.AlignmentFlag.AlignRight)
    line = row(spacing=_GAP)
    line.setContentsMargins(0, 0, 0, 8)
    for title, width in zip(titles, (_PERSON, _STATE, 0, _PROVED), strict=True):
        if width:
            title.setFixedWidth(width)
        line.addWidget(title, 0 if width else 1)
    return line


def _add(line: QHBoxLayout, part: QVBoxLayout, width: int) -> None:
    holder = QWidget()
    holder.setLayout(part)
    holder.setFixedWidth(width)
    line.addWidget(holder, 0, _TOP)
