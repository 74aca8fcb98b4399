"""`quorate demo`, as a new user runs it: the whole story in the window, with its pictures."""

import json
import subprocess
import sys

import pytest
from PySide6.QtGui import QImage

pytestmark = [pytest.mark.e2e, pytest.mark.hsm, pytest.mark.timeout(960)]


def test_the_demonstration_runs_to_its_end(tmp_path):
    out = tmp_path / "demo"
    outcome = subprocess.run(
        [sys.executable, "-m", "console.cli", "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said = outcome.stdout + outcome.stderr
    assert outcome.returncode == 0, f"ended with {outcome.returncode}\n{said}"
    assert outcome.stdout.rstrip().endswith("demo: OK"), said
    report = json.loads((out / "report.json").read_text())
    assert report["ok"]
    assert report["attempts"] == 2
    assert report["killed"] in {"ben", "chiara"}
    assert len(report["transaction_id"]) >= 80
    paid = report["transactions"]
    assert set(paid) == {"ether", "erc20", "segwit", "taproot", "nonce", "durable", "spl"}
    assert all(paid[name].startswith("0x") for name in ("ether", "erc20"))
    assert all(len(paid[name]) == 64 for name in ("segwit", "taproot"))
    assert all(len(paid[name]) >= 80 for name in ("nonce", "durable", "spl"))
    assert set(report["ledger_heads"]) == {"ana", "ben", "chiara", "dora", "eli"}
    kinds = ["ecdsa-secp256k1", "schnorr-bip340", "eddsa-ed25519"]
    assert [step["epoch"] for step in report["proved"]] == [0, 1, 2, 3]
    assert all(step["kinds"] == kinds for step in report["proved"])
    assert [len(step["custodians"]) for step in report["proved"]] == [3, 3, 3, 5]
    assert {name.rpartition("-")[2] for name in report["screenshots"]} == {"light.png", "dark.png"}
    for name in report["screenshots"]:
        picture = QImage(str(out / name))
        assert (picture.width(), picture.height()) == (1440, 900), name
        grid = ((x, y) for x in range(0, 1440, 9) for y in range(0, 900, 9))
        assert len({picture.pixel(x, y) for x, y in grid}) > 2, f"{name} is blank"
