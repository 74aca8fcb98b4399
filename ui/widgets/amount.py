"""The one amount component: never elided, never clipped, always with its unit."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

from ui.amounts import Sum
from ui.widgets.text import Label


class AmountLabel(Label):
    """An amount that wraps between its groups; focus shows and Ctrl+C copies all decimals."""

    def __init__(self, text: str = "", role: str = "amount") -> None:
        super().__init__(text, role, wrap=True)
        self._sum = Sum("", "")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def shown(self) -> Sum:
        """The amount on screen."""
        return self._sum

    def set_amount(self, amount: str, unit: str, *, masked: bool = False) -> None:
        """Show an amount, or a mask of fixed length."""
        self.set_sum(Sum(amount, unit, masked))

    def set_sum(self, amount: Sum) -> None:
        """Show an amount."""
        self._sum = amount
        hidden = f"{amount.unit} amount, hidden by privacy mode"
        self.setAccessibleName(hidden if amount.masked else amount.full)
        self.setToolTip("" if amount.masked else amount.full)
        self._show()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show all decimals."""
        super().focusInEvent(event)
        self._show()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the short form again."""
        super().focusOutEvent(event)
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy all decimals by Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            if self._sum.plain:
                QApplication.clipboard().setText(self._sum.plain)
            event.accept()
            return
        super().keyPressEvent(event)

    def _show(self) -> None:
        self.setText(self._sum.full if self.hasFocus() else self._sum.short)
