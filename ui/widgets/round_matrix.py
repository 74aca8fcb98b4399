"""Members by rounds of a protocol session: each cell is an icon, a word and a colour.

No word is ever cut. Where the columns are too narrow for words, cells show icons and heads
numbers, by design: a key below says what they mean, and so does the tip of each cell.
"""

from typing import NamedTuple

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from console.application.views import ProtocolSessionView, StepState
from ui import icons, theme
from ui.status import STEP

_ROW = 36
_HEAD = 32
_KEY_ROW = 24
_NAMES_LEAST, _NAMES_MOST = 72, 160
_NAMES_PART = 0.32
"""The largest part of the width that names take."""
_GAP = 4
_ICON = 16
_WORD_AT = 30
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_TOP = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


class Text(NamedTuple):
    """A text, where it is drawn, and how."""

    words: str
    box: QRectF
    font: QFont
    token: str
    flags: int


class Cell(NamedTuple):
    """A cell: its place, its state, and what its tip says."""

    box: QRectF
    state: StepState
    tip: str


class Plan(NamedTuple):
    """What a matrix draws at a width; `marks` are the icons of the key."""

    texts: tuple[Text, ...]
    cells: tuple[Cell, ...]
    marks: tuple[tuple[QRectF, StepState], ...]
    lines: tuple[float, ...]
    current: QRectF
    height: int
    worded: bool


class RoundMatrix(QWidget):
    """The live state of one protocol session."""

    def __init__(self) -> None:
        super().__init__()
        self._run: ProtocolSessionView | None = None
        self._names: dict[str, str] = {}
        self._plan: Plan | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_run(self, run: ProtocolSessionView | None, names: dict[str, str]) -> None:
        """Show a session; `names` maps members to display names."""
        self._run, self._names = run, names
        self.setVisible(run is not None)
        if run is not None:
            titles = dict(enumerate(run.rounds, 1))
            spoken = [
                f"{names.get(cell.member, cell.member)}, {run.unit} {cell.round} "
                f"{titles.get(cell.round, '')}: {STEP[cell.state].word}"
                for cell in run.cells
            ]
            self.setAccessibleName(f"{run.protocol} run")
            self.setAccessibleDescription(". ".join(spoken))
        self._fit()

    @property
    def plan(self) -> Plan | None:
        """What is drawn at the present width; None without a session."""
        return self._plan

    def sizeHint(self) -> QSize:
        """Return a width that has room for words; the height follows the width."""
        rounds = len(self._run.rounds) if self._run else 0
        return QSize(_NAMES_MOST + rounds * 96, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Return the full height: rows are never cut."""
        return QSize(260, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange words and icons for the new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def event(self, event: QEvent) -> bool:
        """Say in full what is under the pointer."""
        if isinstance(event, QHelpEvent) and self._plan is not None:
            tip = self.tip_at(event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)

    def tip_at(self, x: float, y: float) -> str:
        """Return member, round and state of the cell at a place; '' beside the cells."""
        cells = self._plan.cells if self._plan is not None else ()
        return next((cell.tip for cell in cells if cell.box.contains(x, y)), "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads, names, cells and the key."""
        del event
        plan = self._plan
        if plan is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("border"))
        for top in plan.lines:
            painter.drawLine(0, round(top), self.width(), round(top))
        painter.fillRect(plan.current, theme.color("accent"))
        for cell in plan.cells:
            _paint_cell(painter, cell, worded=plan.worded)
        for box, state in plan.marks:
            icons.paint(painter, STEP[state].icon, theme.foreground(STEP[state].tone), box)
        for text in plan.texts:
            painter.setFont(text.font)
            painter.setPen(theme.color(text.token))
            painter.drawText(text.box, text.flags, text.words)
        painter.end()

    def _fit(self) -> None:
        run = self._run
        self._plan = arrange(run, self._names, max(self.width(), 1)) if run else None
        self.setFixedHeight(self._plan.height if self._plan else 0)
        self.update()


def arrange(run: ProtocolSessionView, names: dict[str, str], width: int) -> Plan:
    """Return where everything of a session is drawn at a width; no text is shortened."""
    return _Arranger(run, names, width).plan()


class _Arranger:
    """Measures one session for one width."""

    def __init__(self, run: ProtocolSessionView, names: dict[str, str], width: int) -> None:
        self.run, self.width = run, width
        self.people = [names.get(member, member) for member in run.participants]
        self.name_font = theme.font(13, QFont.Weight.Medium)
        self.font = theme.font(12, QFont.Weight.Medium)
        self.bold = theme.font(12, QFont.Weight.DemiBold)
        self.names_width = self._names_width()
        self.column = (width - self.names_width) / max(len(run.rounds), 1)
        states = {cell.state for cell in run.cells} | {StepState.NOT_STARTED}
        room = self.column - _GAP - _WORD_AT - 4
        self.words = all(_wide(STEP[state].word, self.font) <= room for state in states)
        widest = max((_wide(w, self.bold) for t in run.rounds for w in t.split()), default=0)
        number = _wide(f"{len(run.rounds)} ", self.bold)
        # A number stands before the first word of each title, so it shares that word's line.
        self.titled = widest + number <= self.column - _GAP - 2
        self.numbered = _wide(f"{len(run.rounds)}", self.bold) <= self.column - 2
        self.states = sorted(states, key=list(StepState).index)
        self.texts: list[Text] = []

    def plan(self) -> Plan:
        """Return the arrangement, from the heads down to the key."""
        top, current = self._heads()
        cells: list[Cell] = []
        lines: list[float] = []
        states = {(cell.member, cell.round): cell.state for cell in self.run.cells}
        for member, name in zip(self.run.participants, self.people, strict=True):
            lines.append(top)
            tall = max(_ROW, _tall(name, self.name_font, self.names_width - 8) + 8)
            box = QRectF(0, top, self.names_width - 8, tall)
            self.texts.append(
                Text(
                    name,
                    box,
                    self.name_font,
                    "text",
                    _LEFT | _wrap(name, self.name_font, box.width()),
                )
            )
            for place, title in enumerate(self.run.rounds):
                state = states.get((member, place + 1), StepState.NOT_STARTED)
                wide = self.column - _GAP if self.column >= _ICON + _GAP else self.column
                at = self.names_width + place * self.column
                cell = QRectF(at, top + 4, wide, tall - 8)
                tip = f"{name}, {self.run.unit} {place + 1} {title}: {STEP[state].word}"
                cells.append(Cell(cell, state, tip))
                if self.words:
                    self._word(cell, state)
            top += tall
        marks, top = self._key(top)
        texts = tuple(self.texts)
        return Plan(
            texts, tuple(cells), tuple(marks), tuple(lines), current, round(top), self.words
        )

    def _names_width(self) -> float:
        needed = max((_wide(name, self.name_font) for name in self.people), default=0) + 12
        most = min(_NAMES_MOST, self.width * _NAMES_PART)
        return min(max(needed, _NAMES_LEAST), max(most, _NAMES_LEAST))

    def _heads(self) -> tuple[float, QRectF]:
        """Place the heads. Return where the rows begin, and the line below the current head."""
        run = self.run
        wide = max(self.column - _GAP, 3.0)
        heads = [
            f"{place} {title}" if self.titled else str(place)
            for place, title in enumerate(run.rounds, 1)
        ]
        tall = max((_tall(head, self.bold, wide) for head in heads), default=0)
        top = float(max(_HEAD, tall + 14))
        current = QRectF()
        for place, head in enumerate(heads):
            now = place + 1 == run.round and not run.ended
            box = QRectF(self.names_width + place * self.column, 0, wide, top - 4)
            if self.titled or self.numbered:
                font, token = (self.bold, "accent") if now else (self.font, "muted")
                self.texts.append(Text(head, box, font, token, _LEFT | _wrap(head, font, wide)))
            if now:
                current = QRectF(box.left(), top - 2, wide, 2)
        return top, current

    def _word(self, cell: QRectF, state: StepState) -> None:
        box = QRectF(cell.left() + _WORD_AT, cell.top(), cell.width() - _WORD_AT, cell.height())
        token = f"{STEP[state].tone}_fg"
        self.texts.append(Text(STEP[state].word, box, self.font, token, _LEFT))

    def _titles(self) -> str:
        """Return all titles with their numbers; where no number has room, the current one."""
        run = self.run
        if self.numbered:
            return " \u00b7 ".join(f"{n} {title}" for n, title in enumerate(run.rounds, 1))
        place = min(max(run.round, 1), len(run.rounds))
        return f"{run.unit.capitalize()} {place} of {len(run.rounds)}: {run.rounds[place - 1]}"

    def _key(self, top: float) -> tuple[list[tuple[QRectF, StepState]], float]:
        """Place what explains numbers and icons, where heads and cells have no words."""
        marks: list[tuple[QRectF, StepState]] = []
        if not self.titled:
            titles = self._titles()
            tall = _tall(titles, self.font, self.width)
            box = QRectF(0, top + 8, self.width, tall)
            wrap = _wrap(titles, self.font, self.width)
            self.texts.append(Text(titles, box, self.font, "muted", _TOP | wrap))
            top += tall + 8
        if self.words or self.column < _ICON + _GAP:
            return marks, top
        left, top = 0.0, top + 8
        for state in self.states:
            word = STEP[state].word
            wide = _ICON + 6 + _wide(word, self.font) + 16
            if left and left + wide > self.width:
                left, top = 0.0, top + _KEY_ROW
            marks.append((QRectF(left, top + (_KEY_ROW - _ICON) / 2, _ICON, _ICON), state))
            box = QRectF(left + _ICON + 6, top, wide - _ICON - 6, _KEY_ROW)
            self.texts.append(Text(word, box, self.font, "text2", _LEFT))
            left += wide
        return marks, top + _KEY_ROW


def _wrap(text: str, font: QFont, width: float) -> int:
    """Return how lines break: between words, and inside of one only if it is wider than a line."""
    whole = all(_wide(word, font) <= width for word in text.split())
    return int(Qt.TextFlag.TextWordWrap if whole else Qt.TextFlag.TextWrapAnywhere)


def _wide(text: str, font: QFont) -> int:
    return QFontMetrics(font).horizontalAdvance(text) + 1


def _tall(text: str, font: QFont, width: float) -> int:
    room = QRect(0, 0, max(int(width), 1), 10_000)
    flags = _TOP | _wrap(text, font, width)
    return QFontMetrics(font).boundingRect(room, flags, text).height()


def _paint_cell(painter: QPainter, cell: Cell, *, worded: bool) -> None:
    box, look = cell.box, STEP[cell.state]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.background(look.tone))
    painter.drawRoundedRect(box, 5, 5)
    if box.width() < _ICON:
        # With one column per signature, up to a hundred: colours alone show the progress.
        return
    left = box.left() + 8 if worded else box.center().x() - _ICON / 2
    place = QRectF(left, box.center().y() - _ICON / 2, _ICON, _ICON)
    icons.paint(painter, look.icon, theme.foreground(look.tone), place)
