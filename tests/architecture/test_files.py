"""What is tracked: a lock that pins every byte, and nothing that names one machine."""

import re
import subprocess
import tomllib

from console.version import VERSION
from tests.architecture.sources import ROOT
from ui.screens.settings.licences import LICENCES

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==[\w.+!]+( ; [\w '\"!=<>.()]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
MACHINE = re.compile(
    r"/(?:work|home|root|Users|mnt|workspace)/[\w.-]+|/tmp/(?!\{)[\w.-]+"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}:\d+/simple|index-url|extra-index|\b[\w.-]*(?:artifactory|nexus)\b"
)
MAX_TEXT = 2_000_000


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_lock_pins_every_package_by_hash_and_names_no_place() -> None:
    hashes: dict[str, int] = {}
    current = ""
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        if line.startswith("    "):
            assert HASH.match(line), line
            hashes[current] += 1
        else:
            pinned = PINNED.match(line)
            assert pinned, line
            current = pinned.group(1)
            assert current not in hashes, f"{current} is pinned twice"
            hashes[current] = 0
    assert len(hashes) > 40
    assert [name for name, count in hashes.items() if count == 0] == []


def test_every_dependency_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    locked = {
        re.sub(r"[-_.]+", "-", name).lower()
        for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    }
    declared = re.findall(
        r'^    "([A-Za-z0-9_.-]+)(?:==|>=)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert len(declared) > 20
    missing = {re.sub(r"[-_.]+", "-", name).lower() for name in declared} - locked
    assert missing == set()


def test_the_window_names_every_package_that_the_product_installs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = LICENCES.casefold()
    # Parts of Qt and of PySide6 are named as the whole.
    names = {re.split("[=<>_]", entry)[0].casefold() for entry in project["dependencies"]}
    assert len(names) > 20
    assert {name for name in names - {"shiboken6"} if name not in text} == set()


def test_no_tracked_file_names_a_machine() -> None:
    found = []
    for name in _tracked():
        data = (ROOT / name).read_bytes()
        if name == "tests/architecture/test_files.py" or b"\0" in data or len(data) > MAX_TEXT:
            continue
        found += [
            f"{name}:{number}: {match.group()}"
            for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1)
            for match in MACHINE.finditer(line)
        ]
    assert found == []


def test_nothing_that_is_built_or_secret_is_tracked() -> None:
    built = re.compile(
        r"(^|/)(build|dist|__pycache__|\.venv)/|\.(pyc|db|key|pem|p12|pfx|so|deb|whl)$"
    )
    assert [name for name in _tracked() if built.search(name)] == []


def test_the_version_that_peers_tell_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
