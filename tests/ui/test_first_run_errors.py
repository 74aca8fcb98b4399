"""Every refusal that the set-up can meet, as its page shows it: cause, safety, next step, code."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPlainTextEdit, QWidget

from console.client.set_up import messages as m
from console.client.set_up.port import SetUpRefused
from console.set_up import refusing
from tests.fakes import setting_up
from tests.fakes.setting_up import FakeSettingUp, draft
from tests.ui.first_running import FirstRun
from ui.first_run import homes, names
from ui.first_run.set_up import Step
from ui.problem import Problem
from ui.widgets.banner import Banner
from ui.widgets.fields import PinField

ROOT = Path(refusing.__file__).parents[2]
SOURCES = (
    *sorted((ROOT / "console/set_up").glob("*.py")),
    ROOT / "console/client/set_up/process.py",
)
_MADE_BY = {"NotDone", "SetUpRefused", "Refused"}
_SAMPLE = "x"
_PARTS = ("code", "what", "safe", "next_step")
# A set-up has no funds yet: what is safe is what was made, kept, or not touched.
_SAFE = (
    *("nothing", "no key", "not touched", "kept", "goes on", "no vault", "belongs to no member"),
    "not affected",
    "is safe",
)
_NEXT = frozenset(
    [
        "accept",
        "ask",
        "check",
        "choose",
        "close",
        "correct",
        "create",
        "enter",
        "give",
        "go",
        "if",
        "insert",
        "move",
        "read",
        "restore",
        "shorten",
        "start",
        "throw",
        "try",
        "wait",
    ]
)
_INNER = ("exception", "traceback", "none)", "object at", "{", "}", "errno", "_")


def _text(node: ast.expr, known: dict[str, str]) -> str | None:
    """Return what an expression of literals says, with a sample for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.JoinedStr(values=values):
            return "".join(
                (_text(v.value, known) or _SAMPLE)
                if isinstance(v, ast.FormattedValue)
                else str(v.value)
                for v in values
                if isinstance(v, ast.FormattedValue | ast.Constant)
            )
        case _:
            return None


def _of_table(table: ast.Tuple, known: dict[str, str]) -> Iterator[SetUpRefused]:
    """Yield the refusals of a table of error, code, safety and next step."""
    for line in table.elts:
        if isinstance(line, ast.Tuple) and len(line.elts) == len(_PARTS):
            code, safe, then = (_text(each, known) or "" for each in line.elts[1:])
            yield SetUpRefused(code, "It is so.", safe, then)


def _refusals() -> Iterator[SetUpRefused]:
    """Yield what the sources refuse with, each once."""
    for source in SOURCES:
        tree = ast.parse(source.read_text())
        known = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Tuple):
                yield from _of_table(node.value, known)
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in _MADE_BY:
                continue
            given = dict(zip(_PARTS, node.args, strict=False))
            given |= {word.arg: word.value for word in node.keywords if word.arg}
            parts = {name: _text(value, known) for name, value in given.items()}
            if parts.get("code"):
                yield SetUpRefused(*(parts.get(name) or "It is so." for name in _PARTS))


REFUSALS = {refused.code: refused for refused in _refusals()}

Place = tuple[Step, type[m.Question]]
_PIN: Place = (Step.PIN, m.MakeKeys)
_ENTRY: Place = (Step.INVITATION, m.FinishMember)
_READ: Place = (Step.INVITATION, m.ReadEntries)
_OPEN: Place = (Step.COMPARISON, m.OpenVault)
_KEEP: Place = (Step.NAME, m.KeepDraft)
_TEST: Place = (Step.ADDRESS, m.TestAddress)
_CHAIN: Place = (Step.CHAINS, m.TestChain)
_THROWN = "throw"
_TRIAL = "trial"
PLACES: dict[str, Place | str] = {
    "chain-unavailable": _CHAIN,
    "demonstration-failed": _TRIAL,
    "demonstration-not-ours": _TRIAL,
    "demonstration-not-started": _TRIAL,
    "demonstration-runs-on": _TRIAL,
    "entry-changed": _OPEN,
    "entry-twice": _OPEN,
    "entry-unreadable": _READ,
    "file-error": _KEEP,
    "is-founder": _OPEN,
    "key-check-failed": _PIN,
    "kms-failed": _PIN,
    "kms-insufficient": _PIN,
    "kms-unfinished": _PIN,
    "last-try": _PIN,
    "no-demonstration": _TRIAL,
    "no-founders": _OPEN,
    "no-others": _OPEN,
    "no-token": _PIN,
    "not-finished": _OPEN,
    "not-proper": _KEEP,
    "pin-locked": _PIN,
    "pin-needed": _THROWN,
    "question-unreadable": _KEEP,
    "set-up-busy": _PIN,
    "set-up-died": _TEST,
    "set-up-not-started": _TEST,
    "set-up-over": _PIN,
    "set-up-refused": _ENTRY,
    "set-up-timeout": _CHAIN,
    "set-up-too-long": _READ,
    "set-up-unfinished": _PIN,
    "set-up-unproven": _PIN,
    "set-up-unreadable": _KEEP,
    "test-token": _ENTRY,
    "token-error": _PIN,
    "token-insufficient": _PIN,
    "token-missing": _PIN,
    "token-taken": _PIN,
    "too-many-drafts": _KEEP,
    "unavailable": _KEEP,
    "unexpected": _OPEN,
    "unproven-token": _ENTRY,
    "wrong-pin": _PIN,
}


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


def require_words(problem: SetUpRefused | Problem) -> None:
    """Check that the words say what happened, what is safe, and what to do, and nothing inner."""
    for text in (problem.what, problem.safe, problem.next_step):
        assert text[:1].isupper() or text.startswith(_SAMPLE), text
        assert text.endswith((".", "?")), text
        assert not any(word in text.lower() for word in _INNER), text
    assert any(word in problem.safe.lower() for word in _SAFE), problem.safe
    first_word = problem.next_step.split()[0].strip(",").lower()
    assert first_word in _NEXT, problem.next_step


def require_shown(first: FirstRun, banner: QWidget, refused: SetUpRefused | Problem) -> None:
    """Check that a banner has all words and the code, whole, and covers no control."""
    assert isinstance(banner, Banner)
    first.pass_time(0.03)
    assert banner.title.text() == refused.what
    for part in (refused.safe, refused.next_step, refused.code):
        assert part in banner.detail.text()
    for label in (banner.title, banner.detail):
        assert label.height() >= label.heightForWidth(label.width())
    own = QRect(banner.mapTo(first.window, QPoint()), banner.size())
    assert not banner.visibleRegion().isEmpty()
    for kind in (QAbstractButton, QLineEdit, QPlainTextEdit):
        for control in first.window.findChildren(kind):
            if control.visibleRegion().isEmpty() or banner.isAncestorOf(control):
                continue
            place = QRect(control.mapTo(first.window, QPoint()), control.size())
            assert not own.intersects(place), control.objectName()


def test_every_refusal_of_the_sources_has_its_place():
    assert set(PLACES) == set(REFUSALS)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_the_words_say_what_happened_what_is_safe_and_what_to_do(code):
    require_words(REFUSALS[code])


def typed(first: FirstRun) -> dict[str, str]:
    """Return what stands in the fields; a PIN is never kept."""
    page = first.page
    lines = {f.objectName(): f.text() for f in page.findChildren(QLineEdit)}
    areas = {f.objectName(): f.toPlainText() for f in page.findChildren(QPlainTextEdit)}
    pins = {field.objectName() for field in page.findChildren(PinField)}
    return {name: text for name, text in (lines | areas).items() if name not in pins}


def _name(first: FirstRun) -> None:
    first.page.name.setText("Ana Ruiz III")
    first.page.name.textEdited.emit("Ana Ruiz III")
    first.next()


def _pin(first: FirstRun) -> None:
    first.page.pin.setText(setting_up.PIN)
    first.next()


def _address(first: FirstRun) -> None:
    first.page.listen.setText("192.0.2.77:7000")
    first.press(names.ADDRESS_TEST)


def _chain(first: FirstRun) -> None:
    first.press(f"{names.CHAINS_USE}.bitcoin")
    first.find(f"{names.CHAINS_URL}.bitcoin.1").setText("http://192.0.2.9:8332")
    first.press(f"{names.CHAINS_TEST}.bitcoin")


def _read(first: FirstRun) -> None:
    first.page.paste.setPlainText("{not an entry")
    first.press(names.INVITATION_ADD)


def _open(first: FirstRun) -> None:
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    first.press(names.WIZARD_NEXT)


ACTS: dict[Place, Callable[[FirstRun], None]] = {
    _KEEP: _name,
    _PIN: _pin,
    _TEST: _address,
    _CHAIN: _chain,
    _ENTRY: lambda first: None,
    _READ: _read,
    _OPEN: _open,
}


@pytest.mark.parametrize("code", sorted(code for code in PLACES if PLACES[code] in ACTS))
def test_a_page_shows_its_refusal_and_loses_nothing_that_was_typed(first, fake, code):
    step, kind = place = PLACES[code]
    if place != _ENTRY:
        first.resume(draft(step))
    fake.refusals[kind] = REFUSALS[code]
    if place == _ENTRY:
        first.resume(draft(step))
    ACTS[place](first)
    first.until(first.page.refusal.isVisible)
    before = typed(first)
    require_shown(first, first.page.refusal, REFUSALS[code])
    assert first.wizard.step is step
    assert typed(first) == before
    if place == _KEEP:
        assert before[names.NAME_NAME] == "Ana Ruiz III"
    elif place == _READ:
        assert before[names.INVITATION_PASTE] == "{not an entry"
    elif place == _TEST:
        assert before[names.ADDRESS_LISTEN] == "192.0.2.77:7000"
    elif place == _CHAIN:
        assert before[f"{names.CHAINS_URL}.bitcoin.1"] == "http://192.0.2.9:8332"
    elif place == _OPEN:
        assert all(tick.isChecked() for tick in first.page.ticks.values())
    fake.refusals.clear()


@pytest.mark.parametrize("code", sorted(code for code in PLACES if PLACES[code] == _TRIAL))
def test_a_demonstration_that_is_refused_says_so(first, fake, code):
    fake.refusals[m.MakeTrial] = REFUSALS[code]
    first.press(names.START_TRY)
    first.until(first.window.progress.refusal.isVisible)
    require_shown(first, first.window.progress.refusal, REFUSALS[code])


@pytest.mark.parametrize(
    "code", ["pin-needed", "wrong-pin", "demonstration-runs-on", "token-error"]
)
def test_what_cannot_be_thrown_away_says_so(first, fake, code):
    fake.drafts["ana-ruiz"] = draft(5 if code in {"wrong-pin", "token-error"} else 3)
    fake.refusals[m.Discard] = REFUSALS[code]
    first.window.show_start()
    first.until(lambda: not first.window.looking.running)
    first.press(f"{names.START_THROW}.ana-ruiz")
    sheet = first.window.throw_sheet
    if not sheet.pin.isHidden():
        sheet.pin.setText("1")
    first.press(f"{names.THROW_SHEET}.confirm")
    first.until(sheet.refusal.isVisible)
    first.pass_time(0.03)
    detail = sheet.refusal.detail.text()
    assert REFUSALS[code].safe in detail
    assert REFUSALS[code].next_step in detail
    fake.refusals.clear()


@pytest.mark.parametrize("damaged", [True, False])
def test_a_folder_that_is_no_home_says_so(first, tmp_path, damaged):
    home = tmp_path / "members"
    (home / "ana").mkdir(parents=True)
    if damaged:
        (home / "ana" / "profile.json").write_text("{")
    problem = homes.open_folder(home).problem
    assert problem is not None
    require_words(problem)
    first.window.start.show_problem(problem)
    require_shown(first, first.window.start.problem, problem)
