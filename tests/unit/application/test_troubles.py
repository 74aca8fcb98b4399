"""Reasons why something has not begun: the newest of each, within bounds, plain to read."""

from console.application.sagas.troubles import MAX_TROUBLES, Troubles
from console.domain.text import is_plain
from console.domain.values import MAX_REASON


def test_the_newest_reason_counts_until_it_is_cleared() -> None:
    moved: list[str] = []
    troubles = Troubles(moved.append)
    assert troubles.of("rq-1") == ""
    troubles.note("rq-1", "ben does not answer.")
    troubles.note("rq-1", "ben does not answer.")
    assert troubles.of("rq-1") == "ben does not answer"
    troubles.note("rq-1", "chiara does not answer")
    assert troubles.of("rq-1") == "chiara does not answer"
    troubles.clear("rq-1")
    troubles.clear("rq-1")
    assert troubles.of("rq-1") == ""
    # Whoever looks is told once of each.
    assert moved == ["rq-1"] * 3


def test_what_a_peer_says_is_short_and_plain() -> None:
    troubles = Troubles(lambda _subject: None)
    troubles.note("rq-1", "ben: \u202e" + "x" * 10_000)
    assert len(troubles.of("rq-1")) <= MAX_REASON
    assert is_plain(troubles.of("rq-1"))


def test_the_oldest_reason_gives_way() -> None:
    troubles = Troubles(lambda _subject: None)
    for number in range(MAX_TROUBLES):
        troubles.note(f"rq-{number}", "away")
    troubles.note("rq-0", "still away")
    troubles.note("rq-new", "away")
    assert troubles.of("rq-0") == "still away"
    assert troubles.of("rq-1") == ""
