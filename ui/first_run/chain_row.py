"""One chain of step 5: whether it is used, on which network, by which nodes, and their test."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from console.client.set_up.messages import ChainChoice, ChainPreset, ChainTested, TestChain
from ui.first_run import names
from ui.first_run.result_line import ResultLine
from ui.first_run.set_up import SetUp
from ui.first_run.work import Work
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.choice import ChoiceLine
from ui.widgets.fields import CheckLine, LimitedField, labelled, text_field
from ui.widgets.tab_order import put_in_order
from ui.widgets.text import Label

MAX_URLS = 8
_WEBSOCKET = "Websocket of one of them: not required, not tested"
_URL_LIMIT = 2048


class ChainRow(Card):
    """A card with a tick; its fields are shown while it is ticked."""

    changed = Signal()

    def __init__(self, set_up: SetUp, presets: Sequence[ChainPreset]) -> None:
        super().__init__(padding=16, spacing=12)
        self._set_up = set_up
        self.presets = {preset.network: preset for preset in presets}
        first = presets[0]
        self.chain = first.chain
        self.work = Work()
        self.work.changed.connect(self._show)
        self.use = CheckLine(first.chain_name, f"{names.CHAINS_USE}.{self.chain}")
        self.networks = {preset.network: self._radio(preset) for preset in presets}
        self._group = QButtonGroup(self)
        for radio in self.networks.values():
            self._group.addButton(radio)
        default = next((p for p in presets if not p.is_main), first)
        self.networks[default.network].setChecked(True)
        self.hint = Label("", "caption", wrap=True)
        self.urls: list[LimitedField] = []
        self._lines = column(spacing=6)
        self.websocket = text_field(
            f"{names.CHAINS_WEBSOCKET}.{self.chain}",
            f"Websocket of a {first.chain_name} node, not required",
            "wss://node.example.org",
            mono=True,
            limit=_URL_LIMIT,
        )
        self.more = Button(
            "Another node",
            "ghost",
            icon="plus",
            name=f"{names.CHAINS_MORE}.{self.chain}",
            accessible=f"Another node for {first.chain_name}",
        )
        self.test = Button(
            "Test",
            icon="refresh",
            name=f"{names.CHAINS_TEST}.{self.chain}",
            accessible=f"Test {first.chain_name}",
        )
        self.result = ResultLine(f"chains.result.{self.chain}")
        self._lay_out()
        self._suggest()

    @property
    def network(self) -> str:
        """The chosen network."""
        return next(name for name, radio in self.networks.items() if radio.isChecked())

    @property
    def preset(self) -> ChainPreset:
        """The preset of the chosen network."""
        return self.presets[self.network]

    def choice(self) -> ChainChoice | None:
        """Return what is entered; None while the chain is not used."""
        urls = self._entered()
        if not self.use.isChecked() or not urls:
            return None
        websocket = self.websocket.text().strip() if self.preset.websocket else ""
        return ChainChoice(chain=self.chain, network=self.network, urls=urls, websocket=websocket)

    def blocked(self) -> str:
        """Return what is missing."""
        if not self.use.isChecked():
            return ""
        if not self._entered():
            return f"Enter the URL of a {self.preset.chain_name} node."
        return next((field.excess for field in (*self.urls, self.websocket) if field.excess), "")

    def show_choice(self, choice: ChainChoice) -> None:
        """Show what the draft holds."""
        if choice.network not in self.networks:
            return
        self.networks[choice.network].setChecked(True)
        self._fill(choice.urls)
        self.websocket.setText(choice.websocket)
        self.use.setChecked(True)

    def order_tabs(self) -> None:
        """Have Tab go as one reads: fields come later than what stands below them."""
        put_in_order(
            (self.use, *self.networks.values(), *self.urls, self.websocket, self.test, self.more)
        )

    def _lay_out(self) -> None:
        networks = row(*self.networks.values(), 1, spacing=20)
        fields = QWidget()
        caption, field = labelled(
            "Websocket of one of them: not required, not tested", self.websocket
        )
        self._follows = QWidget()
        self._follows.setLayout(column(caption, field, spacing=6))
        body = column(
            column(Label("Network", "caption"), networks, spacing=2),
            column(Label("Its nodes", "caption"), self._lines, self.hint, spacing=6),
            self._follows,
            row(self.test, self.more, 1),
            self.result,
            spacing=12,
        )
        body.setContentsMargins(34, 0, 0, 0)
        fields.setLayout(body)
        fields.hide()
        self._fields = fields
        self.add(self.use, fields)
        self.use.toggled.connect(self._used)
        self.more.clicked.connect(lambda: self._add_url("", focus=True))
        self.test.clicked.connect(self._test)
        self.websocket.textChanged.connect(self._changed)
        for radio in self.networks.values():
            radio.toggled.connect(self._network_chosen)

    def _radio(self, preset: ChainPreset) -> ChoiceLine:
        name = f"{names.CHAINS_NETWORK}.{preset.chain}.{preset.network}"
        radio = ChoiceLine(preset.network_name, name)
        radio.setAccessibleName(f"{preset.chain_name}: {preset.network_name}")
        return radio

    def _used(self, on: bool) -> None:
        self._fields.setVisible(on)
        if not on:
            self.work.cancel()
        elif self.use.hasFocus():
            self.urls[0].setFocus()
        self._show()

    def _network_chosen(self, on: bool) -> None:
        if on:
            self._suggest()

    def _suggest(self) -> None:
        self._fill(self.preset.urls or ("",))
        self.websocket.clear()
        self._follows.setVisible(self.preset.websocket)
        self.hint.show_text(self.preset.hint)
        self._changed()

    def _fill(self, urls: Sequence[str]) -> None:
        for field in self.urls:
            self._lines.removeWidget(field)
            field.hide()
            field.deleteLater()
        self.urls = []
        for url in urls[:MAX_URLS]:
            self._add_url(url)

    def _add_url(self, url: str, *, focus: bool = False) -> None:
        place = len(self.urls) + 1
        field = text_field(
            f"{names.CHAINS_URL}.{self.chain}.{place}",
            f"URL of node {place} for {self.preset.chain_name}",
            "https://node.example.org",
            mono=True,
            limit=_URL_LIMIT,
        )
        field.setText(url)
        field.setCursorPosition(0)
        field.textChanged.connect(self._changed)
        self.urls.append(field)
        self._lines.addWidget(field)
        self.order_tabs()
        self.more.setEnabled(len(self.urls) < MAX_URLS)
        if focus:
            field.setFocus()

    def _entered(self) -> tuple[str, ...]:
        return tuple(text for field in self.urls if (text := field.text().strip()))

    def _changed(self) -> None:
        self.work.cancel()
        self.work.clear()
        self.result.clear()
        self._show()

    def _test(self) -> None:
        if self.choice() is not None:
            self.work.start(self._ask)

    async def _ask(self) -> None:
        choice = self.choice()
        if choice is None:
            return
        self.result.show_waiting("Asking for its network and newest block.")
        answer = await self._set_up.ask(TestChain(chain=choice), ChainTested)
        self.result.show_result(works=answer.works, found=answer.found)

    def _show(self) -> None:
        if self.work.problem is not None:
            self.result.clear()
        self.test.setEnabled(self.choice() is not None and not self.work.running)
        self.changed.emit()
