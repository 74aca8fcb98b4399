"""How the answers of several nodes become one: facts count when all tell the same.

The rule of case C116, docs/chains.md. A node's answer is a value, or the exception that the call
ended in. A refusal is the exception of a node that understood and declined; any other exception
is a transport failure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from console.application.errors import ChainUnavailable, SourcesDisagree

T = TypeVar("T")
Told: TypeAlias = T | BaseException
Refusal: TypeAlias = type[Exception] | tuple[()]
"""The exception of a refusal; () where a refusal is trouble as any other."""


async def ask_all(questions: Iterable[Awaitable[T]]) -> list[Told[T]]:
    """Ask all at once; return what each told, in order."""
    return list(await asyncio.gather(*questions, return_exceptions=True))


def answers(told: Sequence[Told[T]], refusal: Refusal = ()) -> list[T]:
    """Return the values if all told one. Raise the first trouble, else the first refusal."""
    values, refusals = _apart(told, refusal)
    if refusals:
        raise refusals[0]
    return values


def agreed(told: Sequence[Told[T]], otherwise: str, refusal: Refusal = ()) -> T:
    """Return what all told alike.

    Raise the first trouble; the first refusal if all refused; else SourcesDisagree with the
    sentence `otherwise`.
    """
    values, refusals = _apart(told, refusal)
    if not values:
        raise refusals[0]
    if refusals or any(value != values[0] for value in values):
        raise SourcesDisagree(otherwise)
    return values[0]


def taken(told: Sequence[Told[T]], refusal: type[Exception]) -> T:
    """Return the first value. Raise the first refusal where none told one, else trouble."""
    failures: list[BaseException] = []
    for each in told:
        if not isinstance(each, BaseException):
            return each
        failures.append(each)
    raise next((each for each in failures if isinstance(each, refusal)), failures[0])


async def first(questions: Iterable[Callable[[], Awaitable[T]]], refusal: Refusal = ()) -> T:
    """Ask one after the other; return the first value.

    Raise the last refusal where none told one, else the last ChainUnavailable; any other trouble
    at once.
    """
    refused: Exception | None = None
    away: Exception = ChainUnavailable("no source answers")
    for ask in questions:
        try:
            return await ask()
        except ChainUnavailable as trouble:
            away = trouble
        except refusal as no:
            refused = no
    raise refused or away


def _apart(told: Sequence[Told[T]], refusal: Refusal) -> tuple[list[T], list[BaseException]]:
    """Return the values and the refusals. Raise the first trouble."""
    values: list[T] = []
    refusals: list[BaseException] = []
    for each in told:
        if not isinstance(each, BaseException):
            values.append(each)
        elif isinstance(each, refusal):
            refusals.append(each)
        else:
            raise each
    return values, refusals
