"""Each import contract fires: a violation of it is planted in a copy of the tree."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.api import read_configuration

from tests.architecture.sources import PACKAGES, ROOT

LINT = Path(sys.executable).parent / "lint-imports"
PLANTS = (
    ("layers", "console/domain/values.py", "from console.application import errors"),
    ("layers", "console/application/errors.py", "from console.adapters import clock"),
    ("layers", "console/adapters/clock.py", "from console import bootstrap"),
    ("layers", "console/bootstrap.py", "from console import provisioning"),
    ("layers", "console/provisioning/members.py", "from console import cli"),
    ("layers", "console/provisioning/members.py", "from console.set_up import drafts"),
    ("layers", "console/set_up/drafts.py", "from console import cli"),
    ("layers", "console/demo/__init__.py", "from console import cli"),
    ("layers", "console/domain/wallet.py", "from console.protocols.math import group"),
    ("layers", "console/protocols/math/group.py", "from console.domain import ids"),
    ("domain", "console/domain/ids.py", "import msgspec"),
    ("domain", "console/domain/ids.py", "import time"),
    ("domain", "console/domain/ids.py", "from console import settings"),
    ("protocols", "console/protocols/frost/run.py", "from console.domain.ids import MemberId"),
    ("protocols", "console/protocols/kernel/session.py", "import asyncio"),
    ("tlog", "console/tlog/tree.py", "from console.domain import ids"),
    ("tlog", "console/tlog/note.py", "import time"),
    ("protocol-strata", "console/protocols/keygen/dkg.py", "from console.protocols import frost"),
    ("protocol-strata", "console/protocols/kernel/abort.py", "from console.protocols import math"),
    (
        "keygen-surface",
        "console/protocols/frost/signing.py",
        "from console.protocols.keygen import dkg",
    ),
    ("application", "console/application/core/__init__.py", "from console.adapters import clock"),
    ("application", "console/application/node.py", "import grpc"),
    ("application", "console/application/node.py", "from console.sealing import pin_backoff"),
    ("application", "console/application/aggregates.py", "import pathlib"),
    (
        "rooms",
        "console/application/core/__init__.py",
        "from console.application.queries import wallets",
    ),
    (
        "rooms",
        "console/application/signing/drills.py",
        "from console.application.ceremonies import epochs",
    ),
    ("sealing", "console/sealing/pin_backoff.py", "from console.application import core"),
    ("sealing", "console/sealing/pin_backoff.py", "from console.protocols.frost import run"),
    ("adapters", "console/adapters/clock.py", "from console import settings"),
    ("hsm", "hsm/vault.py", "from console.adapters import clock"),
    ("hsm", "hsm/vault.py", "from console import settings"),
    ("hsm-importers", "console/cli.py", "from hsm import vault"),
    ("hsm-importers", "ui/app.py", "from hsm import vault"),
    ("client", "console/client/remote.py", "from console.application import errors"),
    ("client", "console/client/remote.py", "from console.domain import ids"),
    ("client", "console/client/set_up/process.py", "from console.set_up import drafts"),
    ("ui", "ui/app.py", "from console.application import core"),
    ("ui", "ui/app.py", "from console.domain import wallet"),
    ("ui", "ui/app.py", "from console.protocols.kernel.secret import SecretBytes"),
    ("ui-importers", "console/cli.py", "from ui import app"),
    ("screens", "ui/screens/audit/view.py", "from ui.screens.wallets import view_model"),
    (
        "devnet",
        "console/devnet/solana/node.py",
        "from console.adapters.chains.solana import message",
    ),
    ("rpc", "console/adapters/rpc/sources.py", "from console.adapters.chains import solana"),
    ("devnet-chains", "console/devnet/solana/node.py", "from console.devnet.bitcoin import index"),
    ("devnet-packages", "console/adapters/rpc/json_rpc.py", "import rlp"),
    ("devnet-packages", "console/cli.py", "import eth_tester"),
    ("kms-packages", "hsm/kms/vault.py", "import boto3"),
    ("kms-packages", "console/provisioning/cloud.py", "from botocore import exceptions"),
    ("cycles", "console/application/views/view.py", "from console.application import api"),
)
SECOND_CHAIN = "chains"


def _contracts() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {c["id"]: c["name"] for c in settings["tool"]["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            copy / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if not (name.endswith(".py") or (Path(folder, name).is_dir() and name[0] != "_"))
            ],
        )
    return copy


def _lint(tree: Path) -> tuple[int, str]:
    result = subprocess.run(
        [LINT, "--no-cache", "--no-logo"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, " ".join((result.stdout + result.stderr).split())


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    status, said = _lint(tree)
    assert status == 0, said
    assert f"Contracts: {len(_contracts())} kept, 0 broken" in said


def test_each_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTS} | {SECOND_CHAIN} == set(_contracts())
    assert len(read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]) == len(
        _contracts()
    )


@pytest.mark.parametrize(("contract", "file", "line"), PLANTS)
def test_a_violation_is_named(tree: Path, contract: str, file: str, line: str) -> None:
    target = tree / file
    before = target.read_text()
    target.write_text(f"{before}\n{line}\n")
    try:
        status, said = _lint(tree)
    finally:
        target.write_text(before)
    assert status == 1, said
    assert f"{_contracts()[contract]} BROKEN" in said


def test_a_chain_that_borrows_from_another_is_named(tree: Path) -> None:
    chain = tree / "console/adapters/chains/other"
    chain.mkdir()
    (chain / "__init__.py").write_text("from console.adapters.chains.solana import message\n")
    try:
        status, said = _lint(tree)
    finally:
        shutil.rmtree(chain)
    assert status == 1, said
    assert f"{_contracts()[SECOND_CHAIN]} BROKEN" in said
