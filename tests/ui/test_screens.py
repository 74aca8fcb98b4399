"""Every screen in every state, and rules that hold on all of them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from console.application.api import ChangeKind
from console.application.commands import (
    AcceptCeremony,
    ConfirmCeremonyCode,
    FundFromFaucet,
    ProposeCeremony,
    ProposeTransfer,
    VerifyLedger,
)
from console.application.views import CeremonyStage
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario
from tests.fakes.console import REFUSED
from ui import object_names as names
from ui.view_model import LoadState
from ui.wording import MASK

PLACES = [
    ("overview", ""),
    ("approvals", ""),
    ("review", scenario.request_name(scenario.STAGES[0])),
    ("wallets", ""),
    ("new_transfer", scenario.WALLET),
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


@pytest.mark.parametrize(("screen", "subject"), ASKING)
def test_loading_error_and_success(driver, screen, subject):
    driver.show("settings")
    if screen in driver.window._screens:
        driver.window._screens.pop(screen).close_screen()
    driver.console.silent = True
    driver.window.show_screen(screen, subject)
    view = driver.window._current
    assert view.model.state is LoadState.LOADING
    assert view.stack.currentWidget() is view._pages[LoadState.LOADING]
    driver.show("settings")
    view.model.tasks.close()
    driver.window._screens.pop(screen).close_screen()
    driver.console.silent, driver.console.refusal = False, REFUSED
    driver.show(screen, subject, LoadState.ERROR)
    view = driver.window._current
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
    view = driver.window._current
    assert view.stack.currentWidget() is view.empty
    assert view.empty.sentence.text()


def test_problem_details_can_be_copied(driver):
    driver.console.refusal = REFUSED
    driver.show("approvals", "", LoadState.ERROR)
    driver.window._current.error.copied.emit()
    assert REFUSED.code in driver.app.clipboard().text()
    driver.window._clipboard.clear()
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
    labels = driver.window._current.findChildren(QLabel)
    assert sum(evil in label.text() for label in labels) >= 3


@pytest.mark.parametrize("screen", ["overview", "approvals", "wallets", "new_transfer", "audit"])
def test_privacy_mode_leaves_no_digit_of_an_amount(driver, screen):
    driver.show(screen, scenario.WALLET if screen == "new_transfer" else "")
    driver.window.privacy.toggle()
    driver.pass_time(0.02)
    view = driver.window._current
    shown = words(view)
    for table in view.findChildren(QWidget):
        model = getattr(table, "_cells", None)
        if model is not None:
            for line in range(min(model.rowCount(), 10)):
                row = model.row_at(line)
                shown += "".join(f"\n{cell.text}" for cell in row.cells) + f"\n{row.tip}"
    for digits in ("12.482", "1.250", "0.75", "1.25 ", "140.000", scenario.DESTINATION[:8]):
        assert digits not in shown
    assert MASK in shown


def test_five_thousand_records_are_paged(driver):
    driver.show("audit")
    view = driver.window._current
    assert view.rows.rowCount() == scenario.LEDGER_SIZE
    asked = [q for q in driver.console.asked if type(q).__name__ == "GetLedger"]
    assert len(asked) <= 2
    view.table.scrollToBottom()
    driver.until(lambda: view.rows.row_at(scenario.LEDGER_SIZE - 1) is not None)
    assert view.rows.row_at(scenario.LEDGER_SIZE - 1).key == "1"
    assert len(view.model.pages) <= 4


def test_the_ledger_can_be_filtered_to_its_end_and_cleared(driver):
    driver.show("audit")
    view = driver.window._current
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
    view = driver.window._current
    view.table.selectRow(3)
    view.table.setFocus()
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    assert view.drawer.isVisible()
    assert view.hash.text == scenario.record(4_997).hash
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    assert not view.drawer.isVisible()


def test_verifying_shows_progress(driver):
    driver.show("audit")
    view = driver.window._current
    driver.console.silent = True
    view.verify.click()
    driver.until(view.progress.isVisible)
    driver.console.announce(ChangeKind.LEDGER_VERIFICATION, "", 1_000, 5_000)
    driver.until(lambda: view.progress.value() == 1_000)
    assert VerifyLedger() in driver.console.executed


def test_a_broken_chain_says_stop(driver):
    driver.console.broken_because = "record #7"
    driver.show("audit")
    assert "record #7" in driver.window._current.broken.title.text()


def test_a_ceremony_is_proposed(driver):
    driver.show("ceremonies", "new")
    view = driver.window._current
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
    detail = driver.window._current.detail
    assert not detail.confirm.isEnabled()
    detail.compared.setChecked(True)
    detail.confirm.click()
    driver.until(lambda: not detail.confirm.isVisible())
    code = scenario.ceremony(CeremonyStage.COMPARING).code
    assert ConfirmCeremonyCode(name, code) in driver.console.executed


@pytest.mark.parametrize("stage", list(CeremonyStage))
def test_every_ceremony_stage_is_shown(driver, stage):
    driver.show("ceremonies", scenario.ceremony_name(stage))
    detail = driver.window._current.detail
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
    view = driver.window._current
    assert view.heading.text() == title
    assert "The old shares stay valid" in view.detail.agreement.text()
    facts = dict(fact[:2] for fact in view.detail.facts.shown)
    assert facts["Epoch"] == "4 begins"
    assert facts.get("Leaving", "").startswith("Chiara Neri") == (
        purpose is CeremonyPurpose.RESHARE
    )
    assert facts.get("Gets its share again", "") == (
        "Chiara Neri" if purpose is CeremonyPurpose.REPAIR else ""
    )
    view.detail.cancel.click()
    assert "The old shares stay valid." in view.cancel_panel.sentence.text()


def test_the_list_of_ceremonies_tells_purposes_apart(driver):
    driver.show("ceremonies")
    view = driver.window._current
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
    facts = dict(fact[:2] for fact in driver.window._current.detail.facts.shown)
    assert facts["Purpose"] == "rotate"


def test_a_transfer_is_previewed_then_requested_with_the_same_bytes(driver):
    driver.show("new_transfer", scenario.WALLET)
    view = driver.window._current
    view.to.setText(scenario.DESTINATION)
    view.amount.setText("1.2345678901")
    assert not view.preview_button.isEnabled()
    assert "at most 9 decimals" in view.amount_problem.text()
    view.amount.setText("1.25")
    view.preview_button.click()
    driver.until(lambda: view.model.preview is not None)
    assert not view.to.isEnabled()
    assert view.shown_address.text == scenario.DESTINATION
    view.request_button.click()
    driver.until(lambda: driver.window.current_screen == "review")
    (command,) = [c for c in driver.console.executed if isinstance(c, ProposeTransfer)]
    assert command.transaction == b"transaction"


def test_editing_voids_the_preview(driver):
    driver.console.preview_problems = ("Not enough funds.",)
    driver.show("new_transfer", scenario.WALLET)
    view = driver.window._current
    view.to.setText(scenario.DESTINATION)
    view.amount.setText("1.25")
    view.preview_button.click()
    driver.until(lambda: view.model.preview is not None)
    assert not view.request_button.isEnabled()
    view.edit_button.click()
    assert view.to.isEnabled()
    assert not view.request_button.isVisible()


def test_the_faucet_is_offered_on_a_devnet(driver):
    driver.show("wallets")
    view = driver.window._current
    view.detail.fund.click()
    driver.until(lambda: any(isinstance(c, FundFromFaucet) for c in driver.console.executed))


def test_a_wallet_shows_one_account_at_a_time_and_transfers_start_from_it(driver):
    driver.show("wallets", scenario.WALLET)
    view = driver.window._current
    assert view.detail._address == scenario.ADDRESS
    tabs = view.detail._tabs
    tabs._tabs["ethereum:m/44/60/0/0/0"].click()
    driver.until(lambda: view.detail._address == scenario.ETHER_ADDRESS)
    assert "ETH" in view.detail.fund.text()
    view.detail.fund.click()
    driver.until(lambda: any(isinstance(c, FundFromFaucet) for c in driver.console.executed))
    funded = driver.console.executed[-1]
    assert (funded.chain, funded.account) == ("ethereum", "m/44/60/0/0/0")
    view.transfer.click()
    driver.until(lambda: driver.window.current_screen == "new_transfer")
    form = driver.window._current
    driver.until(lambda: form.model.account is not None)
    assert form.model.account.chain == "ethereum"
    assert form.model.wallet_id == scenario.WALLET
    driver.until(lambda: "ETH" in form.amount_caption.text())
    assert not form.memo.isVisible()
    form.back()
    driver.until(lambda: driver.window.current_screen == "wallets")
