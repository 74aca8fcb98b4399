"""Step 5: the chains whose wallets this member signs for, and their nodes."""

from itertools import groupby

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import Draft, GetPresets, Presets, TokenKind
from ui import wording
from ui.first_run import names
from ui.first_run.chain_row import ChainRow
from ui.first_run.page import StepPage
from ui.first_run.work import Work
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.card import column
from ui.widgets.fields import CheckLine
from ui.widgets.text import Label

_NONE = (
    "No chain is chosen. The member can take part in ceremonies, but sees no balances and signs "
    "for no wallet until a chain is added in its settings."
)
_MAIN = "A main network with keys that no hardware protects"
_MAIN_DETAIL = (
    "The chosen token is in software, or of a make that is not known. Whoever copies it can sign "
    "as this member."
)
_KMS = "A main network with keys in AWS KMS"
_KMS_DETAIL = (
    "AWS keeps the keys in its HSMs, but this program was not run against the real service yet. It "
    "is not proven that it works there."
)
_ACCEPT = "I accept that real funds rest on such a token"


class ChainsPage(StepPage):
    """A row for each chain that this version knows."""

    NAME = "chains"
    TITLE = "Which chains?"
    LEAD = "Each member asks nodes of its own, so that no single node can mislead the vault."

    HELP = (
        "Each member asks nodes of its own. With several nodes of one chain, all have to agree.",
        "Test asks the nodes for their network and their newest block.",
        "A chain can be added later, in the member\u2019s settings file.",
        "A main network needs keys that hardware protects, or your explicit word.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._loading = self.add_work(Work())
        self.rows: list[ChainRow] = []
        self._list = column(spacing=8)
        self.none = Label(_NONE, "secondary", wrap=True)
        self.main = Banner(Tone.WARN, "chains.main")
        self.accept = CheckLine(_ACCEPT, names.CHAINS_ACCEPT)
        self.accept.toggled.connect(self._show)
        self.loading = Label("Reading the list of networks.", "caption")
        self.content.addWidget(self.loading)
        self.content.addLayout(self._list)
        self.content.addLayout(column(self.none, self.main, self.accept, spacing=8))

    def enter(self) -> None:
        """Ask for the networks, once."""
        self.accept.setChecked(self.set_up.draft.accepts_unproven)
        if not self.rows and not self._loading.running:
            self._loading.start(self._load)
        self._show()

    def first_field(self) -> QWidget | None:
        """Return the first tick."""
        return self.rows[0].use if self.rows else None

    def blocked(self) -> str:
        """Return what is missing."""
        if not self.rows:
            return "Reading the list of networks." if self._loading.running else "No list yet."
        missing = next((each.blocked() for each in self.rows if each.blocked()), "")
        if missing:
            return missing
        if self._on_main and self.set_up.draft.token_for_tests:
            return "This token is for tests: choose test networks, or another token."
        asked = self._needs_word and not self.accept.isChecked()
        return "Accept the warning, or choose a test network." if asked else ""

    def next_word(self) -> str:
        """Return that none is chosen, if so."""
        chosen = any(each.use.isChecked() for each in self.rows)
        return "Next" if chosen or not self.rows else "Next without a chain"

    async def finish(self) -> Draft:
        """Return the draft with the chains."""
        chosen = tuple(choice for each in self.rows if (choice := each.choice()) is not None)
        accepts = self._needs_word and self.accept.isChecked()
        return replace(self.set_up.draft, chains=chosen, accepts_unproven=accepts)

    @property
    def _on_main(self) -> bool:
        return any(each.use.isChecked() and each.preset.is_main for each in self.rows)

    @property
    def _needs_word(self) -> bool:
        return self._on_main and self.set_up.draft.token_unproven

    async def _load(self) -> None:
        answer = await self.set_up.ask(GetPresets(), Presets)
        by_chain = groupby(answer.presets, key=lambda preset: preset.chain)
        kept = {choice.chain: choice for choice in self.set_up.draft.chains}
        for chain, presets in by_chain:
            made = ChainRow(self.set_up, tuple(presets))
            made.changed.connect(self._show)
            self.add_work(made.work)
            self.rows.append(made)
            self._list.addWidget(made)
            if chain in kept:
                made.show_choice(kept[chain])
            made.order_tabs()
        self._show()

    def _show(self) -> None:
        self.repaint_page()
        self.changed.emit()

    def repaint_page(self) -> None:
        """Show what is asked for by what is chosen."""
        self.loading.setVisible(not self.rows and self._loading.running)
        self.none.setVisible(bool(self.rows) and not any(r.use.isChecked() for r in self.rows))
        asked = self._needs_word
        main = [r.preset.chain_name for r in self.rows if r.use.isChecked() and r.preset.is_main]
        token = self.set_up.draft.token
        in_kms = token is not None and token.kind is TokenKind.KMS
        title = f"{_KMS if in_kms else _MAIN}: {wording.listed(main)}"
        detail = _KMS_DETAIL if in_kms else _MAIN_DETAIL
        self.main.show_text(title if asked else "", detail if asked else "")
        self.accept.setVisible(asked)
