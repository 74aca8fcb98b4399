"""The cards of the review page: the request, its bytes, approvals, policy and decision."""

from PySide6.QtCore import Signal

from console.application.views import RequestStage, RequestView, StepState
from ui import object_names as names
from ui import status, wording
from ui.amounts import Sum
from ui.status import Look
from ui.theme import Tone
from ui.widgets.amount import AmountLabel
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.chip import Chip
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.facts import Fact, Facts
from ui.widgets.qr import QrCode
from ui.widgets.segmented import Segment, SegmentedApprovals
from ui.widgets.text import Label

PASSED = Look("check-circle", "Passed", Tone.OK)
BLOCKED = Look("triangle-alert", "Not met", Tone.WARN)


class SubjectCard(Card):
    """Amount, wallet, destination and short code. Privacy mode never applies here."""

    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__(spacing=12)
        self.caption = Label("", "caption")
        self.amount = AmountLabel("", "amount")
        self.wallet = Label("", "strong")
        self.note = Label("", "secondary", wrap=True)
        self.address = ChunkedAddress()
        self.code = Label("", "code")
        self.qr = QrCode(148)
        self.qr.hide()
        self._address_text = ""
        show_qr = Button("QR", icon="qr", name=names.REVIEW_QR, accessible="Show QR code")
        show_qr.clicked.connect(lambda: self.qr.setVisible(self.qr.isHidden()))
        copy = Button("Copy", icon="copy", name=names.REVIEW_COPY_ADDRESS)
        copy.setToolTip("The clipboard is emptied in 30 s")
        copy.clicked.connect(lambda: self.copied.emit(self._address_text))
        self.add(
            column(self.caption, self.amount, spacing=4),
            column(
                Label("Short code. The same on every approver's screen.", "caption"),
                self.code,
                spacing=4,
            ),
            row(Label("from", "secondary"), self.wallet, 1),
            self.note,
            Label(
                "Destination address. Read the four bold groups aloud to the second approver.",
                "caption",
                wrap=True,
            ),
            row(self.address, 1, show_qr, copy),
            self.qr,
        )

    def show_request(self, view: RequestView, *, mine: bool) -> None:
        """Paint the subject of a request."""
        described = view.description
        verb = "You are approving" if mine else "Requested"
        self.caption.setText(f"{verb} \u00b7 {described.action}")
        self.amount.set_amount(described.amount, described.unit)
        self.wallet.setText(f"{view.wallet_name} \u00b7 {view.threshold} signers needed")
        self.note.show_text(f"Note of {view.proposer_name}: {view.note}" if view.note else "")
        self._address_text = described.to_address
        self.address.set_address(described.to_address)
        self.qr.set_text(described.to_address)
        self.qr.setVisible(not self.qr.isHidden())
        self.code.setText(view.short_code)
        self.code.setAccessibleName(f"Short code {view.short_code}")


class BytesCard(Card):
    """Every field decoded from the bytes, and their digest."""

    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__("What will be signed", spacing=12)
        self.facts = Facts()
        self.digest = ChunkedAddress(14, per_row=8, what="Digest")
        self._digest_text = ""
        self.copy = Button(
            "", "ghost", icon="copy", name=names.REVIEW_COPY_DIGEST, accessible="Copy digest"
        )
        self.copy.clicked.connect(lambda: self.copied.emit(self._digest_text))
        self._bytes_text = ""
        self.copy_bytes = Button(
            "Copy for another program", "ghost", icon="copy", name=names.REVIEW_COPY_BYTES
        )
        self.copy_bytes.clicked.connect(lambda: self.copied.emit(self._bytes_text))
        self.add(
            self.facts,
            column(
                row(Label("SHA-256 of the bytes to be signed", "caption"), 1, self.copy),
                self.digest,
                spacing=0,
            ),
            row(self.copy_bytes, 1),
        )

    def show_request(self, view: RequestView) -> None:
        """Paint the decoded fields."""
        described = view.description
        unit = described.fee_unit
        facts = [
            Fact("Network", f"{described.chain} \u00b7 {described.network}"),
            Fact("From", wording.shortened(described.from_address, 3), mono=True),
            Fact.of_amount("Network fee", Sum(described.fee, unit)),
            Fact.of_amount("Network fee, at most", Sum(view.fee_ceiling, unit)),
        ]
        facts += [Fact(field.label, field.value) for field in described.fields]
        facts.append(Fact("Intent digest", wording.shortened(view.intent_digest, 3), mono=True))
        self.facts.set_facts(*facts)
        self._bytes_text = view.unsigned_text
        self.copy_bytes.setVisible(bool(self._bytes_text))
        self._digest_text = described.digest
        self.digest.set_address(described.digest)


class ApprovalsCard(Card):
    """Who approved, who denied, and who has not decided."""

    def __init__(self) -> None:
        super().__init__("Approvals", spacing=12)
        self.bar = SegmentedApprovals("Approvals")
        self.sentence = Label("", "secondary", wrap=True)
        self.able = Label("", "secondary", wrap=True)
        self.add(self.bar, self.sentence, self.able)

    def show_request(self, view: RequestView) -> None:
        """Paint the approvals."""
        quorum = wording.quorum(view.approvals_done, view.approvals_needed)
        self.heading.setText(f"Approvals \u00b7 {quorum}")
        segments = []
        for approval in view.approvals:
            look = status.STEP[approval.state]
            word = "approved" if approval.state is StepState.DONE else look.word.lower()
            at = f"{wording.clock(approval.at_ms)} \u00b7 {word}" if approval.at_ms else word
            name = "You" if approval.is_me else approval.name
            segments.append(Segment(name, at, look))
        self.bar.set_segments(segments)
        denied = [item for item in view.approvals if item.reason]
        reasons = " ".join(f"{item.name}: {item.reason}" for item in denied)
        open_still = view.stage is RequestStage.AWAITING_APPROVAL and not denied
        rule = "Any approver can deny; a denial closes the request." if open_still else reasons
        said = "" if danger_of(view) else view.sentence
        self.sentence.show_text(f"{said} {rule}".strip())
        self.able.show_text(who_can_sign(view))


def danger_of(view: RequestView) -> str:
    """Return the heading under which its sentence stands above all else; '' if it does not."""
    if view.stage is RequestStage.REFUSED:
        return "The chain's node refuses it"
    ended = view.stage not in status.OPEN_REQUESTS
    return "A signature of it may exist" if ended and view.may_be_signed else ""


def who_can_sign(view: RequestView) -> str:
    """Return who can sign now and who cannot, before anyone decides; '' once it is signed."""
    if view.stage not in status.UNSIGNED or not view.custodians:
        return ""
    sorted_out: dict[str, list[str]] = {}
    for person in view.custodians:
        name = "you" if person.is_me else person.name
        sorted_out.setdefault(status.presence(person).word, []).append(name)
    able = sorted_out.pop(status.ONLINE.word, [])
    enough = len(able) >= view.threshold
    lead = "Can sign now" if enough else f"Too few to sign now, {view.threshold} are needed"
    parts = [f"{lead}: {wording.listed(able) or 'nobody'}."]
    parts += [f"{word}: {wording.listed(names)}." for word, names in sorted_out.items()]
    return " ".join(parts)


class PolicyCard(Card):
    """The rules, evaluated by this node on the decoded bytes."""

    def __init__(self) -> None:
        super().__init__("Policy checks", spacing=8)
        self._lines: list[tuple[Chip, Label]] = []

    def show_request(self, view: RequestView) -> None:
        """Paint the checks."""
        self.setVisible(bool(view.checks))
        while len(self._lines) < len(view.checks):
            chip, text = Chip(), Label("", wrap=True)
            line = row(chip)
            line.addWidget(text, 1)
            self.body.addLayout(line)
            self._lines.append((chip, text))
        for place, (chip, text) in enumerate(self._lines):
            known = place < len(view.checks)
            chip.setVisible(known)
            text.setVisible(known)
            if known:
                check = view.checks[place]
                chip.set_look(PASSED if check.passed else BLOCKED, check.rule)
                text.setText(check.explanation)
                passed = "Passed" if check.passed else "Not met"
                text.setAccessibleName(f"{passed}: {check.rule}. {check.explanation}")
