"""Pages of the ledger, and the verification of its chain."""

from collections import OrderedDict

from console.application.api import Change, ChangeKind, CommandRefused, GetLedger, NodeUnreachable
from console.application.commands import ExportLedger, Outcome, VerifyLedger
from console.application.views import LedgerPage, LedgerRow
from ui.context import Context
from ui.problem import describe
from ui.theme import Tone
from ui.view_model import LoadState, ViewModel

PAGE = 100
_KEPT = 64


class AuditModel(ViewModel):
    """Loads the visible pages; keeps only the newest of them.

    Without a filter a page's place follows from arithmetic, because sequences have no gaps. With a
    filter it follows from the page before.
    """

    WATCHES = frozenset({ChangeKind.LEDGER})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.head: LedgerPage | None = None
        self.pages: OrderedDict[int, tuple[LedgerRow, ...]] = OrderedDict()
        self.text = ""
        self.selected: LedgerRow | None = None
        self.verifying: tuple[int, int] | None = None
        self.generation = 0
        self._wanted: list[int] = []
        self._fetching = False

    async def load(self) -> LoadState:
        """Query the newest page."""
        text = self.text
        head = await self.ask(GetLedger(0, PAGE, text))
        if text != self.text:
            return self.state
        moved = self.head is None or (head.head_sequence, head.total) != (
            self.head.head_sequence,
            self.head.total,
        )
        self.head = head
        if moved:
            self.pages.clear()
            self.generation += 1
        self.pages[0] = head.rows
        return LoadState.READY if head.rows or text else LoadState.EMPTY

    def on_change(self, change: Change) -> bool:
        """Take over the progress of a verification."""
        if change.kind is ChangeKind.LEDGER_VERIFICATION:
            self.verifying = (change.done, change.total)
            self.changed.emit()
            return False
        return super().on_change(change)

    @property
    def total(self) -> int:
        """How many records match."""
        return self.head.total if self.head else 0

    def row(self, line: int) -> LedgerRow | None:
        """Return a record; if it is not loaded, query its page and return None."""
        number, place = divmod(line, PAGE)
        page = self.pages.get(number)
        if page is None:
            self._want(number)
            return None
        return page[place] if place < len(page) else None

    def filter(self, text: str) -> None:
        """Show only records with this text."""
        if text.strip() != self.text:
            self.text = text.strip()
            self.head = None
            self.pages.clear()
            self.selected = None
            self.generation += 1
            self.refresh()

    def select(self, row: LedgerRow | None) -> None:
        """Show a record in the drawer."""
        self.selected = row
        self.changed.emit()

    def verify(self) -> None:
        """Recompute the chain."""
        self.verifying = (0, self.head.head_sequence if self.head else 0)
        self.do(VerifyLedger(), self._verified)

    def export(self) -> None:
        """Have the node export the ledger to a file."""
        self.do(ExportLedger(), self._exported)

    def prove(self) -> None:
        """Have the node export the record in the drawer, with the proof that the ledger has it."""
        if self.selected is not None:
            self.do(ExportLedger((self.selected.sequence,)), self._exported)

    def _want(self, number: int) -> None:
        if number not in self._wanted:
            # Newest request first, and few of them: a fast scroll passes most pages.
            self._wanted = [number, *self._wanted[:3]]
        if not self._fetching:
            self._fetching = True
            self.tasks.start(self._fetch())

    async def _fetch(self) -> None:
        try:
            while self._wanted:
                await self._fetch_page(self._wanted.pop(0))
        except (CommandRefused, NodeUnreachable) as error:
            self.refusal = describe(error)
            self.changed.emit()
        finally:
            self._fetching = False

    async def _fetch_page(self, number: int) -> None:
        head, text = self.head, self.text
        if head is None:
            return
        if not text:
            first = number
            before = head.head_sequence - number * PAGE + 1
        else:
            first = max((known for known in self.pages if known <= number), default=0)
            before = self.pages[first][-1].sequence if first in self.pages else 0
            first += 1
        while first <= number and before >= 0:
            page = await self.ask(GetLedger(before, PAGE, text))
            if text != self.text or head is not self.head:
                return
            self.pages[first] = page.rows
            if not page.rows:
                break
            before = page.rows[-1].sequence
            first += 1
        while len(self.pages) > _KEPT and not text:
            self.pages.popitem(last=False)
        self.changed.emit()

    def _exported(self, outcome: Outcome) -> None:
        self.context.notify(outcome.message, Tone.OK)

    def _verified(self, outcome: Outcome) -> None:
        self.verifying = None
        self.context.notify(outcome.message or "The chain is valid.", Tone.OK)
