"""Libraries are found by table, by p11-kit and by name; a stalled one does not hide the others."""

import itertools
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest

from console.application.errors import TokenMissing
from console.client.set_up.messages import (
    CheckToken,
    ModuleSeen,
    TokenChoice,
    TokenKind,
    TokensSeen,
    WatchTokens,
)
from console.set_up import modules, tokens


def file(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_libraries_are_those_named_then_those_found(tmp_path: Path) -> None:
    named, known = file(tmp_path, "named.so"), file(tmp_path, "known.so")
    module = file(tmp_path, "kit.so")
    file(tmp_path, "kit/a.module", f"# a comment\nmodule: {module}\npriority: 1\n")
    file(tmp_path, "kit/b.module", f"module: {file(tmp_path, 'trust.so')}\ntrust-policy: yes\n")
    file(tmp_path, "kit/c.module", "module: /nowhere.so\n")
    file(tmp_path, "kit/d.module", "module:\n")
    file(tmp_path, "kit/e.module", "no colon")
    file(tmp_path, "kit/f.module", f"# module: {named}")
    file(tmp_path, "kit/g.txt", f"module: {tmp_path / 'trust.so'}")
    (tmp_path / "kit/h.module").write_bytes(b"module: \xff")
    found = modules.find_modules(
        (str(named), "/absent.so", ""), (known, Path("/absent-too.so")), (tmp_path / "kit",)
    )
    assert found == (named, Path("/absent.so"), known, module)


def test_two_names_of_one_library_are_one(tmp_path: Path) -> None:
    known = file(tmp_path, "known.so")
    link = tmp_path / "link.so"
    link.symlink_to(known)
    assert modules.find_modules((str(link),), (known,), ()) == (link,)


def test_a_relative_library_is_looked_for_where_p11_kit_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "RELATIVE_TO", (tmp_path / "none", tmp_path / "lib"))
    there = file(tmp_path, "lib/soft.so")
    file(tmp_path, "kit/a.module", "module: soft.so\n")
    assert modules.find_modules((), (), (tmp_path / "kit",)) == (there,)


def test_libraries_are_bounded(tmp_path: Path) -> None:
    known = tuple(file(tmp_path, f"{number}.so") for number in range(50))
    assert len(modules.find_modules((), known, ())) == modules.MAX_MODULES


def test_a_file_that_is_no_library_says_so(tmp_path: Path) -> None:
    assert tokens.look_once("/absent.so").problem == "there is no such file"
    broken = tokens.look_once(str(file(tmp_path, "broken.so", "no library")))
    assert broken.problem
    assert broken.tokens == ()


@pytest.mark.parametrize("choice", [("", "label"), ("/absent.so", "")])
def test_no_choice_is_no_token(choice: tuple[str, str]) -> None:
    module, label = choice
    with pytest.raises(TokenMissing):
        tokens.require_token(TokenChoice(kind=TokenKind.PKCS11, module=module, label=label))


def test_files_need_a_passphrase_only(tmp_path: Path) -> None:
    checked = tokens.check_token(tmp_path, CheckToken(token=TokenChoice(kind=TokenKind.FILE)))
    assert [row.fits for row in checked.rows] == [True]


class Stopped(Exception):
    """The watch has told what was waited for."""


def say(pipe: Connection, module: str, problem: str = "") -> None:
    seen = ModuleSeen(module=module, maker="maker", tokens=(), problem=problem)
    pipe.send_bytes(msgspec.json.encode(seen))


def behave(module: str, pipe: Connection, _parent: int) -> None:
    """Look into a library as its name says."""
    match Path(module).stem:
        case "stalled":
            time.sleep(1000)
        case "crashing":
            raise SystemExit(1)
        case "babbling":
            pipe.send_bytes(b"no message")
            time.sleep(1000)
        case "changing":
            say(pipe, module)
            say(pipe, module, "something else")
            time.sleep(1000)
        case _:
            while True:
                say(pipe, module)
                time.sleep(0.01)


@pytest.fixture
def watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[tuple[str, ...], Callable[[dict[str, str]], bool]], list[TokensSeen]]:
    """Return a function that watches libraries until their problems are as they are waited for."""
    monkeypatch.setattr(tokens, "look_again", behave)
    monkeypatch.setattr(tokens, "SILENT_S", 1.0)
    monkeypatch.setattr(tokens, "SETTLE_S", 0.2)
    monkeypatch.setattr(modules, "KNOWN", ())

    def run(names: tuple[str, ...], enough: Callable[[dict[str, str]], bool]) -> list[TokensSeen]:
        told: list[TokensSeen] = []

        def tell(seen: TokensSeen) -> None:
            told.append(seen)
            if enough({Path(each.module).stem: each.problem for each in seen.modules}):
                raise Stopped

        named = tuple(str(file(tmp_path, f"{name}.so")) for name in names)
        with pytest.raises(Stopped):
            tokens.watch(WatchTokens(modules=named), tell)
        return told

    return run


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("stalled", "did not answer"),
        ("crashing", "ended its process"),
        ("babbling", "ended its process"),
    ],
)
def test_a_library_at_fault_does_not_hide_the_others(watch, name: str, problem: str) -> None:
    told = watch((name, "good"), lambda seen: problem in seen[name])
    last = {Path(each.module).stem: each for each in told[-1].modules}
    assert last["good"].problem == ""
    assert last["good"].maker == "maker"


def test_what_is_not_changed_is_not_told_again(watch) -> None:
    told = watch(("changing", "good"), lambda seen: seen["changing"] == "something else")
    assert all(one != other for one, other in itertools.pairwise(told))
    assert len(told) <= 3
