"""Where a wallet receives: its address, and a descriptor for watch-only wallets."""

from PySide6.QtCore import Qt, Signal

from console.application.views import AccountView
from ui import object_names as names
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.qr import QrCode
from ui.widgets.text import Label


class ReceiveCard(Card):
    """QR code and address in groups; both hidden in privacy mode."""

    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__("Receive", spacing=12)
        self._address = ""
        self._export = ""
        self.qr = QrCode(164)
        self.address = ChunkedAddress()
        self.path = Label("", "caption", wrap=True)
        copy = Button("Copy (clears in 30 s)", icon="copy", name=names.WALLET_COPY_ADDRESS)
        copy.clicked.connect(lambda: self.copied.emit(self._address))
        self.export = Button(
            "Copy watch-only descriptor", "ghost", icon="copy", name=names.WALLET_COPY_EXPORT
        )
        self.export.setToolTip("For a watch-only wallet: it holds no secret")
        self.export.clicked.connect(lambda: self.copied.emit(self._export))
        compare = "Compare the address with another custodian before you pass it on."
        beside = column(
            Label(compare, "secondary", wrap=True),
            self.address,
            self.path,
            row(copy, self.export, 1),
            spacing=12,
            stretch=True,
        )
        line = row(spacing=24)
        line.addWidget(self.qr, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(beside, 1)
        self.add(line)

    def show_account(self, account: AccountView, *, hide: bool) -> None:
        """Paint an account's address."""
        self._address, self._export = account.address, account.export
        self.address.set_address(account.address, masked=hide)
        self.qr.set_text(account.address, masked=hide)
        self.path.setText(f"Derivation path {account.path}" if account.path else "")
        self.export.setVisible(account.export not in {"", account.address})
