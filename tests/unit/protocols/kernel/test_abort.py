import pytest

from console.protocols.kernel.abort import (
    AbortKind,
    Accusations,
    ProtocolAbort,
    ban,
    blame,
    freeze,
    retry,
)


def test_aborts_say_who_and_which_check() -> None:
    abort = blame({3, 1}, "share", "does not fit", (b"e",))
    assert str(abort) == "blame by [1, 3]: does not fit"
    assert (abort.kind, abort.culprits, abort.check) == (AbortKind.BLAME, {1, 3}, "share")
    assert abort.evidence == (b"e",)
    assert (ban(2, "ot", "x").kind, ban(2, "ot", "x").culprits) == (AbortKind.BAN, {2})
    assert (retry("late").kind, retry("late").culprits) == (AbortKind.RETRY, frozenset())
    assert str(freeze("sum", "odd")) == "freeze: odd"


def test_accusations_name_everybody_once() -> None:
    accusations = Accusations()
    accusations.raise_if_any()
    accusations.add(4, "b")
    accusations.add(2, "a")
    accusations.add(4, "c")
    assert 4 in accusations
    assert 1 not in accusations
    with pytest.raises(ProtocolAbort) as caught:
        accusations.raise_if_any()
    assert (caught.value.culprits, caught.value.check) == ({2, 4}, "a,b")
