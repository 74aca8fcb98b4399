"""Review and approve a request, then follow its signing session."""

from PySide6.QtCore import QTimer, Signal

from console.application.views import RequestStage, RequestView
from ui import object_names as names
from ui import status, wording
from ui.accounts import PageSubject
from ui.context import Context
from ui.screen import Screen
from ui.screens.review.decision import DecisionCard
from ui.screens.review.panels import (
    ApprovalsCard,
    BytesCard,
    PolicyCard,
    SubjectCard,
    danger_of,
)
from ui.screens.review.view_model import Missing, ReviewModel
from ui.status import Look
from ui.theme import Tone
from ui.widgets.banner import DangerList
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, columns, row
from ui.widgets.chip import Chip
from ui.widgets.chunked_address import ChunkedAddress
from ui.widgets.round_matrix import RoundMatrix
from ui.widgets.sheet import QuestionSheet, ReasonSheet
from ui.widgets.text import Label
from ui.widgets.timeline import Timeline, TimelineItem

_SOON_MS = 2 * 3_600_000
_LONGEST_WAIT_MS = 24 * 3_600_000
"""Timers hold no longer time; the page is painted again then, and waits on."""
_DECIDED_IN_TIME = {RequestStage.AWAITING_APPROVAL, RequestStage.APPROVED}
_DENIES = "A denial closes the request for all members."
_WITHDRAWS = "Withdrawing closes the request for all members."
_UNSIGNED = "Nothing was signed, and the funds stay where they are."
_DOUBTFUL = (
    "Custodians may have begun to sign it. This node knows of no signature; if another member has "
    "one, it outweighs this."
)


class ReviewScreen(Screen):
    """All on this page is decoded from the bytes to be signed, never from a form."""

    NAME = "review"
    TITLE = "Review request"
    HELP = (
        "Compare the short code and the bold address groups by voice with the other approvers.",
        "Approve arms 3 s after both ticks and the PIN.",
        "Ctrl+Enter moves to Approve, Space presses it. Enter never approves.",
        "Deny closes the request for all members and asks for a reason.",
        "Nothing undoes a signature. Privacy mode does not apply here.",
    )
    model: ReviewModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, ReviewModel(context))

    def build(self) -> None:
        """Lay out the two columns."""
        self.back_button.show()
        self.stage, self.expires = Chip(), Chip()
        self.marks.addWidget(self.stage)
        self.tools.addWidget(self.expires)
        self.flags = DangerList()
        self.subject, self.bytes_card = SubjectCard(), BytesCard()
        self.policy, self.approvals = PolicyCard(), ApprovalsCard()
        self.decision = DecisionCard(self.model)
        self.signing = _SigningCard()
        self.timeline = Timeline()
        self.result = _ResultCard()
        progress = Card("Progress", spacing=8)
        self.retry = Button("Retry signing", icon="refresh", name=names.REVIEW_RETRY_SIGNING)
        self.speed_up = Button("Speed up", icon="refresh", name=names.REVIEW_SPEED_UP)
        self.cancel_sent = Button("Cancel on the chain", name=names.REVIEW_CANCEL_SENT)
        self.remake = Button(
            "Make it again with the same coins or nonce", icon="refresh", name=names.REVIEW_REMAKE
        )
        progress.add(self.timeline, row(self.retry, self.speed_up, 1))
        progress.add(row(self.remake, 1), row(self.cancel_sent, 1))
        self.foot.addWidget(self.decision.bar)
        self.expiry_timer = QTimer(self, singleShot=True)
        self.expiry_timer.timeout.connect(self._expired)
        self.content.addWidget(self.flags)
        self.content.addLayout(
            columns(
                column(self.subject, self.bytes_card, self.policy, spacing=16, stretch=True),
                column(
                    self.approvals,
                    self.decision,
                    self.signing,
                    self.result,
                    progress,
                    spacing=16,
                    stretch=True,
                ),
            )
        )
        window = self.context.window
        self.deny_panel = ReasonSheet(
            window, "Deny this request", "Deny request", names.REVIEW_DENY_PANEL
        )
        self.withdraw_panel = QuestionSheet(
            window, "Withdraw this request", "Withdraw request", names.REVIEW_WITHDRAW_PANEL
        )
        self.deny_panel.given.connect(self.model.deny)
        self.withdraw_panel.confirmed.connect(self.model.withdraw)
        self.decision.denied.connect(lambda: self.deny_panel.ask(self._closes(_DENIES)))
        self.decision.withdrawn.connect(lambda: self.withdraw_panel.ask(self._closes(_WITHDRAWS)))
        self.retry.clicked.connect(self.model.retry)
        self.speed_up.clicked.connect(lambda: self._replace("speed-up"))
        self.remake.clicked.connect(lambda: self._replace("remake"))
        self.cancel_sent.clicked.connect(lambda: self._replace("cancel"))
        for part in (self.subject, self.bytes_card, self.result):
            part.copied.connect(self.context.copy)

    def open(self, subject: str) -> None:
        """Open with nothing ticked, and no question about another request."""
        self.decision.reset()
        for panel in (self.deny_panel, self.withdraw_panel):
            panel.close_sheet()
        super().open(subject)

    def pause(self) -> None:
        """Clear ticks and PIN when the page is left."""
        self.decision.reset()
        for panel in (self.deny_panel, self.withdraw_panel):
            panel.close_sheet()
        self.expiry_timer.stop()
        super().pause()

    def close_screen(self) -> None:
        """Close the panels too."""
        self.decision.reset()
        for panel in (self.deny_panel, self.withdraw_panel):
            panel.hide()
            panel.deleteLater()
        self.expiry_timer.stop()
        super().close_screen()

    def back(self) -> bool:
        """Go back to the inbox."""
        self.context.navigate("approvals", "")
        return True

    def focus_armed(self) -> bool:
        """Focus Approve, if it is armed."""
        self.decision.approve.setFocus()
        return self.decision.approve.isEnabled()

    def render_head(self) -> None:
        """Show state and expiry beside the title."""
        view = self.model.view
        ready = view is not None
        self.stage.setVisible(ready)
        self.expires.setVisible(ready and view is not None and view.stage in status.OPEN_REQUESTS)
        if view is None:
            self.heading.setText(self.TITLE)
            return
        self.heading.setText(f"Review request {view.request[-6:].upper()}")
        self.heading.setToolTip(view.request)
        look = status.REQUEST[view.stage]
        waiting = view.stage is RequestStage.AWAITING_APPROVAL
        quorum = wording.quorum(view.approvals_done, view.approvals_needed)
        self.stage.set_look(look, f"{look.word} \u00b7 {quorum}" if waiting else look.word)
        now = self.context.now_ms()
        if waiting:
            soon = view.expires_at_ms - now < _SOON_MS
            tone = Tone.WARN if soon else Tone.NEUTRAL
            self.expires.set_look(Look("timer", wording.remaining(view.expires_at_ms, now), tone))
        else:
            self.expires.hide()

    def render_content(self) -> None:
        """Paint the request."""
        view = self.model.view
        if view is None:
            return
        danger = danger_of(view)
        if danger:
            self.flags.set_flags(danger, (view.sentence,))
        else:
            self.flags.set_flags("Check this twice before you approve", view.description.red_flags)
        self.subject.show_request(view, mine=view.can_approve)
        self.bytes_card.show_request(view)
        self.policy.show_request(view)
        self.approvals.show_request(view)
        self.decision.show_request(view)
        self.signing.show_request(view, self._people(view))
        self.result.show_request(view)
        self._follow(view)
        self._wait_for_expiry(view)
        for button in (self.retry, self.speed_up, self.remake, self.cancel_sent):
            button.setEnabled(not self.model.hindrance)
        self.retry.setText("Retry signing" if view.can_retry else "Ask the chain now")
        self.retry.setVisible(view.can_retry or view.can_ask_now)
        self.speed_up.setVisible(view.can_replace)
        self.remake.setVisible(view.can_remake)
        self.cancel_sent.setVisible(view.can_replace or view.can_remake)
        self.timeline.set_items(
            [
                TimelineItem(
                    status.STEP[item.state],
                    item.title,
                    " \u00b7 ".join(
                        part
                        for part in (item.detail, wording.clock(item.at_ms) if item.at_ms else "")
                        if part
                    ),
                )
                for item in view.timeline
            ]
        )

    def _wait_for_expiry(self, view: RequestView) -> None:
        """Repaint at the moment from which nothing can be decided any more."""
        left = view.expires_at_ms - self.context.now_ms()
        if view.stage in _DECIDED_IN_TIME and left > 0:
            self.expiry_timer.start(min(left, _LONGEST_WAIT_MS))
        else:
            self.expiry_timer.stop()

    def _expired(self) -> None:
        self.model.changed.emit()
        self.model.refresh()

    def _follow(self, view: RequestView) -> None:
        """Keep open questions true: what the request has become is said in them."""
        blocked = self.model.hindrance or (Missing.TIME if self.model.expired else "")
        over = f"This request can no longer be denied. {view.sentence}"
        self.deny_panel.follow("" if view.can_deny else over, blocked)
        over = f"This request can no longer be withdrawn. {view.sentence}"
        self.withdraw_panel.follow("" if view.can_withdraw else over, blocked)

    def _closes(self, what: str) -> str:
        """Return what a denial or withdrawal does, as far as this node knows."""
        view = self.model.view
        doubtful = view is not None and (view.may_be_signed or bool(view.past_runs))
        return f"{what} {_DOUBTFUL if doubtful else _UNSIGNED}"

    def _replace(self, how: str) -> None:
        """Draft the replacement of this request; it is approved like any other."""
        view = self.model.view
        if view is not None:
            place = PageSubject(view.wallet, view.account, f"{how}:{view.request}")
            self.context.navigate("new_transfer", place.subject)

    def _people(self, view: RequestView) -> dict[str, str]:
        session = self.context.link.session
        people = {item.member: item.name for item in session.members} if session else {}
        return people | {item.member: item.name for item in view.approvals}


class _SigningCard(Card):
    """The live protocol session, and the failures of ended ones."""

    def __init__(self) -> None:
        super().__init__("Signing session", spacing=12)
        self.matrix = RoundMatrix()
        self.sentence = Label("", "secondary", wrap=True)
        self.past = Label("", "caption", wrap=True)
        self.add(self.sentence, self.matrix, self.past)

    def show_request(self, view: RequestView, people: dict[str, str]) -> None:
        """Paint the session."""
        run = view.run
        self.setVisible(run is not None or bool(view.past_runs))
        self.matrix.set_run(run, people)
        if run is not None:
            self.heading.setText(f"Signing session \u00b7 attempt {run.attempt}")
        self.sentence.show_text((run.failure or run.sentence) if run else "")
        self.past.show_text(
            "\n".join(f"Attempt {run.attempt}: {run.failure}" for run in view.past_runs)
        )


class _ResultCard(Card):
    """The transaction, once it exists."""

    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__("Result", spacing=8)
        self.transaction = ChunkedAddress(14, what="Transaction id")
        self._text = self._signed = ""
        copy = Button(
            "",
            "ghost",
            icon="copy",
            name=names.REVIEW_COPY_TRANSACTION,
            accessible="Copy transaction id",
        )
        copy.clicked.connect(lambda: self.copied.emit(self._text))
        signed = Button("Copy signed bytes", "ghost", icon="copy", name=names.REVIEW_COPY_SIGNED)
        signed.clicked.connect(lambda: self.copied.emit(self._signed))
        self.caption = Label("Transaction id", "caption")
        self.add(row(self.caption, 1, copy), self.transaction, row(signed, 1))

    def show_request(self, view: RequestView) -> None:
        """Paint the transaction id."""
        # A message has no transaction, only a signature.
        self._signed, self._text = view.signed_text, view.transaction_id
        self.caption.setText("Digest of the message" if view.is_message else "Transaction id")
        self.setVisible(bool(view.transaction_id))
        self.transaction.set_address(self._text)
