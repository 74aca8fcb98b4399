"""The exchange of entries: what was sent stays valid, and what was compared is what is written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.client.set_up import messages as m
from console.set_up import exchange, members
from console.set_up.refusing import NotDone
from console.settings import MemberFiles, VaultSettings, entry_line, read_roster, read_settings
from console.unfinished import UnfinishedSetUp
from hsm import Standing

KEY = b"\x04" + bytes(range(64))
CHAIN = m.ChainChoice(chain="ethereum", network="testnet", urls=("http://127.0.0.1:1",))


def draft(member: str = "ana", **changes: object) -> m.Draft:
    plain = m.Draft(
        member=member,
        name=member.title(),
        purpose=m.Purpose.CREATE,
        token=m.TokenChoice(kind=m.TokenKind.FILE),
        listen="127.0.0.1:7600",
    )
    return replace(plain, **changes)


def keys_made(home: Path, member: str = "ana", key: bytes = KEY) -> None:
    unfinished = UnfinishedSetUp(home / member)
    unfinished.begin(VaultSettings(kind="file"))
    unfinished.keys_made(key, Standing.UNPROVEN)


def finished(home: Path, wanted: m.Draft) -> m.Draft:
    made = members.finish(home, m.FinishMember(draft=wanted))
    return replace(wanted, entry=made.entry.line)


def entry_of(home: Path, member: str) -> str:
    keys_made(home, member, KEY[:-8] + member.encode().ljust(8))
    return finished(home, draft(member)).entry


def refusal(home: Path, wanted: m.Draft) -> str:
    with pytest.raises(NotDone) as refused:
        exchange.open_(home, m.OpenVault(draft=wanted))
    assert not MemberFiles(home / wanted.member).roster.exists()
    return refused.value.refused.code


def test_an_entry_that_was_sent_stays_valid(tmp_path: Path) -> None:
    keys_made(tmp_path)
    first = finished(tmp_path, draft())
    tls = MemberFiles(tmp_path / "ana").tls
    keys = {path.name: path.read_bytes() for path in tls.iterdir()}
    again = finished(tmp_path, draft(chains=(CHAIN,)))
    assert again.entry == first.entry
    assert {path.name: path.read_bytes() for path in tls.iterdir()} == keys
    assert len(read_settings(MemberFiles(tmp_path / "ana")).chains) == 1


def another_key(home: Path) -> None:
    unfinished = UnfinishedSetUp(home / "ana")
    unfinished.keys_made(KEY[:-1] + b"\xff", Standing.UNPROVEN)


def without_a_tls_key(home: Path) -> None:
    (MemberFiles(home / "ana").tls / "peer.key").unlink()


def cut_off(home: Path) -> None:
    MemberFiles(home / "ana").entry.write_bytes(b"")


@pytest.mark.parametrize(
    ("changes", "meanwhile"),
    [
        ({"name": "Ana Ruiz"}, None),
        ({"listen": "127.0.0.1:7601"}, None),
        ({}, another_key),
        ({}, without_a_tls_key),
        ({}, cut_off),
    ],
)
def test_an_entry_that_says_another_thing_is_another_and_is_compared_again(
    tmp_path: Path, changes: dict[str, object], meanwhile: Callable[[Path], None] | None
) -> None:
    keys_made(tmp_path)
    ben = entry_of(tmp_path / "b", "ben")
    first = replace(finished(tmp_path, draft()), lines=(ben,))
    if meanwhile is not None:
        meanwhile(tmp_path)
    again = replace(finished(tmp_path, draft(**changes)), lines=(ben,))
    assert again.entry != first.entry
    assert refusal(tmp_path, first) == "entry-changed"
    exchange.open_(tmp_path, m.OpenVault(draft=again))
    assert len(read_roster(MemberFiles(tmp_path / "ana")).members) == 2


def test_an_entry_that_nobody_compared_is_not_written(tmp_path: Path) -> None:
    keys_made(tmp_path)
    ben = entry_of(tmp_path / "b", "ben")
    finished(tmp_path, draft())
    assert refusal(tmp_path, draft(lines=(ben,))) == "entry-changed"


def test_a_replaced_machine_joins_the_vault_of_all_founders(tmp_path: Path) -> None:
    keys_made(tmp_path / "old")
    founders = [finished(tmp_path / "old", draft()).entry]
    founders += [entry_of(tmp_path / name, name) for name in ("ben", "chiara")]
    keys_made(tmp_path, key=KEY[:-1] + b"\xff")
    own = finished(tmp_path, draft(purpose=m.Purpose.JOIN))
    exchange.open_(tmp_path, m.OpenVault(draft=replace(own, lines=tuple(founders))))
    roster = read_roster(MemberFiles(tmp_path / "ana"))
    assert [entry_line(entry) for entry in roster.members] == founders
    assert roster.joining is not None
    assert entry_line(roster.joining) == own.entry
