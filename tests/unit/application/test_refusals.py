"""Every expected failure becomes a complete refusal; anything else stays a bug."""

import pytest

from console.application import errors as adapter_errors
from console.application.api import CommandRefused
from console.application.errors import AdapterError, PinLocked
from console.application.peers.messages import MalformedPeerMessage
from console.application.peers.signed_statements import StatementRefused
from console.application.refusals import EXPECTED, refusal
from console.application.sessions.protocol_session import FailureKind, SessionFailed
from console.domain import errors as domain_errors
from console.domain.errors import DomainError


def family(module: object, base: type[Exception]) -> list[type[Exception]]:
    kinds = vars(module).values()
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, base)]


EVERY = [
    *(kind("why") for kind in family(adapter_errors, AdapterError)),
    *(kind("why") for kind in family(domain_errors, DomainError)),
    PinLocked("why", 8.0),
    MalformedPeerMessage("why"),
    SessionFailed(FailureKind.TIMEOUT, "why"),
    StatementRefused("why"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_every_expected_failure_has_all_its_parts(error: Exception) -> None:
    assert isinstance(error, EXPECTED)
    refused = refusal(error)
    assert refused.what == "Why."
    assert refused.safe
    assert refused.next_step
    assert refused.code == refused.code.lower()
    assert " " not in refused.code


def test_codes_tell_the_families_apart() -> None:
    codes = {type(error).__name__: refusal(error).code for error in EVERY}
    for first, second in (
        ("WrongPin", "PinLocked"),
        ("LedgerCorrupted", "LedgerRolledBack"),
        ("TokenMissing", "KeyCheckFailed"),
        ("InsufficientFunds", "BlockhashExpired"),
    ):
        assert codes[first] != codes[second]
    assert codes["NotYetPossible"] == "not-yet-possible"


def test_a_refusal_stays_itself() -> None:
    refused = CommandRefused("code", "what", "safe", "next")
    assert refusal(refused) is refused


@pytest.mark.parametrize("bug", [ValueError("x"), KeyError("x"), AssertionError()])
def test_a_bug_is_raised_as_it_is(bug: Exception) -> None:
    assert not isinstance(bug, EXPECTED)
    with pytest.raises(type(bug)) as caught:
        refusal(bug)
    assert caught.value is bug
