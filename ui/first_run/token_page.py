"""Step 2: the token that holds the member's keys, from a list that follows what is plugged in."""

from pathlib import Path

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import (
    MAX_MODULES,
    Draft,
    ModuleSeen,
    TokenChoice,
    TokenKind,
    TokenSeen,
    TokensSeen,
    WatchTokens,
)
from ui import files
from ui.first_run import names, token_words
from ui.first_run.cloud_form import CloudForm
from ui.first_run.page import StepPage
from ui.first_run.work import Work
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.buttons import Button
from ui.widgets.card import column, row
from ui.widgets.chip import IconMark
from ui.widgets.choice_card import ChoiceCard
from ui.widgets.text import Label

_NONE = (
    "No token is seen yet. Plug it in: it appears here by itself. If it does not, install its "
    "maker\u2019s PKCS#11 library, or add the library by its file."
)
_SOFTHSM = "A token in software, made here. Nothing protects its keys but this machine."
_NO_SOFTHSM = "SoftHSM is not installed on this machine. Its package is called softhsm2."
_FILES = (
    "Keys are sealed in files, under a passphrase. Whoever copies the files can try passphrases "
    "for as long as they like; an HSM stops that."
)
_KMS = (
    "In an account of yours, with a passphrase beside them. Tried with a stand-in only, not yet "
    "with the real service."
)


class TokenPage(StepPage):
    """Watches the tokens while it is in front."""

    NAME = "token"
    TITLE = "Choose your token"
    LEAD = (
        "Your keys are made inside it and never leave it. Nothing is written to a token before "
        "the next step."
    )

    HELP = (
        (
            "The list follows what is plugged in. A token that is not listed needs its "
            "maker\u2019s PKCS#11 library: install it, or add its file here."
        ),
        (
            "A token that lacks something, or holds a member\u2019s keys already, cannot be "
            "chosen; it says why."
        ),
        (
            "With AWS KMS, the keys are made in Amazon\u2019s HSMs, or are those whose ARNs you "
            "enter. Each use of a key needs the network."
        ),
        "A SoftHSM token is for tests only. Encrypted files serve where there is no HSM.",
        "Choosing a token writes nothing to it.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._watching = self.add_work(Work())
        self._seen: TokensSeen | None = None
        self._added: tuple[str, ...] = ()
        self._chosen: TokenChoice | None = None
        self._cards: dict[str, ChoiceCard] = {}
        self._here: dict[str, TokenSeen] = {}
        self.gone = Banner(Tone.WARN, "token.gone")
        self.empty = QWidget()
        said = row(IconMark("token", "muted", 28), spacing=12)
        self._empty_text = Label(_NONE, "secondary", wrap=True)
        said.addWidget(self._empty_text, 1)
        said.setContentsMargins(16, 8, 16, 8)
        self.empty.setLayout(said)
        self._list = column(spacing=8)
        self.problems = Label("", "warn", wrap=True)
        self.problems.hide()
        self.add = Button("Add a library \u2026", icon="plus", name=names.TOKENS_ADD)
        self.add.clicked.connect(self._add_library)
        self.kms = self._other(TokenKind.KMS)
        self.cloud = CloudForm()
        self.cloud.hide()
        self.cloud.changed.connect(self._typed_place)
        self.softhsm = self._other(TokenKind.SOFTHSM)
        self.file = self._other(TokenKind.FILE)
        self.content.addWidget(self.gone)
        self.content.addLayout(
            column(Label("Tokens on this machine", "h2"), self.empty, self._list, spacing=8)
        )
        self.content.addLayout(column(self.problems, row(self.add, 1), spacing=8))
        self.content.addLayout(
            column(Label("In a cloud service", "h2"), self.kms, self.cloud, spacing=8)
        )
        others = column(Label("Without an HSM", "h2"), self.softhsm, self.file, spacing=8)
        self.content.addLayout(others)

    def enter(self) -> None:
        """Watch the tokens."""
        self._chosen = chosen = self.set_up.draft.token
        if chosen is not None and chosen.kind is TokenKind.KMS:
            self.cloud.show_choice(chosen)
        self._watch()
        self._show()

    @property
    def busy(self) -> bool:
        """Whether nothing is known of the tokens yet: they are watched as long as this is open."""
        return self.work.running or (self._watching.running and self._seen is None)

    def first_field(self) -> QWidget:
        """Return the chosen token, else the first one that can be chosen."""
        cards = [*self._cards.values(), self.kms, self.softhsm, self.file]
        able = [card for card in cards if card.isEnabled() and card.isVisibleTo(self)]
        return next((card for card in able if card.isChecked()), able[0] if able else self.add)

    def blocked(self) -> str:
        """Return what is missing."""
        chosen = self._chosen
        if chosen is None:
            return "Choose a token."
        if chosen.kind is TokenKind.SOFTHSM:
            return "" if self.softhsm.isEnabled() else "SoftHSM is not installed here."
        if chosen.kind is TokenKind.FILE:
            return ""
        if chosen.kind is TokenKind.KMS:
            return self.cloud.blocked() if self.kms.isEnabled() else "AWS KMS cannot be used here."
        there = self._here.get(token_words.key_of(chosen))
        if there is None:
            return "Looking for the tokens." if self._seen is None else "Plug in the chosen token."
        return token_words.why_not(there, own=self._is_own(there))

    def typed(self) -> str:
        """Return that the place of the keys is not kept yet."""
        kept, chosen = self.set_up.draft.token, self._chosen
        unkept = chosen is not None and chosen.kind is TokenKind.KMS and chosen != kept
        return "Where the keys are in AWS KMS is not kept yet." if unkept else ""

    async def finish(self) -> Draft:
        """Return the draft with the token."""
        chosen = self._chosen
        there = self._here.get(token_words.key_of(chosen)) if chosen else None
        soft = chosen is not None and chosen.kind is TokenKind.SOFTHSM
        return replace(
            self.set_up.draft,
            token=chosen,
            token_for_tests=there.for_tests_only if there else soft,
            token_unproven=there.unproven if there else not soft,
        )

    def _watch(self) -> None:
        question = WatchTokens(modules=self._added)

        async def follow() -> None:
            async for seen in self.set_up.setting_up.watch(question):
                self._seen = seen
                self._show()

        self._watching.start(follow)

    def repaint_page(self) -> None:
        """Show what is known of the tokens."""
        self._show()

    def _show(self) -> None:
        modules = self._seen.modules if self._seen else ()
        tokens = [token for module in modules for token in module.tokens]
        self._here = {token_words.key_of(token): token for token in tokens}
        shown: dict[str, TokenSeen | None] = dict(self._here)
        chosen = self._chosen
        pulled = (
            self._seen is not None
            and chosen is not None
            and chosen.kind is TokenKind.PKCS11
            and token_words.key_of(chosen) not in self._here
        )
        if pulled and chosen is not None:
            shown[token_words.key_of(chosen)] = None
        self._drop_cards(set(shown))
        for key, token in shown.items():
            self._show_token(key, token)
        self._show_rest(modules, pulled=pulled)
        self.changed.emit()

    def _drop_cards(self, kept: set[str]) -> None:
        for key in set(self._cards) - kept:
            card = self._cards.pop(key)
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()

    def _show_token(self, key: str, token: TokenSeen | None) -> None:
        chosen = self._chosen
        card = self._cards.get(key)
        if card is None:
            ends = token_words.short_key(token) if token else "removed"
            card = self._cards[key] = ChoiceCard(f"{names.TOKENS_LIST}.{ends}")
            card.clicked.connect(lambda _=False, key=key: self._choose(key))
            self._list.addWidget(card)
        if token is not None:
            own = self._is_own(token)
            why = token_words.why_not(token, own=own)
            title, lines = token_words.title(token), token_words.lines(token)
            card.show_choice(title, lines, token_words.mark(token, own=own), why)
        elif chosen is not None:
            title = chosen.label or chosen.serial
            card.show_choice(title, (), token_words.GONE, token_words.UNPLUGGED)
        card.setChecked(chosen is not None and token_words.key_of(chosen) == key)

    def _show_rest(self, modules: tuple[ModuleSeen, ...], *, pulled: bool) -> None:
        seen = self._seen
        looking = seen is None and self._watching.problem is None
        self._empty_text.setText("Looking for tokens." if looking else _NONE)
        self.empty.setVisible(not self._cards)
        troubled = [f"{Path(m.module).name}: {m.problem}" for m in modules if m.problem]
        self.problems.show_text("\n".join(troubled))
        self.gone.show_text(
            "The chosen token was removed." if pulled else "",
            "Plug it in again, or choose another one. Nothing was written to it.",
        )
        possible = seen is None or seen.softhsm
        mark = token_words.TESTS if possible else token_words.NOT_HERE
        why = "" if possible else _NO_SOFTHSM
        self.softhsm.show_choice("Make a SoftHSM token: for tests only", (_SOFTHSM,), mark, why)
        self.file.show_choice(
            "Encrypted files: where there is no HSM", (_FILES,), token_words.NO_HSM
        )
        no_kms = seen.no_kms if seen else ""
        self.kms.show_choice(
            "AWS KMS: keys in Amazon\u2019s HSMs",
            (_KMS,),
            token_words.NOT_HERE if no_kms else token_words.UNRUN,
            no_kms,
        )
        kind = self._chosen.kind if self._chosen else None
        self.kms.setChecked(kind is TokenKind.KMS)
        self.cloud.setVisible(kind is TokenKind.KMS and not no_kms)
        self.softhsm.setChecked(kind is TokenKind.SOFTHSM)
        self.file.setChecked(kind is TokenKind.FILE)

    def _is_own(self, token: TokenSeen) -> bool:
        kept = self.set_up.draft.token
        return kept is not None and token_words.key_of(kept) == token_words.key_of(token)

    def _other(self, kind: TokenKind) -> ChoiceCard:
        card = ChoiceCard(f"{names.TOKENS_LIST}.{kind.value}")
        card.clicked.connect(lambda: self._take_other(kind))
        return card

    def _take_other(self, kind: TokenKind) -> None:
        cloud = kind is TokenKind.KMS
        self._take(self.cloud.choice() if cloud else TokenChoice(kind=kind))
        if cloud:
            self.cloud.region.setFocus()

    def _typed_place(self) -> None:
        if self._chosen is not None and self._chosen.kind is TokenKind.KMS:
            self._take(self.cloud.choice())

    def _choose(self, key: str) -> None:
        token = self._here.get(key)
        if token is not None:
            self._take(token_words.choice_of(token))
        else:
            self._show()

    def _take(self, choice: TokenChoice) -> None:
        self._chosen = choice
        self._show()

    def _add_library(self) -> None:
        path = files.choose_file(self, "Open a PKCS#11 library")
        if path is not None and str(path) not in self._added:
            self._added = (*self._added, str(path))[-MAX_MODULES:]
            self._watch()
