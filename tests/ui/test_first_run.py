"""The first-run window: ways in, what was begun, and what the seven steps share."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.client.set_up import messages as m
from tests.fakes import setting_up
from tests.fakes.setting_up import FAILED, PIN_NEEDED, FakeSettingUp, draft
from tests.ui.first_running import FirstRun
from ui import files
from ui.first_run import names
from ui.first_run.set_up import TITLES, Step

STEPS = list(Step)


@pytest.fixture
def fake():
    return FakeSettingUp()


@pytest.fixture
def first(qapp, fake):
    run = FirstRun(qapp, fake)
    try:
        yield run
    finally:
        run.close()


def looked_again(first: FirstRun) -> None:
    first.window.show_start()
    first.until(lambda: not first.window.looking.running)
    first.pass_time(0.02)


def test_four_ways_and_the_first_has_the_focus(first):
    for name in (names.START_TRY, names.START_CREATE, names.START_JOIN, names.START_OPEN):
        assert first.find(name).isEnabled()
    assert QApplication.focusWidget() is first.window.start.trying
    assert not first.window.start.begun.isVisible()


def test_a_demonstration_that_cannot_be_made_says_why(first, fake):
    fake.trial_possible = "SoftHSM is not installed on this machine."
    looked_again(first)
    card = first.find(names.START_TRY)
    assert not card.isEnabled()
    assert card.reason == card.accessibleDescription() == fake.trial_possible
    assert QApplication.focusWidget() is first.window.start.creating


def test_what_was_begun_is_offered(first, fake):
    fake.drafts["ana-ruiz"] = draft(4)
    fake.trial = True
    looked_again(first)
    assert first.find(f"{names.START_GO_ON}.trial").isVisible()
    first.press(f"{names.START_GO_ON}.ana-ruiz")
    first.at(Step.ADDRESS)


def test_a_set_up_without_keys_is_thrown_away_without_a_pin(first, fake):
    fake.drafts["ana-ruiz"] = draft(2)
    looked_again(first)
    first.press(f"{names.START_THROW}.ana-ruiz")
    assert not first.window.throw_sheet.pin.isVisible()
    assert QApplication.focusWidget() is first.window.throw_sheet.cancel
    first.press(f"{names.THROW_SHEET}.confirm")
    first.when(lambda: not fake.drafts)
    assert not first.window.throw_sheet.isVisible()
    assert not first.window.start.begun.isVisible()


def test_keys_that_the_draft_does_not_know_of_ask_for_the_pin_too(first, fake):
    fake.drafts["ana-ruiz"] = draft(3)
    fake.refusals[m.Discard] = PIN_NEEDED
    looked_again(first)
    first.press(f"{names.START_THROW}.ana-ruiz")
    sheet = first.window.throw_sheet
    assert not sheet.pin.isVisible()
    first.press(f"{names.THROW_SHEET}.confirm")
    first.until(sheet.refusal.isVisible)
    assert sheet.pin.isVisible()
    assert sheet.caption.isVisible()
    assert "No keys were made" not in sheet.sentence.text()
    assert QApplication.focusWidget() is sheet.pin
    assert not sheet.confirm.isEnabled()
    fake.refusals.clear()
    sheet.pin.setText(setting_up.PIN)
    first.press(f"{names.THROW_SHEET}.confirm")
    first.when(lambda: not fake.drafts)
    assert fake.last(m.Discard).pin == setting_up.PIN
    fake.drafts["ana-ruiz"] = draft(2)
    looked_again(first)
    first.press(f"{names.START_THROW}.ana-ruiz")
    assert not sheet.pin.isVisible()


def test_a_set_up_with_keys_asks_for_the_pin_and_keeps_none(first, fake):
    fake.drafts["ana-ruiz"] = draft(5)
    looked_again(first)
    first.press(f"{names.START_THROW}.ana-ruiz")
    sheet = first.window.throw_sheet
    assert not sheet.confirm.isEnabled()
    sheet.pin.setText("0000")
    first.key(Qt.Key.Key_Return)
    first.until(sheet.refusal.isVisible)
    assert "2 tries are left" in sheet.refusal.accessibleName()
    assert sheet.pin.text() == ""
    sheet.pin.setText(setting_up.PIN)
    first.press(f"{names.THROW_SHEET}.confirm")
    assert sheet.pin.text() == ""
    first.when(lambda: not fake.drafts)
    assert not first.window.throwing.repeatable
    assert fake.last(m.Discard).pin == setting_up.PIN


def test_the_demonstration_is_made_with_progress_and_can_be_cancelled(first, fake):
    fake.hangs.add(m.MakeTrial)
    fake.told[m.MakeTrial] = m.Progress(done=3, total=9, text="Starting Ben\u2019s node.")
    first.press(names.START_TRY)
    page = first.window.progress
    first.until(lambda: page.now.text() == "Starting Ben\u2019s node.")
    assert (page.bar.value(), page.bar.maximum()) == (3, 9)
    first.press(names.START_CANCEL)
    first.when(lambda: fake.cancelled == [m.MakeTrial])
    assert first.window.start.isVisible()


def test_a_demonstration_that_is_refused_can_be_tried_again(first, fake):
    ready = []
    first.window.trial_ready.connect(ready.append)
    fake.refusals[m.MakeTrial] = FAILED
    first.press(names.START_TRY)
    first.until(first.window.progress.refusal.isVisible)
    assert FAILED.safe in first.window.progress.refusal.accessibleName()
    fake.refusals.clear()
    first.press("making.refusal.action")
    first.until(lambda: bool(ready))


def test_the_kept_demonstration_is_thrown_away(first, fake):
    fake.trial = True
    looked_again(first)
    first.press(f"{names.START_THROW}.trial")
    first.press(f"{names.THROW_SHEET}.confirm")
    first.when(lambda: not fake.trial)
    assert not first.window.start.begun.isVisible()


def test_a_process_that_fails_at_the_start_is_said_and_asked_again(qapp, fake):
    fake.refusals[m.LookHere] = FAILED
    run = FirstRun(qapp, fake)
    try:
        run.until(run.window.start.refusal.isVisible)
        fake.refusals.clear()
        run.press("start.refusal.action")
        run.until(lambda: not run.window.start.refusal.isVisible())
    finally:
        run.close()


def test_a_folder_without_members_says_so_and_why(first, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "choose_folder", lambda *_: tmp_path)
    first.press(names.START_OPEN)
    banner = first.find("start.problem")
    assert "There is no member" in banner.accessibleName()
    assert "profile.json" in banner.accessibleName()


@pytest.mark.parametrize("own", [False, True])
def test_a_folder_with_members_is_opened_also_by_a_member_s_own(first, tmp_path, monkeypatch, own):
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "profile.json").write_text('{"member": "ana", "name": "Ana"}')
    (tmp_path / "ana" / "roster.toml").touch()
    chosen: list[Path] = []
    first.window.home_chosen.connect(chosen.append)
    monkeypatch.setattr(files, "choose_folder", lambda *_: tmp_path / "ana" if own else tmp_path)
    first.press(names.START_OPEN)
    assert chosen == [tmp_path]


def test_a_damaged_profile_is_said(first, tmp_path, monkeypatch):
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "profile.json").write_text("{")
    monkeypatch.setattr(files, "choose_folder", lambda *_: tmp_path)
    first.press(names.START_OPEN)
    assert "damaged" in first.find("start.problem").accessibleName()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.lower())
def test_a_set_up_resumes_at_its_page(first, step):
    first.resume(draft(step))
    assert first.page.isVisible()
    assert first.wizard.bar.now is step
    assert f"Step {step.value} of {len(TITLES)}" in first.wizard.bar.accessibleName()
    first.pass_time(0.05)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert first.wizard.isAncestorOf(focused)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.lower())
def test_a_closed_window_loses_nothing_that_was_kept(qapp, fake, step):
    run = FirstRun(qapp, fake)
    run.resume(draft(step))
    run.close()
    kept = fake.drafts["ana-ruiz"]
    again = FirstRun(qapp, fake)
    try:
        again.press(f"{names.START_GO_ON}.ana-ruiz")
        again.at(step)
        assert again.wizard.set_up.draft.token == kept.token
    finally:
        again.close()
    assert fake.watched == 0


@pytest.mark.parametrize("step", [2, 3, 5, 6, 7])
def test_back_shows_the_page_before_and_esc_does_the_same(first, step):
    for back in (lambda: first.press(names.WIZARD_BACK), lambda: first.key(Qt.Key.Key_Escape)):
        first.resume(draft(step))
        back()
        first.at(Step(step - 1))


def test_once_keys_are_made_name_and_token_stay(first):
    first.resume(draft(4))
    first.press(names.WIZARD_BACK)
    first.at(Step.PIN)
    assert first.find("pin.made").isVisible()
    assert not first.wizard.back.isEnabled()
    assert "stay" in first.wizard.back.toolTip()
    first.next(Step.ADDRESS)


def test_cancel_before_anything_is_kept_asks_only_for_what_was_typed(first):
    first.begin()
    first.press(names.WIZARD_CANCEL)
    first.when(lambda: first.window.wizard is None)
    first.begin()
    first.type("Ana")
    first.key(Qt.Key.Key_Escape)
    sheet = first.wizard.leave_sheet
    assert sheet.isVisible()
    assert not sheet.thrown.isVisible()
    first.key(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert first.page.name.text() == "Ana"
    first.press(names.WIZARD_CANCEL)
    first.press(f"{names.LEAVE_SHEET}.keep")
    first.when(lambda: first.window.wizard is None)


def test_cancel_keeps_and_closes_or_throws_away(first, fake):
    first.resume(draft(5))
    first.press(names.WIZARD_CANCEL)
    assert QApplication.focusWidget() is first.wizard.leave_sheet.stay
    first.press(f"{names.LEAVE_SHEET}.keep")
    first.when(lambda: first.window.wizard is None)
    assert "ana-ruiz" in fake.drafts
    first.resume(draft(2))
    first.press(names.WIZARD_CANCEL)
    first.press(f"{names.LEAVE_SHEET}.throwAway")
    first.press(f"{names.THROW_SHEET}.confirm")
    first.when(lambda: "ana-ruiz" not in fake.drafts)
    assert first.window.wizard is None


@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: step.name.lower())
def test_a_set_up_is_thrown_away_at_every_step(first, fake, step):
    first.resume(draft(step))
    first.press(names.WIZARD_CANCEL)
    first.press(f"{names.LEAVE_SHEET}.throwAway")
    sheet = first.window.throw_sheet
    assert sheet.pin.isVisible() is (step > Step.PIN)
    if sheet.pin.isVisible():
        first.type(setting_up.PIN)
    first.press(f"{names.THROW_SHEET}.confirm")
    first.when(lambda: not fake.drafts)
    assert first.window.wizard is None
    assert first.window.start.isVisible()


def test_a_draft_that_cannot_be_kept_stays_on_its_page(first, fake):
    first.begin()
    first.type("Ana Ruiz")
    fake.refusals[m.KeepDraft] = FAILED
    first.next()
    assert first.wizard.step is Step.NAME
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("name.refusal.action")
    first.at(Step.TOKEN)


def test_work_that_lasts_can_be_stopped(first, fake):
    first.resume(draft(7))
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    fake.hangs.add(m.OpenVault)
    first.press(names.WIZARD_NEXT)
    first.until(lambda: isinstance(fake.asked[-1], m.OpenVault))
    assert not first.wizard.cancel.isEnabled()
    first.press(names.WIZARD_STOP)
    first.when(lambda: fake.cancelled == [m.OpenVault])
    assert first.wizard.next.isEnabled()


def test_a_closed_window_waits_for_the_processes_that_it_gave_up(qapp, fake):
    """Also for those of a set-up that was left before."""
    fake.ending_s = 0.1
    fake.hangs |= {m.JudgeName, m.LookHere}
    run = FirstRun(qapp, fake, looks=False)
    run.begin(loads=False)
    run.type("Ana")
    run.until(lambda: isinstance(fake.asked[-1], m.JudgeName))
    run.window.show_start()
    run.until(lambda: isinstance(fake.asked[-1], m.LookHere))
    run.close()
    assert sorted(each.__name__ for each in fake.ended) == ["JudgeName", "LookHere", "LookHere"]


def test_keyboard_alone_sets_a_member_up(first, fake, monkeypatch):
    """Tab, Space, letters and Enter, from the start page to the last tick."""
    tab = lambda: first.key(Qt.Key.Key_Tab)  # noqa: E731
    tab()
    first.key(Qt.Key.Key_Return)
    first.at(Step.NAME)
    first.type("Ana Ruiz")
    first.until(first.wizard.next.isEnabled)
    first.key(Qt.Key.Key_Return)
    first.at(Step.TOKEN)
    first.wizard.focus_first()
    first.key(Qt.Key.Key_Space)
    first.key(Qt.Key.Key_Return)
    first.at(Step.PIN)
    first.type(setting_up.PIN)
    first.key(Qt.Key.Key_Return)
    first.until(lambda: first.wizard.set_up.draft.keys_made and not first.page.work.running)
    first.pass_time(0.02)
    assert QApplication.focusWidget() is first.wizard.next
    first.key(Qt.Key.Key_Return)
    first.at(Step.ADDRESS)
    first.until(first.wizard.next.isEnabled)
    first.key(Qt.Key.Key_Return)
    first.at(Step.CHAINS)
    first.key(Qt.Key.Key_Return)
    first.at(Step.INVITATION)
    first.until(lambda: first.page.me is not None)
    first.page.paste.setFocus()
    QApplication.clipboard().setText(setting_up.lines(["ben", "chiara"]))
    QTest.keySequence(QApplication.focusWidget(), QKeySequence(QKeySequence.StandardKey.Paste))
    tab()
    tab()
    assert QApplication.focusWidget() is first.page.add
    first.key(Qt.Key.Key_Return)
    first.until(first.wizard.next.isEnabled)
    first.wizard.next.setFocus()
    first.key(Qt.Key.Key_Return)
    first.at(Step.COMPARISON)
    ready = []
    first.window.member_ready.connect(lambda *told: ready.append(told))
    for _ in first.page.ticks:
        first.wizard.focus_first()
        first.key(Qt.Key.Key_Space)
    first.key(Qt.Key.Key_Return)
    first.until(lambda: bool(ready))
    assert ready == [(first.window.home, "ana-ruiz")]
    asked = [type(each) for each in fake.asked]
    assert asked.index(m.CheckToken) < asked.index(m.MakeKeys) < asked.index(m.FinishMember)


def test_every_control_has_a_name(first):
    for step in STEPS:
        first.resume(draft(step))
        for control in first.window.findChildren(type(first.wizard.next)):
            if control.isVisible():
                assert control.accessibleName(), step
    first.window.show_start()


def test_a_draft_of_another_version_opens(first):
    first.resume(replace(draft(7), lines=(), chains=()))
    first.window.resume(replace(draft(7), step=99))
    first.at(Step.COMPARISON)
