"""The shares of one wallet: problems, custodians, actions and drills."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from console.application.views import DrillView, WalletSharesView
from ui import object_names as names
from ui import wording
from ui.screens.recovery.actions import ActionsCard
from ui.screens.recovery.share_matrix import ShareMatrix
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import Banner
from ui.widgets.card import Card, row
from ui.widgets.cells import Cell, Column, Row
from ui.widgets.chip import Chip, IconMark
from ui.widgets.facts import Fact, Facts
from ui.widgets.table import DataTable, RowsModel
from ui.widgets.text import Label

_ROW = 40
_QUARANTINED = "A signature was wrong. This wallet is in quarantine."
_SAFE_AND_NEXT = (
    "Keys and funds are safe, but this member signs nothing with this wallet until a refresh. "
    "Refresh the shares now: this ends the quarantine."
)


class SharesDetail(QWidget):
    """The shares of one wallet."""

    asked = Signal(str)
    ceremony_opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._ceremony = ""
        self.quarantine = Banner(Tone.DANGER, names.RECOVERY_QUARANTINE)
        self.ceremony = Banner(Tone.INFO, names.RECOVERY_CEREMONY, action="Open ceremony")
        self.working = Banner(Tone.INFO, names.RECOVERY_WORKING)
        self.steps = ActionsCard()
        self.matrix = ShareMatrix()
        self.erased_mark = IconMark("check-circle", "ok_fg", 18)
        self.erased = Label("", "secondary", wrap=True)
        self._erasure = QWidget()
        erasure = row(self.erased_mark, spacing=8)
        erasure.addWidget(self.erased, 1)
        self._erasure.setLayout(erasure)
        self.health = Card("Share health", spacing=12)
        self.health.add(self.matrix, self._erasure)
        line = row(spacing=16)
        for card, share in ((self.steps, 7), (self._epoch(), 5)):
            policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            policy.setHeightForWidth(True)
            card.setSizePolicy(policy)
            line.addWidget(card, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        for banner in (self.quarantine, self.ceremony, self.working):
            layout.addWidget(banner)
        layout.addWidget(self.health)
        layout.addLayout(line)
        layout.addWidget(self._drills())
        layout.addStretch(1)
        self.steps.asked.connect(self.asked)
        self.ceremony.acted.connect(lambda: self.ceremony_opened.emit(self._ceremony))

    def _epoch(self) -> Card:
        self.epoch = Card("Epoch", spacing=12)
        self.due = Chip()
        self.epoch.head.addWidget(self.due)
        self.facts = Facts()
        self.epoch.add(self.facts)
        self.epoch.body.addStretch(1)
        return self.epoch

    def _drills(self) -> Card:
        self.rows = RowsModel(
            (
                Column("When", width=192),
                Column("Epoch", width=72),
                Column("Keys", width=192),
                Column("Signed by", stretch=1),
            )
        )
        self.drills = DataTable(self.rows, names.RECOVERY_DRILLS, "Drills", row_height=_ROW)
        self.no_drill = Label(
            "No drill yet. A drill proves that the shares can sign, before a signature is needed.",
            "muted",
            wrap=True,
        )
        card = Card("Drills", spacing=8)
        card.add(self.drills, self.no_drill)
        return card

    def show_wallet(
        self,
        wallet: WalletSharesView,
        people: dict[str, str],
        now: int,
        *,
        working: bool,
        drilling: bool,
    ) -> None:
        """Paint a wallet's shares; `people` maps members to names."""
        self._show_banners(wallet, drilling=drilling)
        self.steps.setVisible(not wallet.open_ceremony)
        self.steps.show_wallet(wallet, working=working)
        self._show_epoch(wallet, now)
        self.health.heading.setText(f"Share health of {wallet.name}")
        self.matrix.set_shares(wallet.shares, now)
        self._show_erasure(wallet, people)
        self.rows.set_rows([_drill_row(drill, people) for drill in wallet.drills])
        self.drills.setVisible(bool(wallet.drills))
        self.drills.setFixedHeight(36 + _ROW * min(len(wallet.drills), 6) + 2)
        self.no_drill.setVisible(not wallet.drills)

    def _show_banners(self, wallet: WalletSharesView, *, drilling: bool) -> None:
        because = wording.sentence(wallet.quarantined_because)
        self.quarantine.show_text(
            _QUARANTINED if because else "", f"{because} {_SAFE_AND_NEXT}" if because else ""
        )
        self._ceremony = wallet.open_ceremony
        self.ceremony.show_text(
            "A ceremony is changing these shares." if wallet.open_ceremony else "",
            "The old shares stay valid until all have certified the new ones. Nothing else can "
            "be started before it ends.",
        )
        self.working.show_text(
            "The drill is running." if drilling else "",
            "Custodians sign a message that is no transaction. This can take 2 min.",
        )

    def _show_epoch(self, wallet: WalletSharesView, now: int) -> None:
        self.epoch.heading.setText(f"Epoch {wallet.epoch}")
        due = wording.due(wallet.refresh_due_ms, now)
        late = wallet.refresh_due_ms < now
        word = "never refreshed" if not wallet.epoch and not late else due
        tone = Tone.WARN if late else Tone.NEUTRAL
        self.due.set_look(Look("timer", wording.capital(word), tone))
        day = wording.moment(wallet.refresh_due_ms)[:10]
        refreshed = [] if wallet.epoch else [Fact("Last refresh", "never refreshed")]
        self.facts.set_facts(
            Fact("To sign", wording.quorum(wallet.threshold, len(wallet.shares))),
            Fact("To approve", wording.quorum(wallet.approvals_needed, len(wallet.shares))),
            Fact("Keys", "\n".join(wallet.key_names)),
            Fact("Began", wording.moment(wallet.epoch_began_ms)),
            *refreshed,
            Fact("Next refresh", f"{due}\n{day}"),
        )

    def _show_erasure(self, wallet: WalletSharesView, people: dict[str, str]) -> None:
        gone, left = _names(wallet.erased, people), _names(wallet.not_erased, people)
        sentence = f"Old shares erased by {wording.listed(gone)}" if gone else ""
        if left:
            sentence = f"{sentence}; not yet by" if sentence else "Old shares not yet erased by"
            sentence = f"{sentence} {wording.listed(left)}"
        self.erased.setText(f"{sentence}." if sentence else "")
        look = ("hourglass", "warn_fg") if left else ("check-circle", "ok_fg")
        self.erased_mark.set_icon(*look)
        self._erasure.setVisible(bool(sentence))


def _names(members: Sequence[str], people: dict[str, str]) -> list[str]:
    return [people.get(member, member) for member in members]


def _drill_row(drill: DrillView, people: dict[str, str]) -> Row:
    signers = wording.listed(_names(drill.signers, people))
    lines = "\n".join(drill.key_names)
    return Row(
        f"{drill.at_ms}",
        (
            Cell(wording.moment(drill.at_ms)),
            Cell(str(drill.epoch)),
            Cell(wording.kinds(drill.kinds)),
            Cell(signers),
        ),
        f"Signed by {signers}\n{lines}",
    )
