"""The first run by keys alone: Tab's order, where the focus is, Enter and Esc, on every page."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QRadioButton, QScrollArea, QWidget

from console.client.set_up import messages as m
from tests.fakes import setting_up
from tests.fakes.setting_up import FAILED, FakeSettingUp, draft
from tests.ui.first_running import FirstRun
from ui.first_run import names, start_page
from ui.first_run.set_up import TITLES, Step
from ui.widgets.text import Label

_BELOW = 100_000
STEPS = list(Step)
State = Callable[[FirstRun, FakeSettingUp], None]


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


def focus() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def place_of(widget: QWidget) -> QRect:
    """Return where a control is on its whole page; what does not scroll is below that."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    if parent is None:
        return QRect(widget.mapTo(widget.window(), QPoint(0, _BELOW)), widget.size())
    return QRect(widget.mapTo(parent.widget(), QPoint()), widget.size())


def reached_by_tab(window: QWidget) -> set[QWidget]:
    """Return what Tab has to reach: all that is in sight, enabled and takes the focus by Tab."""
    return {
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        # Of choices that exclude each other, the arrows reach the others.
        and not (isinstance(widget, QRadioButton) and not widget.isChecked())
    }


def walk(first: FirstRun, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Press Tab until the focus is where it began; each stop is in sight when it is reached."""
    seen = [focus()]
    for _ in range(60):
        QTest.keyClick(focus(), key)
        first.pass_time(0.005)
        widget = focus()
        if widget is seen[0]:
            return seen
        assert not widget.visibleRegion().isEmpty(), f"{widget.objectName()} is out of sight"
        seen.append(widget)
    raise AssertionError([widget.objectName() for widget in seen])


def follows(before: QWidget, after: QWidget) -> bool:
    """Return whether one reads `after` later: further below, or in the same line further right."""
    one, other = place_of(before), place_of(after)
    if other.top() > one.bottom() or other.left() > one.right():
        return True
    return other.top() >= one.top() and other.left() >= one.left()


def show_start(first: FirstRun, fake: FakeSettingUp) -> None:
    fake.drafts = {"ana-ruiz": draft(4)}
    fake.trial = True
    first.window.show_start()
    first.until(lambda: not first.window.looking.running)
    first.pass_time(0.02)


def show_step(step: Step, **changes: object) -> State:
    return lambda first, _fake: first.resume(draft(step, **changes))


def show_chain(first: FirstRun, _fake: FakeSettingUp) -> None:
    first.resume(draft(5))
    first.press(f"{names.CHAINS_USE}.ethereum")
    first.press(f"{names.CHAINS_MORE}.ethereum")
    first.find(f"{names.CHAINS_URL}.ethereum.1").setText("https://eth.example.org")


def show_cloud(first: FirstRun, _fake: FakeSettingUp) -> None:
    place = m.TokenChoice(kind=m.TokenKind.KMS, region="eu-central-1", endpoint_url="https://a.b")
    first.resume(draft(2, token=place))


def show_entries(first: FirstRun, _fake: FakeSettingUp) -> None:
    first.resume(draft(6))
    first.page.read(setting_up.lines(["ben", "chiara"]))
    first.until(lambda: len(first.page.others) == 2)
    first.pass_time(0.02)


def show_founders(first: FirstRun, _fake: FakeSettingUp) -> None:
    first.resume(draft(6, m.Purpose.JOIN))
    first.page.read(setting_up.lines(["ben", "chiara", "dara"]))
    first.until(first.page.own.isVisible)
    first.pass_time(0.02)


def show_refusal(first: FirstRun, fake: FakeSettingUp) -> None:
    fake.refusals[m.KeepDraft] = FAILED
    first.resume(draft(4))
    first.next()


STATES: dict[str, State] = {
    "start": show_start,
    "new pin": show_step(Step.PIN, token=m.TokenChoice(kind=m.TokenKind.FILE)),
    "joining": show_step(Step.INVITATION, purpose=m.Purpose.JOIN),
    "a chain": show_chain,
    "in a cloud": show_cloud,
    "entries": show_entries,
    "founders": show_founders,
    "refusal": show_refusal,
    **{step.name.lower(): show_step(step) for step in STEPS},
}


@pytest.mark.parametrize("size", [(1440, 900), (960, 540)])
@pytest.mark.parametrize("name", STATES)
def test_tab_reaches_every_control_in_reading_order(first, fake, name, size):
    first.window.resize(*size)
    STATES[name](first, fake)
    first.pass_time(0.03)
    # From the page's first control: the focus begins in the first field, which may come later.
    seen = walk(first)
    unchecked = {w for w in seen if isinstance(w, QRadioButton) and not w.isChecked()}
    assert set(seen) - unchecked == reached_by_tab(first.window)
    places = [place_of(widget) for widget in seen]
    top = min(range(len(seen)), key=lambda n: (places[n].top(), places[n].left()))
    around = [*seen[top:], *seen[:top]]
    wrong = [
        (one.objectName(), other.objectName())
        for one, other in pairwise(around)
        if not follows(one, other)
    ]
    assert not wrong
    assert walk(first, Qt.Key.Key_Backtab) == [seen[0], *reversed(seen[1:])]


FIELDS = {
    Step.NAME: names.NAME_NAME,
    Step.TOKEN: f"{names.TOKENS_LIST}.DENK0104078",
    Step.PIN: names.PIN_PIN,
    Step.ADDRESS: names.ADDRESS_LISTEN,
    Step.CHAINS: f"{names.CHAINS_USE}.bitcoin",
    Step.INVITATION: names.INVITATION_SAVE,
    Step.COMPARISON: f"{names.COMPARISON_TICK}.ben",
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.lower())
def test_a_page_opens_with_the_focus_on_its_first_field(first, step):
    first.resume(draft(step))
    first.pass_time(0.03)
    assert focus().objectName() == FIELDS[step]


@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: step.name.lower())
def test_a_page_that_next_leads_to_has_the_focus_on_its_first_field(first, fake, step):
    """Also where its list is read only after it came to the front."""
    before = Step(step - 1)
    first.resume(replace(draft(before), keys_made=before is Step.PIN))
    if before is Step.TOKEN:
        first.press(FIELDS[Step.TOKEN])
    elif before is Step.INVITATION:
        first.page.read(setting_up.lines(["ben", "chiara"]))
    first.next(step)
    first.pass_time(0.03)
    assert focus().objectName() == FIELDS[step]


# ---------------------------------------------------------------- after a refusal


REFUSED: dict[Step, tuple[type[m.Question], str]] = {
    Step.NAME: (m.KeepDraft, names.NAME_NAME),
    Step.TOKEN: (m.KeepDraft, f"{names.TOKENS_LIST}.DENK0104078"),
    Step.PIN: (m.MakeKeys, names.PIN_PIN),
    Step.ADDRESS: (m.KeepDraft, names.ADDRESS_LISTEN),
    Step.CHAINS: (m.KeepDraft, f"{names.CHAINS_USE}.bitcoin"),
    Step.INVITATION: (m.KeepDraft, names.INVITATION_SAVE),
    Step.COMPARISON: (m.OpenVault, f"{names.COMPARISON_TICK}.ben"),
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.lower())
@pytest.mark.parametrize("by_mouse", [True, False])
def test_after_a_refusal_the_focus_is_on_the_field_or_the_message(first, fake, step, by_mouse):
    first.resume(draft(step))
    if step is Step.TOKEN:
        first.press(FIELDS[step])
    elif step is Step.PIN:
        first.page.pin.setText(setting_up.PIN)
    elif step is Step.INVITATION:
        first.page.read(setting_up.lines(["ben", "chiara"]))
        first.until(first.wizard.next.isEnabled)
    elif step is Step.COMPARISON:
        for tick in first.page.ticks.values():
            tick.setChecked(True)
    kind, field = REFUSED[step]
    fake.refusals[kind] = FAILED
    first.until(first.wizard.next.isEnabled)
    if by_mouse:
        first.wizard.next.setFocus()
        first.press(names.WIZARD_NEXT)
    else:
        first.wizard.next.setFocus()
        first.key(Qt.Key.Key_Return)
    first.until(first.page.refusal.isVisible)
    first.pass_time(0.03)
    assert first.page.isAncestorOf(focus())
    assert focus().objectName() in {field, f"{first.page.NAME}.refusal.action"}
    assert first.page.area.verticalScrollBar().value() == 0
    fake.refusals.clear()


# ---------------------------------------------------------------- Enter and Esc


@pytest.mark.parametrize("step", [step for step in STEPS if step is not Step.PIN])
def test_enter_in_a_field_is_next(first, fake, step):
    first.resume(draft(step))
    if step is Step.TOKEN:
        first.press(FIELDS[step])
    elif step is Step.INVITATION:
        first.page.read(setting_up.lines(["ben", "chiara"]))
        first.until(first.wizard.next.isEnabled)
        first.wizard.next.setFocus()
    elif step is Step.COMPARISON:
        for tick in first.page.ticks.values():
            tick.setChecked(True)
    first.until(first.wizard.next.isEnabled)
    first.key(Qt.Key.Key_Return)
    first.until(
        lambda: (
            any(isinstance(each, m.OpenVault) for each in fake.asked)
            if step is Step.COMPARISON
            else first.wizard.step == step + 1
        )
    )


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.lower())
def test_esc_is_back_and_asks_where_there_is_none(first, step):
    first.resume(draft(step))
    first.key(Qt.Key.Key_Escape)
    first.pass_time(0.02)
    if step is Step.NAME:
        assert first.wizard.leave_sheet.isVisible()
        assert focus() is first.wizard.leave_sheet.stay
        first.key(Qt.Key.Key_Escape)
        assert not first.wizard.leave_sheet.isVisible()
        assert focus().objectName() == FIELDS[step]
    else:
        first.at(Step(step - 1))


def test_back_to_sign_in_comes_before_the_ways(qapp, fake):
    run = FirstRun(qapp, fake, can_go_back=True)
    try:
        assert focus() is run.window.start.trying
        QTest.keyClick(focus(), Qt.Key.Key_Backtab)
        assert focus() is run.window.start.back
    finally:
        run.close()


def test_what_is_typed_while_a_page_loads_keeps_the_focus(first, fake):
    fake.hangs.add(m.FinishMember)
    first.window.resume(draft(6))
    first.until(lambda: isinstance(fake.asked[-1], m.FinishMember))
    assert focus() is first.page.paste
    first.type("{")
    fake.hangs.clear()
    first.page.enter()
    first.until(lambda: first.page.me is not None)
    first.pass_time(0.02)
    assert focus() is first.page.paste


@pytest.mark.parametrize("step", [None, *STEPS], ids=lambda step: step.name.lower() if step else "")
def test_f1_explains_the_page_and_gives_the_focus_back(first, step):
    if step is not None:
        first.resume(draft(step))
    before = focus()
    first.key(Qt.Key.Key_F1)
    sheet = first.window.help_sheet
    assert sheet.isVisible()
    title = TITLES[step] if step is not None else start_page.TITLE
    assert sheet.card.heading.text() == f"Help: {title}"
    said = [label.text() for label in sheet.findChildren(Label) if label.isVisible()]
    assert len(said) >= 4
    first.key(Qt.Key.Key_F1)
    first.key(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert focus() is before


def test_f1_leaves_a_question_alone(first):
    first.resume(draft(4))
    first.press(names.WIZARD_CANCEL)
    first.key(Qt.Key.Key_F1)
    assert not first.window.help_sheet.isVisible()
