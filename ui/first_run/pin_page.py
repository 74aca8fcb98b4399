"""Step 3: the PIN, what the token can do, and the member's keys."""

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import (
    CheckToken,
    Draft,
    KeysMade,
    MakeKeys,
    TokenChecked,
    TokenKind,
)
from ui import wording
from ui.first_run import names, token_words
from ui.first_run.capability_table import CapabilityTable
from ui.first_run.page import StepPage
from ui.first_run.secret import text_of
from ui.first_run.set_up import Step
from ui.first_run.work import Work
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.card import Card, column
from ui.widgets.fields import CheckLine, PinField, labelled
from ui.widgets.text import Label

LAST_TRY = "last-try"
"""The code of a refusal to try a PIN because a wrong one may lock the token."""
_SURE = "I am sure of this PIN. A wrong one may lock the token for good."
_MADE = "The keys are made."
_MADE_DETAIL = "They are in {0}, and cannot be taken out of it. Name and token stay from now on."
_UNFIT = "This token cannot hold a member\u2019s keys."
_UNFIT_DETAIL = "It lacks {0}. Nothing was left on it. Go back and choose another token."
_NEW = {
    TokenKind.SOFTHSM: (
        "Choose a PIN",
        "At least 4 characters. The token is made with it; you need it at each sign-in.",
    ),
    TokenKind.FILE: (
        "Choose a passphrase",
        "At least 12 characters. It seals the key files; nobody can reset it.",
    ),
}
_NEW[TokenKind.KMS] = (
    "Choose a passphrase",
    (
        "At least 12 characters. A share opens only with it and KMS together; nobody can reset it. "
        "Signatures with the identity key do not need it, only the permission of the AWS account: "
        "whoever has that can sign statements in your name."
    ),
)
_LEAST = {TokenKind.SOFTHSM: 4, TokenKind.FILE: 12, TokenKind.KMS: 12}
_LISTED = "What the token lists by itself. The rest is tried with the PIN, before the first key."
_TRIED = "What was listed, and tried with the PIN. Nothing of the check is left on the token."
_ASKED = (
    "What AWS KMS was asked. Keys that are still to be made are tried once they are there. Nothing "
    "of the check is left."
)
_KMS_TITLE = "Check AWS KMS and make the keys"
_KMS_LEAD = (
    "First it is checked that KMS can be asked. Only then are two keys made there, or yours taken: "
    "one that seals, and one that is your identity. AWS charges for keys that are made."
)
_KMS_UNFIT = "AWS KMS cannot be used like this."
_KMS_UNFIT_DETAIL = (
    "It lacks {0}. Nothing was left there. Go back and correct that, or choose again."
)


class PinPage(StepPage):
    """A PIN is taken out of its field for one use; the page keeps none."""

    NAME = "pin"
    TITLE = "Check the token and make the keys"
    LEAD = (
        "First it is checked that the token can do all that is needed. Only then are three keys "
        "made in it: identity, presence and sealing."
    )

    HELP = (
        "The PIN is tried once each time you enter it, and is not kept by this window.",
        "Where a wrong PIN may be the token\u2019s last, the page asks you before it is tried.",
        (
            "If a key cannot be made, what was made is removed. If this machine stops in between, "
            "the set-up goes on with what it made, or removes it."
        ),
        "Once the keys are made, name and token stay. To choose others, throw the set-up away.",
    )

    def build(self) -> None:
        """Fill the page."""
        self._checking = self.add_work(Work())
        self._tried = False
        self.pin, self.again = PinField(names.PIN_PIN), PinField(names.PIN_AGAIN)
        self.again.setAccessibleName("The same PIN again")
        self.pin_caption, _ = labelled("Token PIN", self.pin)
        self.again_caption, _ = labelled("The same again", self.again)
        self.help = Label("", "caption", wrap=True)
        self.last_try = CheckLine(_SURE, names.PIN_LAST_TRY)
        self.last_try.hide()
        self.made = Banner(Tone.OK, "pin.made")
        self.unfit = Banner(Tone.DANGER, "pin.unfit")
        for field in (self.pin, self.again):
            field.setMaximumWidth(360)
            field.textChanged.connect(self.changed)
        self.last_try.toggled.connect(self.changed)
        self.entry = Card(padding=24, spacing=12)
        self.entry.add(
            column(self.pin_caption, self.pin, spacing=6),
            column(self.again_caption, self.again, spacing=6),
            self.help,
            self.last_try,
        )
        self.table = CapabilityTable()
        self.table_note = Label("", "caption", wrap=True)
        self.checked = Card("What the token can do", padding=24, spacing=12)
        self.checked.add(self.table_note, self.table)
        for part in (self.made, self.unfit, self.entry, self.checked):
            self.content.addWidget(part)

    def enter(self) -> None:
        """Show what the token lists, without any PIN."""
        self.last_try.setChecked(False)
        self.last_try.hide()
        self.work.clear()
        self._tried = False
        self.table.set_rows(())
        self.repaint_page()
        if not self.set_up.draft.keys_made and (self._in_kms or not self._new):
            self._checking.start(self._check_list)

    def leave(self) -> None:
        """Forget the PIN."""
        self.pin.forget()
        self.again.forget()
        super().leave()

    def first_field(self) -> QWidget | None:
        """Return the PIN."""
        return None if self.set_up.draft.keys_made else self.pin

    def next_word(self) -> str:
        """Return what Next does."""
        return "Next" if self.set_up.draft.keys_made else "Check and make keys"

    def waiting(self) -> str:
        """Return what is being done."""
        return "Asking AWS KMS." if self._in_kms else "Do not remove the token."

    def blocked(self) -> str:
        """Return what is missing."""
        if self.set_up.draft.keys_made:
            return ""
        word = "passphrase" if self._kind in {TokenKind.FILE, TokenKind.KMS} else "PIN"
        if self.table.missing and not self._tried:
            return "Go back and correct it." if self._in_kms else "Choose another token."
        if not self.pin.text():
            return f"Enter the {word}."
        if self.pin.excess:
            return self.pin.excess
        least = _LEAST.get(self._kind, 1)
        if len(self.pin.text()) < least:
            return f"At least {least} characters."
        if self._new and not self.again.text():
            return f"Enter the {word} again."
        if self._new and self.pin.text() != self.again.text():
            return "The two are not the same."
        asked = not self.last_try.isHidden() and not self.last_try.isChecked()
        return "Confirm the last try first." if asked else ""

    async def finish(self) -> Draft | None:
        """Check the token with the PIN, then make the keys; the next Next goes on."""
        draft = self.set_up.draft
        if draft.keys_made:
            return draft
        self.again.forget()
        taken, last_try = self.pin.take(), self.last_try.isChecked()
        await self._make(draft, text_of(taken), last_try=last_try)
        return None

    def retry(self) -> None:
        """Have the PIN entered again: it is not kept."""
        if self._checking.problem is not None:
            self._checking.retry()
            return
        self.pin.setFocus()

    def focus_refusal(self) -> None:
        """Focus the PIN, or the word that is asked for first."""
        asked = not self.last_try.isHidden() and not self.last_try.isChecked()
        (self.last_try if asked else self.pin).setFocus()

    @property
    def _kind(self) -> TokenKind:
        token = self.set_up.draft.token
        return token.kind if token else TokenKind.PKCS11

    @property
    def _new(self) -> bool:
        """Whether the PIN is chosen here."""
        return self._kind is not TokenKind.PKCS11

    @property
    def _in_kms(self) -> bool:
        return self._kind is TokenKind.KMS

    async def _check_list(self) -> None:
        draft = self.set_up.draft
        if draft.token is not None:
            question = CheckToken(token=draft.token, member=draft.member)
            answer = await self.set_up.ask(question, TokenChecked)
            self.table.set_rows(answer.rows)

    async def _make(self, draft: Draft, pin: str, *, last_try: bool) -> None:
        tell = self.work.tell
        if draft.token is not None and (self._in_kms or not self._new) and not last_try:
            given = None if self._in_kms else pin  # The passphrase is nothing to KMS.
            question = CheckToken(token=draft.token, pin=given, member=draft.member)
            self.table.set_rows((await self.set_up.ask(question, TokenChecked, tell)).rows)
            self._tried = True
            if self.table.missing:
                return
        making = MakeKeys(draft=draft, pin=pin, last_try=last_try)
        await self.set_up.ask(making, KeysMade, tell)
        await self.set_up.keep(replace(draft, keys_made=True, step=Step.ADDRESS))

    def repaint_page(self) -> None:
        """Show what was found, and what is entered."""
        problem = self.work.problem
        if problem is not None and problem.code == LAST_TRY:
            self.last_try.show()
        draft, made = self.set_up.draft, self.set_up.draft.keys_made
        where = token_words.words(draft.token) if draft.token else "the token"
        self.made.show_text(_MADE if made else "", _MADE_DETAIL.format(where) if made else "")
        lacks = wording.listed(self.table.missing)
        self._show_words(lacks)
        self.entry.setVisible(not made)
        self.checked.setVisible(bool(self.table.rows))
        caption, said = _NEW.get(self._kind, ("Token PIN", self._told))
        self.pin_caption.setText(caption)
        self.pin.setAccessibleName(caption)
        self.help.setText(said)
        for part in (self.again, self.again_caption):
            part.setVisible(self._new)
        for field in (self.pin, self.again):
            field.setEnabled(not self.work.running)

    def _show_words(self, lacks: str) -> None:
        """Show the words that differ where the keys are in KMS; `lacks` is what is missing."""
        kms = self._in_kms
        self.heading.setText(_KMS_TITLE if kms else self.TITLE)
        self.lead.setText(_KMS_LEAD if kms else self.LEAD)
        self.checked.heading.setText("What AWS KMS can do" if kms else "What the token can do")
        self.table_note.setText(_ASKED if kms else _TRIED if self._tried else _LISTED)
        title = _KMS_UNFIT if kms else _UNFIT
        detail = (_KMS_UNFIT_DETAIL if kms else _UNFIT_DETAIL).format(lacks)
        self.unfit.show_text(title if lacks else "", detail if lacks else "")

    @property
    def _told(self) -> str:
        """Return what the token says about tries."""
        rows = [row.found for row in self.table.rows if row.name == "PIN"]
        told = wording.sentence(rows[0]) if rows else ""
        return f"{told} A wrong PIN counts on the token; it is tried once.".strip()
