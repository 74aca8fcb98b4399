"""boto3 is imported when a vault first asks KMS, and not by those that have a token or a window."""

import subprocess
import sys
from pathlib import Path

import pytest

from console.application.errors import HsmError
from hsm.kms import connect
from hsm.kms.calls import CallTimes
from hsm.kms.place import KmsPlace
from tests.architecture.sources import ROOT

START = """
import sys
from pathlib import Path
from console import bootstrap, cli, provisioning
from console.domain.ids import MemberId
from hsm.kms import KmsPlace, KmsSettings, KmsVault

arn = "arn:aws:kms:eu-central-1:111122223333:key/12345678-90ab-cdef-1234-567890abcde"
place = KmsPlace(region="eu-central-1", sealing_key=arn + "1", identity_key=arn + "2")
KmsVault(KmsSettings(place=place, folder=Path("."), member=MemberId("alice")))
print(sorted({"boto3", "botocore", "hsm.kms.client"} & set(sys.modules)))
"""


def test_nothing_of_boto3_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name, name="boto3")

    monkeypatch.setattr(connect.importlib, "import_module", missing)
    with pytest.raises(HsmError, match=r"boto3 is not installed.*`kms` extra"):
        connect.connect(KmsPlace(region="eu-central-1"), CallTimes())
