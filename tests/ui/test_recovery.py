"""Recovery: nothing is started by accident, and a machine comes in only after its code is heard."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit

from console.application.api import ChangeKind
from console.application.commands import (
    ApproveMachine,
    ChangeAddress,
    ChangeLinkKey,
    FinishLinkKey,
    Pin,
    ProposeMachine,
    ProposeRefresh,
    ProposeRepair,
    ProposeReshare,
    RunDrill,
    SetPeerAddress,
)
from console.application.views import RecoveryView, ShareState
from console.domain.short_code import short_code
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario
from tests.fakes.console import REFUSED
from tests.ui.driving import Driver
from ui import object_names as names
from ui import registry, status, wording
from ui.screens.recovery.confirm import ConfirmSheet
from ui.screens.recovery.endorsing import CHECK_FIRST, PIN_FIRST
from ui.screens.recovery.resharing import Reshare
from ui.screens.recovery.view import RecoveryScreen
from ui.view_model import LoadState
from ui.widgets.text import Label

ENTER = Qt.Key.Key_Return


def said_by(panel: ConfirmSheet) -> str:
    """Return everything that the panel shows."""
    labels = panel.card.findChildren(Label)
    return " ".join(label.text() for label in labels if label.isVisibleTo(panel.card))


def show(driver: Driver, subject: str = recovery.TREASURY) -> RecoveryScreen:
    driver.show("recovery", subject)
    screen = driver.front
    assert isinstance(screen, RecoveryScreen)
    for panel in (screen.machines.endorse, screen.entry_panel.endorse):
        panel.approve.delay_s = 0.2
    return screen


def executed(driver: Driver, kind: type) -> list:
    return [command for command in driver.console.executed if isinstance(command, kind)]


def texts(screen: RecoveryScreen) -> str:
    return "\n".join(label.text() for label in screen.findChildren(QLabel) if label.isVisible())


def complete(panel) -> None:
    panel.compared.setChecked(True)
    QTest.keyClicks(panel.pin, "123456")


def paste(driver: Driver, screen: RecoveryScreen, line: str = recovery.ENTRY) -> None:
    screen.add.click()
    screen.entry_panel.entry.setText(line)
    driver.until(lambda: screen.model.preview is not None)


# What is shown.


def test_every_custodian_has_a_line_with_state_word_and_times(driver):
    screen = show(driver, recovery.OVERDUE)
    rows = screen.detail.matrix.rows
    assert [row.state.look.word for row in rows] == [
        "Proved", "Banned", "Proved", "Sealed", "Proved",
    ]  # fmt: skip
    assert "Ana Ruiz (you), Ready. Share: Proved." in rows[0].accessibleName()
    assert rows[2].online.text() == "Unreachable"
    assert "does not sign with it" in rows[1].detail.text()
    assert rows[3].ago.text() == "never proved"
    assert (rows[0].ago.text(), rows[0].at.text()) == ("3 h ago", "2026-03-04 11:02 UTC")


@pytest.mark.parametrize(
    ("wallet", "word"),
    [
        (recovery.TREASURY, "Due in 12 days"),
        (recovery.OVERDUE, "Overdue by 3 days"),
        (recovery.RESERVE, "Never refreshed"),
    ],
)
def test_the_next_refresh_is_said_in_words(driver, wallet, word):
    assert show(driver, wallet).detail.due.look.word == word


def test_a_due_date_below_a_day_is_exact():
    now = scenario.NOW_MS
    assert wording.due(now + 5 * scenario.HOUR, now) == "due in 5 h"
    assert wording.due(now - recovery.DAY, now) == "overdue by 1 day"


def test_the_list_says_the_worst_of_each_wallet(driver):
    screen = show(driver)
    assert [row.item.detail for row in screen.list.rows] == [
        "Quarantined",
        "1 share lost",
        "Ceremony in progress",
        "1 share banned",
        "Never refreshed",
        "Epoch 3 \u00b7 due in 12 days",
    ]
    assert [row.item.chosen for row in screen.list.rows].index(True) == 5


def test_a_list_row_that_is_late_says_so(driver):
    late = replace(recovery.shares(), refresh_due_ms=scenario.NOW_MS - recovery.DAY)
    driver.console.recovery = RecoveryView(wallets=(late,), machines=(), members=recovery.members())
    assert show(driver).list.rows[0].item.detail == "Overdue by 1 day"


def test_a_quarantine_says_what_happened_what_is_safe_and_what_to_do(driver):
    screen = show(driver, recovery.QUARANTINED)
    said = screen.detail.quarantine.accessibleName()
    assert said.startswith("A signature was wrong. This wallet is in quarantine.")
    assert "Every part verified" in said
    assert "Keys and funds are safe" in said
    assert "Refresh the shares now" in said
    assert screen.detail.steps.refresh.button.isEnabled()


def test_erasures_and_drills_are_listed_by_name(driver):
    screen = show(driver)
    assert screen.detail.erased.text() == (
        "Old shares erased by Ana Ruiz and Ben Okafor; not yet by Chiara Neri."
    )
    row = screen.detail.rows.rows[1]
    assert [cell.text for cell in row.cells] == [
        "2026-02-23 13:51 UTC",
        "3",
        "ECDSA, Schnorr, EdDSA",
        "Ben Okafor and Chiara Neri",
    ]


def test_without_a_drill_it_is_said(driver):
    screen = show(driver, recovery.RESERVE)
    assert screen.detail.no_drill.text().startswith("No drill yet")
    assert not screen.detail.drills.isVisible()


def test_an_open_ceremony_takes_the_place_of_the_actions(driver):
    screen = show(driver, recovery.UNDER_WAY)
    assert not screen.detail.steps.isVisible()
    screen.detail.ceremony.acted.emit()
    driver.until(lambda: driver.window.current_screen == "ceremonies")
    assert driver.front.model.subject == scenario.change_name("refresh")


def test_an_impossible_action_says_why_and_a_repair_comes_first(driver):
    steps = show(driver, recovery.LOST).detail.steps
    assert not steps.refresh.button.isEnabled()
    assert steps.refresh.why.text() == "Chiara Neri has no share yet: repair it first."
    assert steps.refresh.button.accessibleDescription() == steps.refresh.why.text()
    assert steps.repair.button.property("kind") == "primary"
    assert steps.refresh.button.property("kind") == "secondary"
    steps = show(driver, recovery.TREASURY).detail.steps
    assert steps.refresh.button.property("kind") == "primary"
    assert steps.repair.button.property("kind") == "secondary"
    assert not show(driver, recovery.RESERVE).detail.steps.repair.button.isEnabled()


@pytest.mark.parametrize(
    "place", ["", *(w.wallet for w in recovery.wallets()), "reshare/wl-5f0c1a9e77d2b364", "ben"]
)
def test_there_is_one_primary_button(driver, place):
    screen = show(driver, place)
    kinds = [
        button.property("kind")
        for button in screen.findChildren(QAbstractButton)
        if button.isVisible()
    ]
    assert kinds.count("primary") <= 1


def _cut_texts(screen):
    """What does not fit where it stands."""
    for label in screen.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        if label.wordWrap():
            fits = label.height() >= label.heightForWidth(label.width())
        else:
            fits = label.width() >= label.sizeHint().width()
        if not fits:
            yield label.text()


def test_no_text_is_cut_in_the_smallest_window(driver):
    driver.window.resize(1180, 760)
    for subject in ("machines", *(wallet.wallet for wallet in recovery.wallets())):
        screen = show(driver, subject)
        # The layout takes some turns of the loop to follow a new size.
        driver.settle(lambda screen=screen: not list(_cut_texts(screen)))
        assert list(_cut_texts(screen)) == []


# What is proposed.


def test_a_refresh_is_explained_then_proposed_then_shown_as_a_ceremony(driver):
    screen = show(driver)
    screen.detail.steps.refresh.button.click()
    panel = screen.confirm_panel
    said = said_by(panel)
    assert "The old shares stay valid until all" in said
    assert "All 3 custodians must take part: Ana Ruiz, Ben Okafor and Chiara Neri." in said
    assert "Unreachable now: Chiara Neri." in said
    assert panel.cancel.hasFocus()
    assert executed(driver, ProposeRefresh) == []
    panel.confirm.click()
    driver.until(lambda: driver.window.current_screen == "ceremonies")
    assert executed(driver, ProposeRefresh) == [ProposeRefresh(recovery.TREASURY)]
    assert driver.front.model.subject == scenario.change_name(CeremonyPurpose.REFRESH)


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, ENTER])
def test_escape_and_enter_propose_nothing(driver, key):
    screen = show(driver)
    screen.detail.steps.refresh.button.click()
    QTest.keyClick(QApplication.focusWidget(), key)
    driver.until(lambda: not screen.confirm_panel.isVisible())
    driver.pass_time(0.02)
    assert driver.console.executed == []
    assert driver.window.current_screen == "recovery"


def test_a_repair_asks_whose_share_was_lost(driver):
    screen = show(driver, recovery.LOST)
    screen.detail.steps.repair.button.click()
    panel = screen.confirm_panel
    assert "restore the share of Chiara Neri" in said_by(panel)
    box = panel.findChild(QAbstractButton, "recovery.confirmPanel.member.ben")
    assert box.text() == "Ben Okafor \u00b7 proved"
    box.click()
    driver.pass_time(0.02)
    assert "restore the share of Ben Okafor" in said_by(panel)
    assert "restore the share of Chiara Neri" not in said_by(panel)
    panel.confirm.click()
    driver.until(lambda: driver.window.current_screen == "ceremonies")
    assert executed(driver, ProposeRepair) == [ProposeRepair(recovery.LOST, "ben")]


def test_of_several_machines_the_one_that_waits_for_me_is_open(driver):
    old = replace(recovery.machine("ben", endorsed=("ana", "dara", "eli")), digest="aa" * 32)
    machines = (old, *recovery.machines())
    driver.console.recovery = RecoveryView(
        wallets=(), machines=machines, members=recovery.members()
    )
    assert show(driver, "ben").model.machine == recovery.machines()[0]
    assert show(driver, old.digest).model.machine == old


def test_a_reason_of_the_node_becomes_a_sentence():
    assert wording.sentence("it is admitted") == "It is admitted."
    assert wording.sentence("Wait.") == "Wait."
    assert wording.sentence("") == ""


def test_a_drill_stays_on_the_page_and_is_listed(driver):
    screen = show(driver)
    screen.detail.steps.drill.button.click()
    said = said_by(screen.confirm_panel)
    assert "no transaction, 2 at a time" in said
    assert "All 3 custodians must take part" in said
    screen.confirm_panel.confirm.click()
    driver.until(lambda: len(screen.detail.rows.rows) == 4)
    assert executed(driver, RunDrill) == [RunDrill(recovery.TREASURY)]
    assert driver.window.current_screen == "recovery"


def test_a_running_drill_is_said_and_blocks_the_rest(driver):
    screen = show(driver)
    driver.console.silent = True
    screen.model.run_drill(recovery.TREASURY)
    assert screen.detail.working.title.text() == "The drill is running."
    assert not screen.detail.steps.refresh.button.isEnabled()


def test_a_refusal_says_cause_safety_and_next_step(driver):
    screen = show(driver)
    driver.console.refusal = REFUSED
    screen.model.propose_refresh(recovery.TREASURY)
    driver.until(screen.refusal.isVisible)
    for part in (REFUSED.safe, REFUSED.next_step, REFUSED.code):
        assert part in screen.refusal.detail.text()


def test_a_reshare_is_previewed_in_a_sentence_and_proposed(driver):
    screen = show(driver)
    screen.detail.steps.reshare.button.click()
    driver.until(screen.form.isVisible)
    form = screen.form
    assert not form.propose.isEnabled()
    assert form.why.text() == "This changes nothing. To renew the shares, refresh them."
    for member in ("chiara", "dara", "eli"):
        screen.findChild(QAbstractButton, f"{names.RESHARE_CUSTODIAN}.{member}").click()
    form.threshold.set_value(3)
    assert form.sentence.title.text() == (
        "3 of 4 will sign; Ana Ruiz and Ben Okafor stay, Dara Levi and Eli Brandt join, "
        "Chiara Neri leaves."
    )
    form.propose.click()
    said = said_by(screen.confirm_panel)
    assert "4 people must take part" in said
    assert "Chiara Neri must erase the old share" in said
    screen.confirm_panel.confirm.click()
    driver.until(lambda: driver.window.current_screen == "ceremonies")
    (command,) = executed(driver, ProposeReshare)
    assert command.custodians == ("ana", "ben", "dara", "eli")
    assert (command.threshold, command.approvals_needed) == (3, 2)
    assert command.dealers == ("ana", "ben")


def test_what_was_ticked_survives_news_and_not_another_visit(driver):
    screen = show(driver, f"reshare/{recovery.TREASURY}")
    box = screen.findChild(QAbstractButton, f"{names.RESHARE_CUSTODIAN}.dara")
    box.click()
    driver.console.asked.clear()
    driver.console.announce(ChangeKind.PEERS)
    driver.until(lambda: any(type(q).__name__ == "GetRecovery" for q in driver.console.asked))
    driver.pass_time(0.02)
    assert box.isChecked()
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    driver.until(lambda: screen.model.subject == recovery.TREASURY)
    driver.show("recovery", f"reshare/{recovery.TREASURY}")
    assert not box.isChecked()


def plan(wallet=None, custodians=("ana", "ben", "chiara"), threshold=2, me="ana") -> Reshare:
    return Reshare(wallet or recovery.shares(), recovery.members(me), custodians, threshold, 2)


def test_who_leaves_is_asked_to_deal_only_when_needed():
    assert plan(custodians=("ana", "ben", "dara")).dealers == ("ana", "ben")
    assert plan(custodians=("ana", "dara")).dealers == ("ana", "ben")
    lost = recovery.shares(
        shares=(recovery.share("ana"), recovery.share("ben", ShareState.LOST),
                recovery.share("chiara", ShareState.BANNED))
    )  # fmt: skip
    assert plan(lost, custodians=("ana", "ben", "dara")).dealers == ("ana", "chiara")


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (plan(custodians=("ana",)), "at least 2 custodians"),
        (plan(), "This changes nothing"),
        (plan(custodians=("dara", "eli"), me="eli"), ""),
        (plan(recovery.shares(shares=(recovery.share("ben"), recovery.share("chiara"))),
              custodians=("ben", "eli")), "You would not take part"),
        (plan(recovery.shares(shares=(recovery.share("ana"),
              recovery.share("ben", ShareState.LOST))), custodians=("ana", "eli")),
         "Shares of 1 current"),
        (plan(custodians=tuple(f"m{n}" for n in range(33))), "At most 32"),
        (plan(threshold=3), ""),
    ],
)  # fmt: skip
def test_an_impossible_reshare_says_why(draft, reason):
    assert reason in draft.problem
    assert bool(reason) == bool(draft.problem)


def test_nobody_is_said_when_nobody_moves():
    draft = plan(custodians=("ana", "ben", "chiara", "dara"), threshold=3)
    assert draft.sentence == (
        "3 of 4 will sign; Ana Ruiz, Ben Okafor and Chiara Neri stay, Dara Levi joins, "
        "nobody leaves."
    )


# Machines.


def test_an_entry_line_is_previewed_compared_and_endorsed(driver):
    screen = show(driver, "machines")
    paste(driver, screen)
    panel = screen.entry_panel
    assert panel.facts.code.text() == short_code(bytes(32))
    assert panel.facts.fingerprint.text == scenario.digest("key ben")
    assert "revoked immediately" in panel.effect.text()
    assert "run a repair next" in panel.effect.text()
    endorse = panel.endorse
    assert (endorse.approve.isEnabled(), endorse.why.text()) == (False, CHECK_FIRST)
    endorse.compared.setChecked(True)
    assert endorse.why.text() == PIN_FIRST
    QTest.keyClicks(endorse.pin, "123456")
    assert not endorse.approve.isEnabled()
    driver.until(endorse.approve.isEnabled)
    endorse.approve.click()
    assert endorse.pin.text() == ""
    driver.until(lambda: not panel.isVisible())
    (command,) = executed(driver, ProposeMachine)
    assert command.entry == recovery.ENTRY
    assert driver.console.pins == [b"123456"]
    driver.until(lambda: command.pin.wiped)
    assert screen.model.subject == "ben"
    assert panel.entry.text() == ""


def test_another_line_voids_preview_tick_and_pin(driver):
    screen = show(driver, "machines")
    paste(driver, screen)
    panel = screen.entry_panel
    complete(panel.endorse)
    panel.entry.setText(recovery.BAD_ENTRY)
    assert not panel.endorse.compared.isChecked()
    assert panel.endorse.pin.text() == ""
    assert not panel.endorse.approve.isEnabled()
    driver.until(panel.problems.isVisible)
    assert panel.problems.detail.text() == "Other founders endorse this member's machines."
    assert not panel.endorse.pin.isVisible()
    assert not panel.endorse.approve.isEnabled()


def test_a_line_that_cannot_be_read_says_why(driver):
    screen = show(driver, "machines")
    screen.add.click()
    driver.console.refusal = REFUSED
    screen.entry_panel.entry.setText("no entry")
    driver.until(screen.entry_panel.problems.isVisible)
    assert REFUSED.next_step in screen.entry_panel.problems.detail.text()
    assert not screen.entry_panel.endorse.approve.isEnabled()


def test_a_preview_that_comes_late_is_not_for_the_new_line(driver):
    screen = show(driver, "machines")
    screen.model.read_entry(recovery.ENTRY)
    screen.model.read_entry(recovery.BAD_ENTRY)
    driver.until(lambda: screen.model.preview is not None)
    driver.pass_time(0.02)
    assert screen.model.preview.member == "ana"


def test_a_wrong_pin_is_explained_in_the_panel_and_the_line_stays(driver):
    screen = show(driver, "machines")
    paste(driver, screen)
    panel = screen.entry_panel
    panel.endorse.compared.setChecked(True)
    panel.endorse.pin.setText("999999")
    driver.until(panel.endorse.approve.isEnabled)
    panel.endorse.approve.click()
    driver.until(panel.refusal.isVisible)
    assert "wrong-pin" in panel.refusal.detail.text()
    assert panel.entry.text() == recovery.ENTRY
    assert panel.endorse.pin.text() == ""
    assert not panel.endorse.compared.isChecked()


def test_a_machine_on_screen_is_approved_by_its_digest(driver):
    screen = show(driver, "ben")
    endorse = screen.machines.endorse
    complete(endorse)
    driver.until(endorse.approve.isEnabled)
    endorse.approve.setFocus()
    QTest.keyClick(endorse.approve, Qt.Key.Key_Space)
    assert endorse.pin.text() == ""
    driver.until(lambda: bool(executed(driver, ApproveMachine)))
    (command,) = executed(driver, ApproveMachine)
    assert (command.member, command.digest) == ("ben", scenario.digest("machine ben"))
    driver.until(lambda: command.pin.wiped)
    driver.until(lambda: not screen.machines.decision.isVisible())
    assert screen.machines.state.look.word == "Waiting \u00b7 2 of 3"
    assert "Ana Ruiz and Dara Levi" in screen.machines.said.text()


@pytest.mark.parametrize("key", [ENTER, Qt.Key.Key_Enter])
def test_enter_never_endorses(driver, key):
    screen = show(driver, "ben")
    endorse = screen.machines.endorse
    complete(endorse)
    driver.until(endorse.approve.isEnabled)
    for widget in (endorse.approve, endorse.pin, endorse.compared, screen, driver.window):
        widget.setFocus()
        QTest.keyClick(widget, key)
        driver.pass_time(0.01)
    QTest.keyClick(driver.window, ENTER, Qt.KeyboardModifier.ControlModifier)
    assert endorse.approve.hasFocus()
    assert executed(driver, ApproveMachine) == []


def test_the_delay_is_three_seconds(driver):
    driver.show("recovery", "ben")
    screen = driver.front
    assert screen.machines.endorse.approve.delay_s == 3.0
    assert screen.entry_panel.endorse.approve.delay_s == 3.0


def test_a_tick_is_for_one_machine_only(driver):
    screen = show(driver, "machines")
    endorse = screen.machines.endorse
    complete(endorse)
    newer = replace(recovery.machine("eli", endorsed=("dara",)), digest="ee" * 32)
    known = driver.console.recovery
    driver.console.recovery = RecoveryView(
        wallets=known.wallets, machines=(newer, *known.machines), members=known.members
    )
    driver.console.announce(ChangeKind.MEMBER, "eli")
    driver.until(lambda: screen.model.machine.digest == newer.digest)
    assert not endorse.compared.isChecked()
    assert endorse.pin.text() == ""


def test_a_pin_that_comes_while_something_runs_is_wiped(driver):
    screen = show(driver, "ben")
    driver.console.silent = True
    screen.model.run_drill(recovery.TREASURY)
    pin = Pin(bytearray(b"123456"))
    screen.model.approve_machine(screen.model.machine, pin)
    assert pin.wiped
    assert executed(driver, ApproveMachine) == []


def test_leaving_the_page_forgets_tick_pin_and_line(driver):
    screen = show(driver, "ben")
    complete(screen.machines.endorse)
    paste(driver, screen)
    complete(screen.entry_panel.endorse)
    driver.show("overview")
    for panel in (screen.machines.endorse, screen.entry_panel.endorse):
        assert panel.pin.text() == ""
        assert not panel.compared.isChecked()
    assert not screen.entry_panel.isVisible()
    assert screen.entry_panel.entry.text() == ""


def test_locking_takes_the_panels_along(driver):
    screen = show(driver, "machines")
    paste(driver, screen)
    driver.window.lock()
    driver.until(lambda: driver.window.current_screen == "sign_in")
    driver.pass_time(0.001)
    assert driver.window.findChild(QLineEdit, f"{names.MACHINE_ENTRY_PANEL}.entry") is None


def test_a_machine_that_came_in_points_to_the_repair_that_is_needed(driver):
    screen = show(driver, "chiara")
    assert screen.machines.state.look.word == "Admitted"
    assert screen.machines.lost.title.text() == "Chiara Neri\u2019s share in Grants is lost."
    screen.machines.lost.acted.emit()
    driver.until(lambda: screen.model.subject == recovery.LOST)
    assert screen.shares.isVisible()


def test_without_machines_the_way_in_is_explained(driver):
    driver.console.recovery = RecoveryView(
        wallets=recovery.wallets(), machines=(), members=recovery.members()
    )
    screen = show(driver, "machines")
    assert screen.machines.no_machine.isVisible()
    assert "Join a vault" in texts(screen)
    assert screen.add.property("kind") == "primary"


# Ways here, and keys.


@pytest.mark.parametrize("word", ["recovery", "machine", "machines", "shares"])
def test_the_words_of_a_node_lead_here(word):
    assert registry.find(word).name == "recovery"


def test_recovery_stands_after_ceremonies():
    order = [entry.name for entry in registry.SECTIONS]
    assert order.index("recovery") == order.index("ceremonies") + 1


def test_a_task_of_the_overview_opens_the_machine(driver):
    driver.show("overview")
    driver.front.tasks.opened.emit("2")
    driver.until(lambda: driver.window.current_screen == "recovery")
    screen = driver.front
    driver.until(screen.machines.isVisible)
    assert screen.machines.about.heading.text() == "New machine of Ben Okafor"


def test_an_unknown_subject_is_an_error_with_a_way_back(driver):
    driver.show("recovery", "nobody", LoadState.ERROR)
    screen = driver.front
    assert screen.model.problem.code == "not-found"
    QTest.keyClick(driver.window, Qt.Key.Key_Escape)
    driver.until(lambda: screen.model.state is LoadState.READY)
    assert screen.model.subject == ""


def test_machines_can_be_reached_without_a_wallet(driver):
    driver.console.empty = True
    driver.show("recovery", "", LoadState.EMPTY)
    screen = driver.front
    screen.tabs.chosen.emit("machines")
    driver.until(screen.machines.isVisible)
    screen.tabs.chosen.emit("shares")
    driver.until(lambda: screen.model.state is LoadState.EMPTY)


def test_j_k_and_enter_open_a_wallet_and_no_skeleton_flashes(driver):
    screen = show(driver, "")
    for _ in range(3):
        QTest.keyClick(driver.window.focusWidget() or driver.window, Qt.Key.Key_J)
    QTest.keyClick(driver.window.focusWidget(), Qt.Key.Key_K)
    focused = driver.window.focusWidget()
    assert focused.item.key == recovery.LOST
    QTest.keyClick(focused, ENTER)
    assert screen.model.subject == recovery.LOST
    assert screen.model.state is LoadState.READY
    assert screen.detail.health.heading.text() == "Share health of Grants"


def test_the_tab_key_goes_through_the_panel_in_reading_order(driver):
    screen = show(driver, "machines")
    paste(driver, screen)
    panel = screen.entry_panel
    complete(panel.endorse)
    driver.until(panel.endorse.approve.isEnabled)
    panel.entry.setFocus()
    seen = []
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget().objectName())
    assert seen == [
        f"entryPanel.{name}"
        for name in ("file", "endorse.compared", "endorse.pin", "cancel", "endorse.approve")
    ]


@pytest.mark.parametrize(
    "kind",
    [
        ChangeKind.CEREMONY,
        ChangeKind.WALLET,
        ChangeKind.MEMBER,
        ChangeKind.REQUEST,
        ChangeKind.PEERS,
        ChangeKind.SESSION,
        ChangeKind.RUN,
    ],
)
def test_news_are_shown_at_once(driver, kind):
    screen = show(driver)
    known = driver.console.recovery
    wallets = tuple(replace(wallet, drills=()) for wallet in known.wallets)
    driver.console.recovery = RecoveryView(
        wallets=wallets, machines=known.machines, members=known.members
    )
    driver.console.announce(kind)
    driver.until(screen.detail.no_drill.isVisible)


def test_a_node_that_goes_away_keeps_what_was_shown(driver):
    screen = show(driver)
    driver.console.unreachable = True
    screen.model.refresh()
    driver.pass_time(0.05)
    assert screen.model.state is LoadState.READY
    assert "Share health of Treasury" in texts(screen)


# Machines that change.


def line(screen, member):
    return screen.machines.links.lines[member]


def test_each_machine_has_its_address_version_and_certificate(driver):
    screen = show(driver, "machines")
    assert line(screen, "ana").detail.text() == (
        "ana.example.net:7443 \u00b7 version 0.1.0 \u00b7 certificate until 2031-08-25"
    )
    assert "\u26a0 version 0.2.0, yours is 0.1.0" in line(screen, "ben").detail.text()
    assert "192.0.2.7:7443, entered here (it says chiara.example.net:7443)" in (
        line(screen, "chiara").detail.text()
    )
    assert "version not known" in line(screen, "chiara").detail.text()
    assert (
        line(screen, "dara")
        .warning.text()
        .startswith("Dara Levi\u2019s certificate ends in 41 days. Ask Dara Levi to start")
    )
    assert not line(screen, "eli").warning.isVisible()


def test_a_certificate_that_has_ended_is_said_where_unreachable_stood(driver):
    away = replace(recovery.members()[2], trouble="Certificate ended")
    assert status.presence(away).word == "Certificate ended"
    assert status.presence(replace(away, trouble="")).word == "Unreachable"
    assert status.presence(replace(away, online=True)).word == "Ready"
    over = recovery.link("dara", certificate_ends_ms=scenario.NOW_MS - recovery.DAY)
    driver.console.recovery = replace(recovery.recovery(), links=(over,))
    screen = show(driver, "machines")
    assert "certificate ended 2026-03-03" in line(screen, "dara").detail.text()


def test_the_own_address_is_checked_explained_and_signed(driver):
    screen = show(driver, "machines")
    line(screen, "ana").act.click()
    panel = screen.address_panel
    assert panel.address.text() == "ana.example.net:7443"
    assert (panel.send.isEnabled(), panel.why.text()) == (False, "This is the address already.")
    assert "does not change where this node itself listens" in panel.effect.text()
    assert "If two machines moved at once" in panel.effect.text()
    for wrong in ("ana.example.net", "ana.example.net:0", "a b:1", "x" * 256):
        panel.address.setText(wrong)
        assert not panel.send.isEnabled()
        assert panel.why.text()
    QTest.keyClick(panel.address, ENTER)
    assert driver.console.executed == []
    panel.address.setText(" 192.0.2.9:7443 ")
    panel.send.click()
    driver.until(lambda: not panel.isVisible())
    assert executed(driver, ChangeAddress) == [ChangeAddress("192.0.2.9:7443")]


def test_a_peers_address_is_entered_for_this_node_and_taken_back(driver):
    screen = show(driver, "machines")
    panel = screen.address_panel
    line(screen, "ben").act.click()
    assert "For this node alone" in panel.effect.text()
    panel.address.setText("[2001:db8::7]:7443")
    panel.send.click()
    driver.until(lambda: not panel.isVisible())
    line(screen, "chiara").act.click()
    assert panel.address.text() == "192.0.2.7:7443"
    panel.address.clear()
    panel.send.click()
    driver.until(lambda: not panel.isVisible())
    assert executed(driver, SetPeerAddress) == [
        SetPeerAddress("ben", "[2001:db8::7]:7443"),
        SetPeerAddress("chiara", ""),
    ]


def test_a_refused_address_stays_in_its_panel(driver):
    screen = show(driver, "machines")
    line(screen, "ana").act.click()
    panel = screen.address_panel
    panel.address.setText("192.0.2.9:7443")
    driver.console.refusal = REFUSED
    panel.send.click()
    driver.until(panel.refusal.isVisible)
    assert panel.address.text() == "192.0.2.9:7443"


def test_the_tls_key_is_changed_after_its_effect_was_read(driver):
    screen = show(driver, "machines")
    links = screen.machines.links
    links.key.click()
    assert "Old and new key count until all members have the new one" in (
        said_by(screen.confirm_panel)
    )
    assert executed(driver, ChangeLinkKey) == []
    screen.confirm_panel.confirm.click()
    driver.until(lambda: executed(driver, ChangeLinkKey))


def test_a_key_change_says_who_is_waited_for_and_need_not_wait(driver):
    own = recovery.link("ana", new_key=True, untold=("Ben Okafor", "Eli Brandt"))
    driver.console.recovery = replace(recovery.recovery(), links=(own, *recovery.links()[1:]))
    screen = show(driver, "machines")
    links = screen.machines.links
    assert not links.key.isEnabled()
    assert "Ben Okafor and Eli Brandt have not said so yet." in links.coming.detail.text()
    links.coming.acted.emit()
    assert "Not heard yet: Ben Okafor and Eli Brandt" in said_by(screen.confirm_panel)
    screen.confirm_panel.confirm.click()
    driver.until(lambda: executed(driver, FinishLinkKey))
