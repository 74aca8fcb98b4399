"""The `quorate` command: what an operator types, and one clear sentence when it cannot be done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.settings import MemberFiles, read_roster

pytestmark = [pytest.mark.e2e, pytest.mark.hsm]

PASSPHRASE = "correct horse battery staple\n"


def quorate(*arguments: str, said: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def set_up(home: Path, *, module: str, said: str) -> subprocess.CompletedProcess:
    return quorate(
        *("init", "--member", "zoe", "--name", "Zoe", "--home", str(home), "--module", module),
        *("--listen", "127.0.0.1:1", "--console", "127.0.0.1:2"),
        said=said,
    )


def test_a_member_is_set_up_once(tmp_path):
    first = set_up(tmp_path, module="softhsm", said="24681357\n13572468\n")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["member"] == "zoe"
    assert "24681357" not in first.stdout + first.stderr
    again = set_up(tmp_path, module="softhsm", said="11112222\n13572468\n")
    assert again.returncode == 0
    assert again.stdout == first.stdout
    assert "already, with its keys and PIN as they were" in again.stderr
    entries = tmp_path / "entries.jsonl"
    entries.write_text(first.stdout)
    assert quorate("roster", str(entries), "--home", str(tmp_path)).returncode == 0
    again = set_up(tmp_path, module="softhsm", said="24681357\n13572468\n")
    assert again.returncode == 1
    assert "already" in again.stderr


def test_a_short_passphrase_is_refused_in_a_sentence(tmp_path):
    outcome = set_up(tmp_path, module="file", said="short\n")
    assert outcome.returncode == 1
    assert outcome.stderr == "quorate: a passphrase has at least 12 bytes\n"


def test_a_member_that_never_unlocked_has_no_ledger_to_verify(tmp_path):
    entry = set_up(tmp_path, module="file", said=PASSPHRASE)
    lines = tmp_path / "entries.jsonl"
    lines.write_text(entry.stdout)
    assert quorate("roster", str(lines), "--home", str(tmp_path)).returncode == 0
    outcome = quorate("verify", "--member", "zoe", "--home", str(tmp_path), said=PASSPHRASE)
    assert outcome.returncode == 1
    assert "no ledger yet" in outcome.stderr
    assert not (tmp_path / "zoe" / "ledger.db").exists()


def test_a_new_machine_joins_with_the_founders_entries(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    lines = tmp_path / "entries.jsonl"
    lines.write_text(set_up(old, module="file", said=PASSPHRASE).stdout)
    assert quorate("roster", str(lines), "--home", str(old)).returncode == 0
    told = quorate("founders", "--member", "zoe", "--home", str(old))
    assert json.loads(told.stdout) == json.loads(lines.read_text())
    founders = tmp_path / "founders.jsonl"
    founders.write_text(told.stdout)
    entry = set_up(new, module="file", said=PASSPHRASE).stdout

    joined = quorate("join", str(founders), "--member", "zoe", "--home", str(new))

    assert joined.returncode == 0, joined.stderr
    assert joined.stdout == entry
    assert joined.stderr.startswith("Code: ")
    roster = read_roster(MemberFiles(new / "zoe"))
    assert [m.identity_key for m in roster.members] != [roster.joining.identity_key]
    # The founders' own machine has nothing to join.
    refused = quorate("join", str(founders), "--member", "zoe", "--home", str(old))
    assert refused.returncode == 1
    assert "nothing to join" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("node", "--member", "nobody"), "is this member set up?"),
        (("verify", "--member", "nobody"), "is this member set up?"),
        (("node", "--member", "No Body!"), "1 to 32 characters"),
        (("join", "nowhere.jsonl", "--member", "nobody"), "nowhere.jsonl cannot be read"),
        (("founders", "--member", "nobody"), "is this member set up?"),
        (("roster", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
        (("verify", "--export", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, arguments, sentence):
    outcome = quorate(*arguments, *(() if "--export" in arguments else ("--home", str(tmp_path))))
    assert outcome.returncode == 1
    assert sentence in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_version_is_told():
    assert quorate("version").stdout.startswith("quorate 0.")
