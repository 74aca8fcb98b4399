"""Runs of several protocols: one column for each, and trouble shows first."""

import pytest

from console.application.queries.sessions import joined, spans
from console.application.sessions.protocol_session import SubProtocol, concatenate
from console.application.views import StepState

FROST = SubProtocol("EdDSA", ("Commit", "Sign", "Confirm"))
DKLS = SubProtocol("ECDSA", ("Commit", "Multiply", "Sign", "Confirm"))


def test_the_next_protocol_carries_the_echo_of_the_one_before() -> None:
    parts = concatenate([DKLS, FROST])
    assert [len(part.rounds) for part in parts] == [3, 3]
    assert concatenate([FROST]) == (FROST,)
    assert spans(parts) == [(1, 3), (4, 6)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([StepState.DONE, StepState.DONE], StepState.DONE),
        ([StepState.SENT, StepState.SENT], StepState.SENT),
        ([StepState.NOT_STARTED] * 2, StepState.NOT_STARTED),
        ([StepState.DONE, StepState.NOT_STARTED], StepState.WAITING),
        ([StepState.DONE, StepState.RECEIVED], StepState.WAITING),
        ([StepState.DONE, StepState.LATE, StepState.NOT_STARTED], StepState.LATE),
        ([StepState.LATE, StepState.FAILED], StepState.FAILED),
    ],
)
def test_of_several_rounds_the_worst_news_counts(
    states: list[StepState], expected: StepState
) -> None:
    assert joined(states) is expected
