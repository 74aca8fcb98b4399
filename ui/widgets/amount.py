"""Amounts with all digits and their unit; masked in full in privacy mode."""

from ui.widgets.text import Label
from ui.wording import MASK


class AmountLabel(Label):
    """An exact amount; a masked one shows no digit."""

    def set_amount(self, amount: str, unit: str, *, masked: bool = False) -> None:
        """Show an amount, or a mask of fixed length."""
        shown = f"{MASK if masked else amount} {unit}" if amount else f"\u2013 {unit}".strip()
        self.setText(shown)
        self.setAccessibleName(f"{unit} amount, hidden by privacy mode" if masked else shown)
