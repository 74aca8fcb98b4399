"""The frame: signing in and out, keys, themes, members, a node that goes away."""

import asyncio
import re

import pytest
import shiboken6
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget, QWidgetItem

from console.application.api import ChangeKind
from console.application.commands import ExportLedger, Lock, Unlock
from console.application.views import CeremonyStage, NodeState, RequestStage
from tests.fakes import scenario
from ui import object_names as names
from ui import registry, theme
from ui.frame import Frame
from ui.problem import NOT_LOCKED
from ui.screen import Screen
from ui.widgets.buttons import Button
from ui.widgets.chunked_address import bold_groups, groups
from ui.widgets.navigation import NavButton
from ui.widgets.toast import Toast

CODE_WORD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b|\b[a-z]+\.[a-z]+[A-Z]|<|None")
"""Names of the code: snake case, dotted object names, representations."""


def test_signing_in_shows_the_overview_and_empties_the_pin(locked):
    page = locked.find("screen.sign_in")
    QTest.keyClicks(page.pin, "123456")
    QTest.keyClick(page.pin, Qt.Key.Key_Return)
    assert page.pin.text() == ""
    locked.until(lambda: locked.window.current_screen == "overview")
    (command,) = [c for c in locked.console.executed if isinstance(c, Unlock)]
    assert command.pin.wiped


def test_a_wrong_pin_keeps_the_window_locked(locked):
    page = locked.find("screen.sign_in")
    page.pin.setText("000000")
    page.unlock.click()
    locked.until(page.refusal.isVisible)
    assert locked.window.current_screen == "sign_in"
    assert page.pin.text() == ""


def test_a_missing_token_is_said_and_blocks(locked):
    locked.console.session = scenario.session(vault=scenario.vault(present=False))
    locked.console.announce(ChangeKind.SESSION)
    page = locked.find("screen.sign_in")
    locked.until(lambda: page.token.text().startswith("Insert your token"))
    assert not page.unlock.isEnabled()
    assert page.why.text() == "The token is missing."


def test_opening_shows_how_far_it_is(locked):
    locked.console.session = scenario.session(NodeState.OPENING, opening_done=7, opening_total=9)
    locked.console.announce(ChangeKind.SESSION)
    page = locked.find("screen.sign_in")
    locked.until(page.progress.isVisible)
    assert (page.progress.value(), page.progress.maximum()) == (7, 9)


def test_a_halted_node_says_why(locked):
    locked.console.session = scenario.session(NodeState.HALTED, halted_because="rolled back")
    locked.console.announce(ChangeKind.SESSION)
    locked.until(locked.find("screen.sign_in").halted.isVisible)
    assert "rolled back" in locked.find("screen.sign_in").halted.title.text()


def test_locking_drops_everything_that_came_from_the_node(driver):
    driver.show("wallets")
    driver.show("review", scenario.request_name(scenario.STAGES[0]))
    QTest.keyClick(driver.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: driver.window.current_screen == "sign_in")
    driver.until(lambda: any(isinstance(c, Lock) for c in driver.console.executed))
    driver.pass_time(0.02)
    texts = " ".join(label.text() for label in driver.window.findChildren(QLabel))
    for secret in ("Treasury", "SOL", scenario.DESTINATION, "K7Q4"):
        assert secret not in texts
    assert driver.window.findChildren(Screen) == []


def test_silence_locks(driver):
    assert driver.window.idle.running
    driver.window.idle.start(seconds=0)
    driver.until(lambda: driver.window.current_screen == "sign_in")
    assert not driver.window.idle.running


def test_a_node_that_goes_away_is_said_and_comes_back(driver):
    driver.show("overview")
    banner = driver.find(names.FRAME_UNREACHABLE)
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(banner.isVisible)
    assert driver.front.stack.currentIndex() == 0
    driver.console.calm()
    driver.press(f"{names.FRAME_UNREACHABLE}.action")
    driver.until(lambda: not banner.isVisible())


@pytest.mark.parametrize("place", range(1, len(registry.SECTIONS) + 1))
def test_alt_and_a_number_go_to_a_section(driver, place):
    key = Qt.Key(Qt.Key.Key_0 + place)
    QTest.keyClick(driver.window, key, Qt.KeyboardModifier.AltModifier)
    wanted = registry.SECTIONS[place - 1].name
    driver.until(lambda: driver.window.current_screen == wanted)
    assert driver.window.findChild(NavButton, f"nav.{wanted}").isChecked()


def test_the_palette_finds_a_wallet(driver):
    driver.show("overview")
    QTest.keyClick(driver.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    field = driver.window.findChild(QLineEdit, names.PALETTE_FIELD)
    driver.until(lambda: driver.window.palette_sheet.rows.rowCount() > len(registry.SECTIONS))
    QTest.keyClicks(field, "reserve")
    QTest.keyClick(field, Qt.Key.Key_Return)
    driver.until(lambda: driver.window.current_screen == "wallets")
    assert driver.front.model.subject == scenario.RESERVE


def test_escape_closes_panels_then_goes_back(driver):
    driver.show("review", scenario.request_name(scenario.STAGES[0]))
    QTest.keyClick(driver.window, Qt.Key.Key_F1)
    assert driver.window.help_sheet.isVisible()
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    assert not driver.window.help_sheet.isVisible()
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    driver.until(lambda: driver.window.current_screen == "approvals")


def test_j_k_and_enter_work_in_the_inbox(driver):
    driver.show("approvals")
    view = driver.front
    view.model.choose("done")
    for _ in range(3):
        QTest.keyClick(driver.window.focusWidget() or driver.window, Qt.Key.Key_J)
    assert view.table.currentIndex().row() == 2
    QTest.keyClick(view.table, Qt.Key.Key_K)
    assert view.table.currentIndex().row() == 1
    key = view.table.current_key
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    driver.until(lambda: driver.window.current_screen == "review")
    assert driver.front.model.subject == key


@pytest.mark.parametrize("name", ["approvals", "audit"])
def test_control_f_goes_to_the_filter(driver, name):
    driver.show(name)
    view = driver.front
    QTest.keyClick(driver.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert view.filter.hasFocus()


def test_control_e_exports_the_ledger(driver):
    driver.show("audit")
    QTest.keyClick(driver.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: any(isinstance(c, ExportLedger) for c in driver.console.executed))


def test_the_focus_ring_follows_the_keyboard(driver):
    driver.show("overview")
    QTest.keyClick(driver.window, Qt.Key.Key_Tab)
    driver.until(lambda: driver.window.ring.target is not None)
    target = driver.window.ring.target
    center = target.mapTo(driver.window, target.rect().center())
    assert driver.window.ring.geometry().contains(center)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_theme_repaints_everything(driver, name):
    driver.show("overview")
    driver.window.set_theme(name)
    driver.pass_time(0.03)
    picture = driver.window.grab().toImage()
    expected = QColor(theme.token_table()[name]["sunken"])
    assert picture.pixelColor(40, picture.height() // 2) == expected


def test_switching_members_asks_the_other_node(driver):
    driver.console.session = scenario.session(NodeState.LOCKED, "ben")
    switched = asyncio.ensure_future(driver.window.switch_member("ben"))
    driver.until(switched.done)
    driver.until(lambda: driver.window.link.session is not None)
    assert driver.window.member == "ben"
    assert driver.window.current_screen == "sign_in"


def test_badges_count_what_waits_for_me(driver):
    button = driver.window.findChild(NavButton, "nav.ceremonies")
    driver.until(lambda: button.count == 2)


def test_changes_are_coalesced(driver):
    driver.show("approvals")
    driver.console.asked.clear()
    for _ in range(50):
        driver.console.announce(ChangeKind.REQUEST)
    driver.pass_time(0.35)
    model_asks = [q for q in driver.console.asked if type(q).__name__ == "GetInbox"]
    assert len(model_asks) <= 8


def test_messages_are_whole_and_not_repeated(driver):
    toasts = driver.window.toasts
    toasts.say("Copied.")
    toasts.say("Copied.")
    toasts.say("The node could not be locked.", theme.Tone.DANGER)
    driver.pass_time(0.05)
    assert toasts.texts == ["Copied.", "The node could not be locked."]
    shown = [toast for toast in toasts.findChildren(Toast) if toast.isVisible()]
    assert [toast.text for toast in shown] == toasts.texts[-1:]
    assert shown[0].more.text() == "1 more"
    assert shown[0].height() >= shown[0].needed_height(shown[0].width())
    assert toasts.rect().contains(shown[0].geometry())
    toasts.clear()
    assert toasts.isHidden()


def test_the_oldest_message_makes_room(driver):
    toasts = driver.window.toasts
    for count in range(5):
        toasts.say(f"Message {count}.", theme.Tone.DANGER)
    assert toasts.texts == ["Message 2.", "Message 3.", "Message 4."]
    (second,) = [each for each in toasts.findChildren(Toast) if each.text == "Message 3."]
    second.findChild(Button, "toast.close").click()
    assert toasts.texts == ["Message 2.", "Message 4."]
    shown = [each for each in toasts.findChildren(Toast) if each.isVisible()]
    assert [(each.text, each.more.text()) for each in shown] == [("Message 4.", "1 more")]


def test_messages_that_are_gone_leave_no_item_behind(driver):
    """The binding crashes when something else is deleted at the address of such an item."""

    def items():
        return [each for each in shiboken6.getAllValidWrappers() if type(each) is QWidgetItem]

    before, toasts = len(items()), driver.window.toasts
    for count in range(5):
        toasts.say(f"Message {count}.")
        for toast in toasts.findChildren(Toast):
            toast.dismiss()
        driver.until(lambda: not toasts.findChildren(Toast))
    assert len(items()) == before


def test_an_idle_window_does_not_lock_a_node_that_others_use(driver):
    driver.show("overview")
    driver.console.session = scenario.session(NodeState.READY, followers=2)
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: driver.window.link.session.followers == 2)
    driver.window.idle.expired.emit()
    assert driver.window.current_screen == "sign_in"
    driver.console.announce(ChangeKind.SESSION)
    driver.pass_time(0.1)
    assert driver.window.current_screen == "sign_in"
    assert not any(isinstance(command, Lock) for command in driver.console.executed)
    page = driver.find("screen.sign_in")
    page.pin.setText("999999")
    page.unlock.click()
    driver.until(page.refusal.isVisible)
    assert driver.window.current_screen == "sign_in"
    page.pin.setText("123456")
    page.unlock.click()
    driver.until(lambda: driver.window.current_screen == "overview")


def test_an_idle_window_locks_a_node_that_nobody_else_uses(driver):
    driver.show("overview")
    driver.window.idle.expired.emit()
    driver.until(lambda: any(isinstance(command, Lock) for command in driver.console.executed))


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up])
def test_an_arrow_on_an_avatar_switches_nothing(driver, key):
    driver.show("overview")
    avatar = driver.find(f"{names.FRAME_MEMBER}.ana")
    avatar.setFocus()
    QTest.keyClick(avatar, key)
    driver.pass_time(0.05)
    assert driver.window.member == "ana"


def test_a_draft_is_not_dropped_unasked(driver):
    driver.show("new_transfer", scenario.WALLET)
    driver.front.form.amount.setText("1.25")
    driver.show("overview")
    driver.press(f"{names.FRAME_MEMBER}.ben")
    sheet = driver.window.switching.sheet
    assert sheet.isVisible()
    assert "draft" in sheet.sentence.text()
    sheet.cancel.click()
    assert driver.window.member == "ana"
    driver.press(f"{names.FRAME_MEMBER}.ben")
    sheet.confirm.click()
    driver.until(lambda: driver.window.member == "ben")


def test_a_durable_nonce_is_offered_only_where_one_exists(driver):
    wallet = driver.console.wallets[scenario.WALLET]
    without = tuple(replace(account, durable=False) for account in wallet.accounts)
    driver.console.wallets[scenario.WALLET] = replace(wallet, accounts=without)
    driver.show("new_transfer", scenario.WALLET)
    form = driver.front.form
    assert not form.durable.isVisible()
    assert not form.draft.durable
    assert driver.find(names.TRANSFER_DURABLE).isVisible()
    accounts = tuple(replace(account, durable=True) for account in wallet.accounts)
    driver.console.wallets[scenario.WALLET] = replace(wallet, accounts=accounts)
    driver.console.announce(ChangeKind.WALLET, scenario.WALLET)
    driver.until(form.durable.isVisible)
    assert form.draft.durable


@pytest.mark.parametrize(
    "address",
    [
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        scenario.DESTINATION,
        scenario.SEGWIT_ADDRESS,
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    ],
)
def test_the_bold_groups_skip_what_is_constant_and_cover_16_digits(address):
    parts = groups(address)
    assert "".join(parts) == address
    bold = [parts[place] for place in sorted(bold_groups(parts))]
    assert [len(group) for group in bold] == [4, 4, 4, 4]
    constant = next(
        (word for word in ("0x", "bcrt1q", "bc1p", "bc1q") if address.startswith(word)), ""
    )
    assert "".join(bold[:2]) == address[len(constant) :][:8]
    assert "".join(bold[2:]) == address[-8:]


def test_results_are_announced(driver, monkeypatch):
    said = []
    for module in ("ui.widgets.toast", "ui.widgets.banner"):
        monkeypatch.setattr(f"{module}.announce", lambda _w, text, *, urgent: said.append(text))
    driver.show("overview")
    driver.window.toasts.say("Recorded in the ledger.")
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: not driver.window.link.reachable)
    assert said[0] == "Recorded in the ledger."
    assert any("does not answer" in text for text in said)


@pytest.mark.parametrize(
    "screen", ["overview", "approvals", "wallets", "ceremonies", "recovery", "audit", "settings"]
)
def test_accessible_names_are_words_of_people(driver, screen):
    driver.show(screen)
    for widget in driver.window.findChildren(QWidget):
        name = widget.accessibleName()
        if widget.isVisible() and name:
            assert not CODE_WORD.search(name), name


def test_unlocked_locked_and_unreachable_are_three_states(driver):
    people = scenario.members(offline=("ben",), locked=("chiara",))
    driver.console.session = scenario.session(NodeState.READY, members=people)
    driver.console.announce(ChangeKind.SESSION)
    driver.show("overview")
    frame = driver.window.findChild(Frame)
    driver.until(lambda: frame.peers.look.word == "1 of 3 ready to sign")
    assert driver.window.toasts.state.text().startswith("1 of 3 members ready to sign, 2 online")
    assert "Chiara Neri: online, locked" in frame.peers.toolTip()
    driver.front.model.refresh()
    driver.until(lambda: driver.front.quorum.figure.text() == "1 of 3")
    words = [row.item.chip.word for row in driver.front.members.rows]
    assert words == ["Ready", "Unreachable", "Online, locked"]


def test_codes_are_spoken_and_not_only_named(driver):
    driver.show("review", scenario.request_name(RequestStage.BROADCAST))
    review = driver.front
    assert review.subject.code.accessibleName() == "Short code K7Q4-M2VD"
    assert review.decision.bar.code.accessibleName() == "Short code K7Q4-M2VD"
    assert review.bytes_card.digest.accessibleName().startswith("Digest ")
    assert review.result.transaction.accessibleName().startswith("Transaction id ")
    name = scenario.ceremony_name(CeremonyStage.COMPARING)
    driver.show("ceremonies", name)
    words = driver.front.detail.words
    assert words.text()
    assert words.text() in words.accessibleName()
    driver.show("recovery", "ben")
    facts = driver.front.machines.facts
    assert facts.code.text() in facts.code.accessibleName()
    assert facts.fingerprint.accessibleName().startswith("Fingerprint ")


def test_a_lock_that_the_node_did_not_answer_keeps_the_window_closed(driver):
    driver.show("overview")
    driver.console.unreachable = True
    driver.window.lock()
    driver.until(lambda: NOT_LOCKED in driver.window.toasts.texts)
    driver.console.calm()
    driver.window.link.retry_now()
    driver.until(lambda: driver.window.link.reachable)
    driver.console.announce(ChangeKind.SESSION)
    driver.pass_time(0.1)
    assert driver.window.link.session.state is NodeState.READY
    assert driver.window.current_screen == "sign_in"
    page = driver.find("screen.sign_in")
    page.pin.setText("123456")
    driver.until(page.unlock.isEnabled)
    page.unlock.click()
    driver.until(lambda: driver.window.current_screen == "overview")
