"""How several nodes' answers become one, whatever it is that they answer."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.rpc.agreement import agreed, answers, ask_all, first, taken
from console.application.errors import ChainUnavailable, SourcesDisagree

AWAY = ChainUnavailable("away")
OTHERWISE = "they differ"


class Refused(Exception):
    """A node understood and declined."""


NO, NEVER = Refused("no"), Refused("never")


def test_what_all_tell_counts() -> None:
    assert agreed([7], OTHERWISE) == 7
    assert agreed([None, None], OTHERWISE, Refused) is None
    assert answers([7, 8], Refused) == [7, 8]


@pytest.mark.parametrize("told", [[7, 8], [7, None], [7, NO], [NO, 7], [7, 7, NO]])
def test_what_differs_is_a_disagreement(told: list[object]) -> None:
    with pytest.raises(SourcesDisagree, match=OTHERWISE):
        agreed(told, OTHERWISE, Refused)


def test_what_all_refuse_is_refused() -> None:
    with pytest.raises(Refused, match="no"):
        agreed([NO, NEVER], OTHERWISE, Refused)
    with pytest.raises(Refused, match="no"):
        answers([7, NO, NEVER], Refused)


@pytest.mark.parametrize("told", [[AWAY], [7, AWAY], [NO, AWAY], [7, 8, AWAY], [AWAY, NO]])
def test_trouble_comes_before_everything_else(told: list[object]) -> None:
    with pytest.raises(ChainUnavailable, match="away"):
        agreed(told, OTHERWISE, Refused)
    with pytest.raises(ChainUnavailable, match="away"):
        answers(told, Refused)


def test_without_a_kind_of_refusal_the_first_exception_counts() -> None:
    with pytest.raises(Refused):
        agreed([NO, AWAY], OTHERWISE)
    with pytest.raises(ChainUnavailable):
        answers([AWAY, NO])


def test_one_that_takes_it_is_enough() -> None:
    assert taken([AWAY, NO, "id", "other"], Refused) == "id"
    with pytest.raises(Refused, match="no"):
        taken([AWAY, NO, NEVER], Refused)
    with pytest.raises(ChainUnavailable):
        taken([AWAY, AWAY], Refused)


async def test_the_first_that_answers_is_the_last_that_is_asked() -> None:
    asked: list[int] = []

    def question(number: int, answer: object):
        async def ask() -> object:
            asked.append(number)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    def questions(*told: object):
        return [question(number, each) for number, each in enumerate(told)]

    assert await first(questions(AWAY, NO, "id", "never"), Refused) == "id"
    assert asked == [0, 1, 2]
    with pytest.raises(Refused, match="never"):
        await first(questions(NO, NEVER, AWAY), Refused)
    with pytest.raises(ChainUnavailable, match="away"):
        await first(questions(AWAY), Refused)
    asked.clear()
    with pytest.raises(LookupError):
        await first(questions(AWAY, LookupError(), "id"), Refused)
    assert asked == [0, 1]


async def test_all_are_asked_at_the_same_time() -> None:
    together = asyncio.Barrier(3)

    async def ask(answer: object) -> object:
        await together.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with asyncio.timeout(5):
        told = await ask_all(map(ask, (7, AWAY, 8)))
    assert told == [7, AWAY, 8]


TOLD = st.lists(st.sampled_from([1, 2, NO, NEVER, AWAY]), min_size=1, max_size=5)


@given(told=TOLD)
def test_nothing_counts_that_one_node_did_not_tell(told: list[object]) -> None:
    with contextlib.suppress(Refused, ChainUnavailable):
        value = agreed(told, OTHERWISE, Refused)
        assert all(each == value for each in told)
