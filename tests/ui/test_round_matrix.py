"""The round matrix cuts no word, whatever the number of rounds and members and the width."""

import itertools

import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QFontMetrics, QHelpEvent
from PySide6.QtWidgets import QToolTip, QWidget

from console.application import views as v
from console.application.views import RequestStage, StepState
from tests.fakes import scenario
from tests.ui.driving import Driver
from ui.status import STEP
from ui.widgets.round_matrix import RoundMatrix, arrange

TITLES = ("Commit", "Reveal", "Shares", "Confirm", "Key shares", "Consistency check", "Echo", "End")
PEOPLE = {
    "ana": "Ana Ruiz",
    "ben": "Ben Okafor",
    "chiara": "Chiara Neri",
    "dara": "Dara Levi-Montalcini",
    "eli": "Eli Brandt",
    "fay": "Fay Lindqvist",
    "gus": "Konstantinos Papadopoulos",
    "hal": "Wolfeschlegelsteinhausenbergerdorff",
    "ida": "Ida",
}
WIDTHS = [280, 440, 760]
ROUNDS, MEMBERS = range(2, 9), range(2, 10)
STATES = tuple(StepState)


def session(rounds: int, members: int) -> v.ProtocolSessionView:
    people = tuple(PEOPLE)[:members]
    cells = tuple(
        v.CellView(member, number, STATES[(place + number) % len(STATES)])
        for place, member in enumerate(people)
        for number in range(1, rounds + 1)
    )
    titles = (TITLES * (rounds // len(TITLES) + 1))[:rounds]
    return v.ProtocolSessionView(
        **{
            field: getattr(scenario.run("Key generation", titles, 2), field)
            for field in v.ProtocolSessionView.__struct_fields__
        }
        | {"participants": people, "cells": cells}
    )


def check_whole(run: v.ProtocolSessionView, width: int) -> None:
    """Check that each text has room, none overlaps another, and nothing is outside."""
    plan = arrange(run, PEOPLE, width)
    whole = QRectF(0, 0, width, plan.height)
    for text in plan.texts:
        assert "\u2026" not in text.words
        needed = QFontMetrics(text.font).boundingRect(
            QRect(0, 0, int(text.box.width()), 10_000), text.flags, text.words
        )
        assert needed.width() <= text.box.width(), text
        assert needed.height() <= text.box.height(), text
        assert whole.adjusted(-0.01, 0, 0.01, 0).contains(text.box), text
    for one, other in itertools.combinations([text.box for text in plan.texts], 2):
        assert not one.intersects(other)
    seen = " ".join(text.words for text in plan.texts)
    assert all(PEOPLE[member] in seen for member in run.participants)
    assert all(title in seen for title in run.rounds)
    assert all(STEP[cell.state].word in seen for cell in run.cells)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("members", MEMBERS)
def test_no_word_is_cut(qapp, width, rounds, members):
    check_whole(session(rounds, members), width)


def test_words_are_in_the_cells_where_they_fit(qapp):
    assert arrange(session(4, 3), PEOPLE, 760).worded
    assert not arrange(session(8, 3), PEOPLE, 440).worded
    assert arrange(session(8, 3), PEOPLE, 440).marks


def test_a_narrow_cell_says_its_word_in_its_tip_and_to_readers(qapp, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _at, tip, _widget: shown.append(tip))
    holder = QWidget()
    matrix = RoundMatrix()
    matrix.setParent(holder)
    matrix.resize(280, 100)
    matrix.set_run(session(8, 9), PEOPLE)
    assert matrix.plan is not None
    assert matrix.plan.height == matrix.height()
    cell = matrix.plan.cells[0]
    tip = matrix.tip_at(cell.box.center().x(), cell.box.center().y())
    assert tip == f"Ana Ruiz, round 1 Commit: {STEP[cell.state].word}"
    assert tip in matrix.accessibleDescription()
    assert matrix.tip_at(0, 0) == ""
    at = cell.box.center().toPoint()
    qapp.sendEvent(matrix, QHelpEvent(QHelpEvent.Type.ToolTip, at, matrix.mapToGlobal(at)))
    assert shown == [tip]


def test_a_hundred_columns_are_drawn_and_name_the_current_one(qapp):
    holder = QWidget()
    matrix = RoundMatrix()
    matrix.setParent(holder)
    matrix.resize(440, 100)
    matrix.set_run(session(100, 9), PEOPLE)
    assert matrix.plan is not None
    assert any(text.words == "Round 2 of 100: Reveal" for text in matrix.plan.texts)
    assert matrix.grab().height() == matrix.height()


@pytest.mark.parametrize("size", [(960, 540), (1280, 720), (1440, 900)])
@pytest.mark.parametrize("rounds", [4, 8])
def test_a_page_gives_the_matrix_its_height(driver: Driver, rounds, size):
    name = scenario.request_name(RequestStage.SIGNING)
    driver.console.requests[name] = scenario.request(
        stage=RequestStage.SIGNING, run=session(rounds, 9), can_approve=False
    )
    driver.window.resize(*size)
    driver.show("review", name)
    driver.pass_time(0.05)
    matrix = driver.front.findChild(RoundMatrix)
    assert matrix.plan is not None
    assert matrix.height() == matrix.plan.height
    assert matrix.parentWidget().rect().contains(matrix.geometry())
    check_whole(session(rounds, 9), matrix.width())
