"""Every screen in every state, and rules that hold on all of them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from console.application.api import ChangeKind
from console.application.commands import (
    AcceptCeremony,
    ConfirmCeremonyCode,
    ExportLedger,
    FundFromFaucet,
    ProposeCeremony,
    ProposeTransfer,
    RetrySigning,
    VerifyLedger,
)
from console.application.views import CeremonyStage, NodeState, RequestStage
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario
from tests.fakes.console import REFUSED
from ui import object_names as names
from ui.clipboard import TimedClipboard
from ui.view_model import LoadState
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import DataTable
from ui.wording import MASK

ETHER = "ethereum:m/44/60/0/0/0"
PLACES = [
    ("overview", ""),
    ("approvals", ""),
    ("review", scenario.request_name(scenario.STAGES[0])),
    ("wallets", ""),
    ("new_transfer", scenario.WALLET),
    ("new_transfer", f"{scenario.WALLET}#{ETHER}"),
    ("new_transfer", f"{scenario.WALLET}#solana:m/0#durable"),
    ("ceremonies", ""),
    ("ceremonies", "new"),
    ("ceremonies", scenario.ceremony_name(CeremonyStage.COMPARING)),
    ("ceremonies", scenario.change_name("reshare")),
    ("recovery", ""),
    ("recovery", recovery.TREASURY),
    ("recovery", f"reshare/{recovery.TREASURY}"),
    ("recovery", "ben"),
    ("audit", ""),
    ("settings", ""),
]
ASKING = [place for place in PLACES if place[0] != "settings"]


def words(root: QWidget) -> str:
    shown = [label.text() for label in root.findChildren(QLabel)]
    shown += [button.text() for button in root.findChildren(QAbstractButton)]
    shown += [widget.accessibleName() for widget in root.findChildren(QWidget)]
    return "\n".join(shown)


def _sign_in_to(driver, screen, subject, **trouble):
    """Lock, then sign in to a screen of which nothing is loaded, at a node in trouble."""
    driver.window.lock()
    driver.until(lambda: driver.window.link.session.state is NodeState.LOCKED)
    for name, value in trouble.items():
        setattr(driver.console, name, value)
    driver.window.show_screen(screen, subject)
    driver.console.unlocked().announce(ChangeKind.SESSION)
    driver.until(lambda: driver.window.current_screen == screen)


@pytest.mark.parametrize(("screen", "subject"), ASKING)
def test_loading_error_and_success(driver, screen, subject):
    _sign_in_to(driver, screen, subject, silent=True)
    view = driver.front
    assert view.model.state is LoadState.LOADING
    assert view.stack.currentWidget().findChild(Skeleton) is not None
    driver.console.calm()
    _sign_in_to(driver, screen, subject, refusal=REFUSED)
    view = driver.front
    driver.until(lambda: view.model.state is LoadState.ERROR)
    shown = words(view.error)
    for part in (REFUSED.what, REFUSED.safe, REFUSED.next_step, REFUSED.code):
        assert part in shown
    driver.console.calm()
    view.error.retried.emit()
    driver.until(lambda: view.model.state is LoadState.READY)


@pytest.mark.parametrize("screen", ["approvals", "wallets", "ceremonies", "recovery", "audit"])
def test_an_empty_screen_says_why(driver, screen):
    driver.console.empty = True
    driver.show(screen, "", LoadState.EMPTY)
    view = driver.front
    assert view.stack.currentWidget() is view.empty
    assert view.empty.sentence.text()


def test_problem_details_can_be_copied(driver):
    driver.console.refusal = REFUSED
    driver.show("approvals", "", LoadState.ERROR)
    driver.front.error.copied.emit()
    assert REFUSED.code in driver.app.clipboard().text()
    driver.window.findChild(TimedClipboard).clear()
    assert driver.app.clipboard().text() == ""


@pytest.mark.parametrize(("screen", "subject"), PLACES)
def test_everything_that_takes_focus_has_a_name(driver, screen, subject):
    driver.show(screen, subject)
    unnamed = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in driver.window.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.accessibleName()
    ]
    assert unnamed == []


@pytest.mark.parametrize(("screen", "subject"), PLACES)
def test_everything_that_can_be_pressed_has_a_stable_name_and_room(driver, screen, subject):
    driver.show(screen, subject)
    for widget in driver.window.findChildren(QAbstractButton):
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert widget.objectName(), widget
            assert min(widget.width(), widget.height()) >= 24, widget.objectName()


@pytest.mark.parametrize(("screen", "subject"), PLACES)
def test_labels_are_plain_text(driver, screen, subject):
    driver.show(screen, subject)
    for label in driver.window.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText


def test_markup_in_a_memo_and_a_name_stays_text(driver):
    evil = "<b>Pay</b><img src=x>"
    name = scenario.request_name(scenario.STAGES[0])
    driver.console.requests[name] = scenario.request(
        note=evil, wallet_name=evil, description=scenario.description(memo=evil)
    )
    driver.show("review", name)
    labels = driver.front.findChildren(QLabel)
    assert sum(evil in label.text() for label in labels) >= 3


@pytest.mark.parametrize("screen", ["overview", "approvals", "wallets", "new_transfer", "audit"])
def test_privacy_mode_leaves_no_digit_of_an_amount(driver, screen):
    driver.show(screen, scenario.WALLET if screen == "new_transfer" else "")
    driver.window.privacy.toggle()
    driver.pass_time(0.02)
    view = driver.front
    shown = words(view)
    for table in view.findChildren(DataTable):
        model = table.model()
        for line in range(min(model.rowCount(), 10)):
            row = model.row_at(line)
            shown += "".join(f"\n{cell.text}" for cell in row.cells) + f"\n{row.tip}"
    for digits in ("12.482", "1.250", "0.75", "1.25 ", "140.000", scenario.DESTINATION[:8]):
        assert digits not in shown
    assert MASK in shown


def test_five_thousand_records_are_paged(driver):
    driver.show("audit")
    view = driver.front
    assert view.rows.rowCount() == scenario.LEDGER_SIZE
    asked = [q for q in driver.console.asked if type(q).__name__ == "GetLedger"]
    assert len(asked) <= 2
    view.table.scrollToBottom()
    driver.until(lambda: view.rows.row_at(scenario.LEDGER_SIZE - 1) is not None)
    assert view.rows.row_at(scenario.LEDGER_SIZE - 1).key == "1"
    assert len(view.model.pages) <= 4


def test_the_ledger_can_be_filtered_to_its_end_and_cleared(driver):
    driver.show("audit")
    view = driver.front
    view.filter.setText("receipt")
    driver.until(lambda: 0 < view.rows.rowCount() < 1000)
    last = view.rows.rowCount() - 1
    driver.until(lambda: view.rows.row_at(last) is not None)
    assert "receipt" in view.model.row(last).summary
    view.filter.setText("no such thing")
    driver.until(view.nothing.isVisible)
    view.clear.click()
    driver.until(lambda: view.rows.rowCount() == scenario.LEDGER_SIZE)


def test_a_record_opens_in_full_and_closes_by_escape(driver):
    driver.show("audit")
    view = driver.front
    view.table.selectRow(3)
    view.table.setFocus()
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    assert view.drawer.isVisible()
    assert view.hash.text == scenario.record(4_997).hash
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    assert not view.drawer.isVisible()


def test_one_record_is_exported_with_its_proof(driver):
    driver.show("audit")
    view = driver.front
    view.table.selectRow(3)
    view.table.setFocus()
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    QTest.mouseClick(view.prove, Qt.MouseButton.LeftButton)
    driver.until(lambda: ExportLedger((4_997,)) in driver.console.executed)


def test_verifying_shows_progress(driver):
    driver.show("audit")
    view = driver.front
    driver.console.silent = True
    view.verify.click()
    driver.until(view.progress.isVisible)
    driver.console.announce(ChangeKind.LEDGER_VERIFICATION, "", 1_000, 5_000)
    driver.until(lambda: view.progress.value() == 1_000)
    assert VerifyLedger() in driver.console.executed


def test_a_broken_chain_says_stop(driver):
    driver.console.broken_because = "record #7"
    driver.show("audit")
    assert "record #7" in driver.front.broken.title.text()


def test_a_ceremony_is_proposed(driver):
    driver.show("ceremonies", "new")
    view = driver.front
    assert not view.form.propose.isEnabled()
    view.findChild(QLineEdit, names.CEREMONY_NAME).setText("Operations")
    for kind in ("ecdsa-secp256k1", "schnorr-bip340", "eddsa-ed25519"):
        assert view.form.propose.isEnabled()
        view.findChild(QAbstractButton, f"{names.CEREMONY_KIND}.{kind}").setChecked(False)
    assert not view.form.propose.isEnabled()
    assert view.form.why.text() == "Choose at least one kind of keys."
    for kind in ("ecdsa-secp256k1", "eddsa-ed25519"):
        view.findChild(QAbstractButton, f"{names.CEREMONY_KIND}.{kind}").setChecked(True)
    view.form.threshold.set_value(3)
    view.findChild(QAbstractButton, "ceremonyForm.custodian.chiara").setChecked(False)
    assert view.form.threshold.value == 2
    view.form.propose.click()
    driver.until(lambda: view.model.subject.startswith("kc-"))
    (command,) = [c for c in driver.console.executed if isinstance(c, ProposeCeremony)]
    assert (command.custodians, command.threshold) == (("ana", "ben"), 2)
    assert command.kinds == ("ecdsa-secp256k1", "eddsa-ed25519")
    driver.until(lambda: view.model.ceremony is not None)
    view.detail.accept.click()
    driver.until(lambda: any(isinstance(c, AcceptCeremony) for c in driver.console.executed))


def test_the_code_is_confirmed_only_after_it_was_heard(driver):
    name = scenario.ceremony_name(CeremonyStage.COMPARING)
    driver.show("ceremonies", name)
    detail = driver.front.detail
    assert not detail.confirm.isEnabled()
    detail.compared.setChecked(True)
    detail.confirm.click()
    driver.until(lambda: not detail.confirm.isVisible())
    code = scenario.ceremony(CeremonyStage.COMPARING).code
    assert ConfirmCeremonyCode(name, code) in driver.console.executed


@pytest.mark.parametrize("stage", list(CeremonyStage))
def test_every_ceremony_stage_is_shown(driver, stage):
    driver.show("ceremonies", scenario.ceremony_name(stage))
    detail = driver.front.detail
    assert detail.sentence.title.text()
    assert detail.safety.text()
    assert detail.decision.isVisible() == (stage is CeremonyStage.AWAITING_ACCEPTANCE)


@pytest.mark.parametrize(
    ("purpose", "title"),
    [
        (CeremonyPurpose.REFRESH, "Refresh of Treasury"),
        (CeremonyPurpose.REPAIR, "Repair of Chiara Neri\u2019s share in Treasury"),
        (CeremonyPurpose.RESHARE, "Reshare of Treasury to 2 of 2"),
    ],
)
def test_a_change_of_shares_says_what_it_is_and_what_stays(driver, purpose, title):
    name = scenario.change_name(purpose)
    driver.console.ceremonies[name] = scenario.change(purpose, CeremonyStage.AWAITING_ACCEPTANCE)
    driver.show("ceremonies", name)
    view = driver.front
    assert view.heading.text() == title
    assert "The old shares stay valid" in view.detail.agreement.text()
    facts = dict(fact[:2] for fact in view.detail.facts.shown)
    assert facts["Epoch"] == "4 begins"
    assert facts.get("Leaving", "").startswith("Chiara Neri") == (
        purpose is CeremonyPurpose.RESHARE
    )
    assert facts.get("Its share is restored", "") == (
        "Chiara Neri" if purpose is CeremonyPurpose.REPAIR else ""
    )
    view.detail.cancel.click()
    assert "The old shares stay valid." in view.cancel_panel.sentence.text()


def test_the_list_of_ceremonies_tells_purposes_apart(driver):
    driver.show("ceremonies")
    view = driver.front
    words = {row.cells[1].chip.word for row in view.rows.rows}
    assert words == {"New keys", "Refresh", "Repair", "Reshare"}
    driver.window.resize(1180, 760)
    driver.until(lambda: view.table.isColumnHidden(5))
    assert not view.table.isColumnHidden(1)


def test_a_purpose_of_a_newer_node_is_shown_as_it_is(driver):
    name = scenario.change_name("refresh")
    driver.console.ceremonies[name] = scenario.ceremony(
        CeremonyStage.AWAITING_ACCEPTANCE, ceremony=name, purpose="rotate"
    )
    driver.show("ceremonies", name)
    facts = dict(fact[:2] for fact in driver.front.detail.facts.shown)
    assert facts["Purpose"] == "rotate"


def _drafted(driver, account="", **fields):
    """Open the form for an account and fill it in."""
    driver.show("new_transfer", f"{scenario.WALLET}#{account}".rstrip("#"))
    view = driver.front
    for name, text in fields.items():
        field = getattr(view.form, name)
        (field.setPlainText if hasattr(field, "setPlainText") else field.setText)(text)
    return view


def _previewed(driver, view):
    view.form.preview_button.click()
    driver.until(lambda: view.model.preview is not None)
    return driver.console.previewed[-1]


def test_a_transfer_is_previewed_then_requested_with_the_same_bytes(driver):
    view = _drafted(driver, to=scenario.DESTINATION, amount="1.2345678901")
    assert not view.form.preview_button.isEnabled()
    assert "at most 9 decimals" in view.form.amount_problem.text()
    view.form.amount.setText("1.25")
    query = _previewed(driver, view)
    assert (query.durable, query.fee_level, query.asset) == (True, "normal", "")
    assert not view.form.to.isEnabled()
    assert view.preview_card.shown_address.text == scenario.DESTINATION
    assert view.preview_card.effects.shown[0].value == "-1.25 SOL"
    view.preview_card.request_button.click()
    driver.until(lambda: driver.window.current_screen == "review")
    (command,) = [c for c in driver.console.executed if isinstance(c, ProposeTransfer)]
    assert command.transaction == b"transaction"


def test_nothing_of_a_request_is_left_in_the_form(driver):
    view = _drafted(driver, to=scenario.DESTINATION, amount="1.25", memo="Invoice 7")
    _previewed(driver, view)
    view.preview_card.request_button.click()
    driver.until(lambda: driver.window.current_screen == "review")
    driver.show("new_transfer", scenario.WALLET)
    assert [view.form.to.text(), view.form.amount.text(), view.form.memo.text()] == ["", "", ""]


def test_editing_voids_the_preview(driver):
    driver.console.preview_problems = ("Not enough funds.",)
    view = _drafted(driver, to=scenario.DESTINATION, amount="1.25")
    _previewed(driver, view)
    assert not view.preview_card.request_button.isEnabled()
    view.form.edit_button.click()
    assert view.form.to.isEnabled()
    assert not view.preview_card.request_button.isVisible()


def test_what_the_chains_node_foresees_is_said_and_blocks_nothing(driver):
    driver.console.preview_warnings = ("The chain's node says that it would fail now.",)
    view = _drafted(driver, to=scenario.DESTINATION, amount="1.25")
    _previewed(driver, view)
    assert view.preview_card.warnings.isVisible()
    assert view.preview_card.request_button.isEnabled()


def test_a_token_is_sent_in_its_own_unit_at_the_chosen_fee(driver):
    view = _drafted(driver, ETHER, to=scenario.ETHER_ADDRESS, amount="0.1234567")
    assert "0.1234567" in view.form.amount.text()
    assert view.form.preview_button.isEnabled()
    driver.press(f"{names.TRANSFER_ASSET}.{scenario.TOKEN}")
    assert "at most 6 decimals" in view.form.amount_problem.text()
    assert "USDX" in view.form.available.text()
    view.form.amount.setText("20.5")
    driver.press(f"{names.TRANSFER_FEE}.fast")
    query = _previewed(driver, view)
    assert (query.asset, query.amount, query.fee_level) == (scenario.TOKEN, "20.5", "fast")
    assert not query.durable


def test_a_contract_call_takes_one_value_a_line(driver):
    view = _drafted(driver, ETHER)
    driver.press(f"{names.TRANSFER_MODE}.call")
    view.form.to.setText(scenario.TOKEN)
    view.form.function.setText("approve(address,uint256)")
    view.form.arguments.setPlainText(f"{scenario.ETHER_ADDRESS}\n5\n")
    assert not view.form.memo.isVisible()
    query = _previewed(driver, view)
    assert (query.function, query.arguments) == (
        "approve(address,uint256)",
        (scenario.ETHER_ADDRESS, "5", ""),
    )


def test_a_message_needs_nothing_but_its_text(driver):
    view = _drafted(driver, ETHER)
    driver.press(f"{names.TRANSFER_MODE}.message")
    assert not view.form.preview_button.isEnabled()
    assert not view.form.to.isVisible()
    view.form.message.setPlainText("I own this account\n")
    assert _previewed(driver, view).text == "I own this account\n"


def test_what_another_program_drafted_is_imported(driver):
    view = _drafted(driver, "bitcoin:m/84/0/0")
    driver.press(f"{names.TRANSFER_MODE}.import")
    assert "A PSBT" in view.form.import_hint.text()
    assert not view.form.preview_button.isEnabled()
    view.form.imported.setPlainText("cHNidP8=")
    assert _previewed(driver, view).text == "cHNidP8="


def test_an_account_offers_only_what_its_chain_can_do(driver):
    view = _drafted(driver)
    assert driver.find(f"{names.TRANSFER_MODE}.message").isHidden()
    assert view.form.memo.isVisible()
    assert view.form.durable.isVisible()
    assert view.durable_button.isVisible()
    view = _drafted(driver, ETHER)
    assert driver.find(f"{names.TRANSFER_MODE}.message").isVisible()
    assert not view.form.memo.isVisible()
    assert not view.form.durable.isVisible()
    assert not view.durable_button.isVisible()
    view = _drafted(driver, "bitcoin:m/84/0/0")
    assert driver.find(f"{names.TRANSFER_MODE}.call").isHidden()
    assert not driver.find(f"{names.TRANSFER_MODE}.message").isHidden()


def test_a_durable_nonce_is_set_up_from_the_form(driver):
    view = _drafted(driver)
    view.durable_button.click()
    driver.until(lambda: view.model.preview is not None)
    (query,) = driver.console.previewed
    assert (query.wallet, query.chain) == (scenario.WALLET, "solana")
    assert view.purpose_card.isVisible()
    assert not view.form.isVisible()


@pytest.mark.parametrize(
    ("stage", "button", "cancels"),
    [
        (RequestStage.BROADCAST, "speed_up", False),
        (RequestStage.BROADCAST, "cancel_sent", True),
        (RequestStage.EXPIRED, "remake", False),
        (RequestStage.EXPIRED, "cancel_sent", True),
    ],
)
def test_a_sent_request_or_one_in_doubt_is_replaced_from_its_review(driver, stage, button, cancels):
    name = scenario.request_name(stage)
    doubtful = stage is RequestStage.EXPIRED
    driver.console.requests[name] = scenario.request(
        stage, may_be_signed=doubtful, can_remake=doubtful
    )
    driver.show("review", name)
    assert driver.front.flags.isVisible() is doubtful
    getattr(driver.front, button).click()
    driver.until(lambda: driver.window.current_screen == "new_transfer")
    view = driver.front
    driver.until(lambda: view.model.preview is not None)
    (query,) = driver.console.previewed
    assert (query.request, query.cancel) == (name, cancels)
    view.again_button.click()
    driver.until(lambda: len(driver.console.previewed) == 2)
    driver.until(lambda: view.model.preview is not None)
    view.back()
    driver.until(lambda: driver.window.current_screen == "review")


def test_the_chain_of_a_sent_request_is_asked_on_demand(driver):
    name = scenario.request_name(RequestStage.BROADCAST)
    driver.console.requests[name] = scenario.request(RequestStage.BROADCAST, can_ask_now=True)
    driver.show("review", name)
    button = driver.front.retry
    assert (button.isVisible(), button.text()) == (True, "Ask the chain now")
    button.click()
    driver.until(lambda: bool(driver.console.executed))
    assert driver.console.executed[-1] == RetrySigning(name)


def test_a_confirmed_request_is_not_replaced(driver):
    driver.show("review", scenario.request_name(RequestStage.CONFIRMED))
    assert not driver.front.speed_up.isVisible()
    assert not driver.front.remake.isVisible()
    assert not driver.front.cancel_sent.isVisible()


def test_a_watching_descriptor_is_copied_where_it_is_more_than_the_address(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    assert not view.detail.receive.export.isVisible()
    driver.press(f"{names.WALLET_ACCOUNTS}.bitcoin:m/84/0/0")
    driver.until(view.detail.receive.export.isVisible)
    copied = []
    view.detail.copied.connect(copied.append)
    view.detail.receive.export.click()
    assert copied == [scenario.DESCRIPTOR]


def test_an_account_shows_its_own_transfers(driver):
    driver.show("wallets", scenario.WALLET)
    detail = driver.front.detail
    assert detail.rows.rowCount() == 3
    driver.press(f"{names.WALLET_ACCOUNTS}.bitcoin:m/84/0/0")
    driver.until(detail.no_history.isVisible)
    assert detail.rows.rowCount() == 0
    assert not detail.history.isVisible()


def _shown_movements(view):
    model = view.detail.movements.rows
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_what_the_chain_tells_of_an_account_stands_beside_the_requests(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    driver.until(lambda: _shown_movements(view) == ["+2.5\u00a0SOL", "\u22121.25\u00a0SOL"])
    driver.press(f"{names.WALLET_ACCOUNTS}.{ETHER}")
    driver.until(lambda: "no movement" in view.detail.movements.sentence.text())
    assert _shown_movements(view) == []
    driver.press(f"{names.WALLET_ACCOUNTS}.bitcoin:m/84/0/0")
    driver.until(
        lambda: _shown_movements(view) == ["+2.5\u00a0BTC", "\u22121.25\u00a0BTC", "+0.5\u00a0BTC"]
    )
    driver.window.privacy.toggle()
    driver.until(lambda: MASK in _shown_movements(view)[0])


def test_a_payment_that_waits_is_sped_up_from_its_line(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    driver.until(lambda: len(_shown_movements(view)) == 2)
    assert not view.detail.movements.haste.isVisible()
    driver.press(f"{names.WALLET_ACCOUNTS}.bitcoin:m/84/0/0")
    driver.until(view.detail.movements.haste.isVisible)
    for name in ("in", "out"):
        view.detail.movements.table.opened.emit(scenario.digest(name))
    assert driver.window.current_screen == "wallets"
    view.detail.movements.table.opened.emit(scenario.digest("late"))
    driver.until(lambda: driver.window.current_screen == "new_transfer")
    page = driver.front
    driver.until(lambda: page.model.preview is not None)
    (query,) = driver.console.previewed
    assert (query.transaction_id, query.account) == (scenario.digest("late"), "m/84/0/0")
    page.back()
    driver.until(lambda: driver.window.current_screen == "wallets")


def test_everything_needs_no_amount(driver):
    view = _drafted(driver, "bitcoin:m/84/0/0", to=scenario.SEGWIT_ADDRESS)
    assert not view.form.preview_button.isEnabled()
    view.form.everything.click()
    assert not view.form.amount.isEnabled()
    assert _previewed(driver, view).everything


def test_a_chain_that_tells_no_movements_is_said_and_holds_nothing_up(driver):
    driver.console.movements_refused = True
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    driver.until(lambda: "does not answer" in view.detail.movements.sentence.text())
    assert view.detail.amount.isVisible()


def test_tokens_stand_beside_the_coin(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    driver.press(f"{names.WALLET_ACCOUNTS}.{ETHER}")
    driver.until(view.detail.tokens.isVisible)
    assert view.detail.tokens.shown[0][:2] == ("USDX", "1\u2009200.500\u2009000\u00a0USDX")


def test_the_faucet_is_offered_on_a_devnet(driver):
    driver.show("wallets")
    view = driver.front
    view.detail.fund.click()
    driver.until(lambda: any(isinstance(c, FundFromFaucet) for c in driver.console.executed))


def test_a_wallet_shows_one_account_at_a_time_and_transfers_start_from_it(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.front
    assert view.detail.receive.address.text == scenario.ADDRESS
    driver.press(f"{names.WALLET_ACCOUNTS}.{ETHER}")
    driver.until(lambda: view.detail.receive.address.text == scenario.ETHER_ADDRESS)
    assert "ETH" in view.detail.fund.text()
    view.detail.fund.click()
    driver.until(lambda: any(isinstance(c, FundFromFaucet) for c in driver.console.executed))
    funded = driver.console.executed[-1]
    assert (funded.chain, funded.account) == ("ethereum", "m/44/60/0/0/0")
    view.transfer.click()
    driver.until(lambda: driver.window.current_screen == "new_transfer")
    form = driver.front
    driver.until(lambda: form.model.account is not None)
    assert form.model.account.chain == "ethereum"
    assert form.model.wallet_id == scenario.WALLET
    driver.until(lambda: "ETH" in form.form.amount_caption.text())
    assert not form.form.memo.isVisible()
    form.back()
    driver.until(lambda: driver.window.current_screen == "wallets")
