"""The preview: decoded from the built bytes, never from the form."""

from console.application.views import FieldView, TransferPreview
from ui import object_names as names
from ui import wording
from ui.amounts import Sum
from ui.theme import Tone
from ui.widgets.amount import AmountLabel
from ui.widgets.banner import Banner, DangerList
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.facts import Fact, Facts
from ui.widgets.text import Label

_HINT = (
    "Fill in the draft and press Preview. The node builds the transaction and shows here what its "
    "bytes say."
)


class PreviewCard(Card):
    """Empty until a transaction was built."""

    def __init__(self) -> None:
        super().__init__("Decoded from the bytes to be signed", spacing=12)
        self.hint = Label(_HINT, "muted", wrap=True)
        self.flags = DangerList()
        self.problems = Banner(Tone.WARN, "transfer.problems")
        self.warnings = Banner(Tone.INFO, "transfer.warnings")
        self.shown_amount = AmountLabel("", "amount")
        self.shown_caption = Label("", "caption")
        self.shown_address = ChunkedAddress()
        self.address_caption = Label("Destination address, decoded", "caption")
        self.facts = Facts()
        self.effects_caption = Label("What the chain's node predicts, not decoded", "caption")
        self.effects = Facts()
        self.digest_caption = Label("SHA-256 of the bytes to be signed", "caption")
        self.digest = ChunkedAddress(14, per_row=8)
        self.request_button = Button(
            "Request approval", "primary", icon="send", name=names.TRANSFER_REQUEST
        )
        self.add(
            self.hint,
            self.flags,
            self.problems,
            self.warnings,
            column(self.shown_caption, self.shown_amount, spacing=4),
            self.address_caption,
            self.shown_address,
            self.facts,
            self.effects_caption,
            self.effects,
            self.digest_caption,
            self.digest,
            row(1, self.request_button),
        )

    def show_preview(
        self, preview: TransferPreview | None, unit: str, *, hide: bool, working: bool
    ) -> None:
        """Paint a preview; `unit` is that of the balance afterwards."""
        self._show_parts(preview)
        self.flags.set_flags("", ())
        self.problems.show_text("")
        self.warnings.show_text("")
        if preview is None:
            return
        described = preview.description
        self.flags.set_flags("Check this twice before you request it", described.red_flags)
        self.problems.show_text(
            "This cannot be requested" if preview.problems else "", "\n".join(preview.problems)
        )
        self.warnings.show_text(
            "Read this before you request it" if preview.warnings else "",
            "\n".join(preview.warnings),
        )
        self.shown_caption.setText(f"{described.action} on {described.chain} {described.network}")
        self.shown_amount.set_amount(described.amount, described.unit, masked=hide)
        self.shown_address.set_address(described.to_address, masked=hide)
        fee_unit = described.fee_unit
        valid = wording.span(preview.valid_for_s * 1000) if preview.valid_for_s else "not limited"
        self.facts.set_facts(
            Fact.of_amount("Network fee", Sum(described.fee, fee_unit)),
            Fact.of_amount("Fee ceiling", Sum(preview.fee_ceiling, fee_unit)),
            Fact.of_amount("Balance after", Sum(preview.balance_after, unit, hide)),
            Fact("Valid for", valid),
            # Any of them may have amounts and addresses.
            *(Fact(f.label, wording.masked(f.value, hide=hide)) for f in described.fields),
        )
        effects = _masked(preview.effects) if hide else preview.effects
        self.effects.set_facts(*(Fact(effect.label, effect.value) for effect in effects))
        self.digest.set_address(described.digest)
        self.request_button.setEnabled(not preview.problems and not working)

    def _show_parts(self, preview: TransferPreview | None) -> None:
        there = preview is not None
        self.hint.setVisible(not there)
        for part in (
            self.shown_amount,
            self.shown_caption,
            self.facts,
            self.digest_caption,
            self.request_button,
            self.digest,
        ):
            part.setVisible(there)
        addressed = preview is not None and bool(preview.description.to_address)
        self.address_caption.setVisible(addressed)
        self.shown_address.setVisible(addressed)
        foreseen = preview is not None and bool(preview.effects)
        self.effects_caption.setVisible(foreseen)
        self.effects.setVisible(foreseen)


def _masked(effects: tuple[FieldView, ...]) -> tuple[FieldView, ...]:
    """Return numbers in place of the addresses whose balances change."""
    return tuple(
        FieldView(f"Balance {number}", wording.MASK) for number, _ in enumerate(effects, start=1)
    )
