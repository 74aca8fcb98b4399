"""Values of many fields are built by name: a swapped pair would type-check and move money."""

import dataclasses
import importlib
import inspect

import msgspec
import pytest

from tests.architecture.sources import sources

MOST_BY_PLACE = 3
VALUES = (
    "console.domain.events",
    "console.domain.request_commands",
    "console.domain.ceremony_commands",
    "console.domain.member",
    "console.domain.transaction",
    "console.application.api",
    "console.application.commands",
    "console.application.peers.messages",
    "console.application.peers.statements",
    "console.application.ports.chain",
    "console.application.views",
)


def _kinds() -> list[type]:
    return [
        kind
        for source in sources(("console",))
        if source.name.startswith(VALUES)
        for kind in vars(importlib.import_module(source.name)).values()
        if isinstance(kind, type)
        and kind.__module__ == source.name
        and (dataclasses.is_dataclass(kind) or issubclass(kind, msgspec.Struct))
    ]


def _by_place(kind: type) -> int:
    parameters = inspect.signature(kind).parameters.values()
    return sum(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters)


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_many_fields_are_given_by_name(kind: type) -> None:
    assert _by_place(kind) <= MOST_BY_PLACE


def test_events_commands_intents_and_messages_are_looked_at() -> None:
    names = {kind.__name__ for kind in _kinds()}
    assert {"RequestProposed", "ProposeTransfer", "TransferIntent", "Readiness"} <= names


@dataclasses.dataclass
class _Pairs:
    a: int
    b: int
    c: int
    d: int


def test_a_value_of_four_fields_by_place_is_found() -> None:
    assert _by_place(_Pairs) > MOST_BY_PLACE
