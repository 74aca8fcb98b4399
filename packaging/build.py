"""`./run package`: a one-folder bundle, a Debian package of it, their checksums, a smoke test.

With the same sources, interpreter and packages, two builds are meant to be the same bytes: times
come from SOURCE_DATE_EPOCH, by default that of the last commit.
"""

import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "packaging"
OUT = ROOT / "build" / "package"
BUNDLE = OUT / "dist" / "quorate"
PREFIX = Path("opt/quorate")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
DEPENDS = (
    "libc6 (>= 2.34)",
    "libglib2.0-0t64 | libglib2.0-0",
    *("libgl1", "libegl1", "libxkbcommon0", "libfontconfig1", "libdbus-1-3"),
    *("libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0", "libxcb-xkb1"),
    "libxkbcommon-x11-0",
)
RECOMMENDS = ("libwayland-client0", "libwayland-cursor0", "softhsm2")
MAINTAINER = "The Quorate authors <maintainers@quorate.invalid>"
SUMMARY = "custody console with threshold keys and quorum approval"
_SMOKE_TIMEOUT_S = 120


class PackagingFailed(Exception):
    """A step did not give what it should."""


def main() -> int:
    """Build everything into build/package; with `--bundle`, the bundle alone, and try it."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _last_commit_s())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        print("package: bundling")
        bundle(epoch)
        print("package: trying the bundle")
        smoke(version)
        if sys.argv[1:] == ["--bundle"]:
            return 0
        print("package: writing the Debian package")
        package = debian_package(version, epoch)
    except PackagingFailed as failure:
        print(f"package: {failure}", file=sys.stderr)
        return 1
    write_sums([package, *sorted(p for p in BUNDLE.rglob("*") if p.is_file())])
    size = sum(p.stat().st_size for p in BUNDLE.rglob("*") if p.is_file() and not p.is_symlink())
    print(f"package: {package.relative_to(ROOT)} {package.stat().st_size / 1e6:.1f} MB")
    print(f"package: {BUNDLE.relative_to(ROOT)} {size / 1e6:.1f} MB")
    return 0


def bundle(epoch: int) -> None:
    """Run PyInstaller."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "1"}
    # The sources decide, not byte code that lies about.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [
        *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"),
        *("--distpath", str(OUT / "dist"), "--workpath", str(OUT / "work")),
        str(HERE / "quorate.spec"),
    ]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise PackagingFailed("PyInstaller failed")


def smoke(version: str) -> None:
    """See that the binary answers as command line, as node set-up and as window."""
    with tempfile.TemporaryDirectory(prefix="quorate-smoke-") as folder:
        said = _tried(["version"], folder)
        if said.strip() != f"quorate {version}":
            raise PackagingFailed(f"`quorate version` says {said!r}")
        addresses = ["--listen", "127.0.0.1:1", "--console", "127.0.0.1:2"]
        who = ["--member", "ana", "--name", "Ana Ruiz", "--home", folder, "--module", "file"]
        entry = _tried(["init", *who, *addresses], folder, "a long smoke test passphrase\n")
        if json.loads(entry)["member"] != "ana":
            raise PackagingFailed(f"`quorate init` says {entry!r}")
        # The local chains are left out; the command says so instead of failing at an import.
        refused = _tried(["demo"], folder, status=1)
        if "`devnet` extra" not in refused:
            raise PackagingFailed(f"`quorate demo` says {refused!r}")
        _see_kms(folder)
        _see_window(folder)


def _see_kms(folder: str) -> None:
    """See that the client of AWS KMS is there with all that it reads. Raises: PackagingFailed."""
    arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-00000000000"
    keys = ["--sealing-key", f"{arn}1", "--identity-key", f"{arn}2"]
    # Nobody listens there; the call is made, all the same.
    where = ["--region", "eu-central-1", "--endpoint-url", "http://127.0.0.1:1"]
    credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    asked = ["init", "--check", "--module", "kms", *where, *keys, "--home", folder]
    refused = _tried(asked, folder, status=1, more=credentials)
    if "DescribeKey" not in refused or "is not reached" not in refused:
        raise PackagingFailed(f"`quorate init --check --module kms` says {refused!r}")


def _see_window(folder: str) -> None:
    """Open the window on an empty home, and end it. Raises: PackagingFailed."""
    command = [BUNDLE / "quorate", "-m", "ui", "--say-shown", "--home", f"{folder}/empty"]
    with subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True
    ) as window:
        ending = threading.Timer(_SMOKE_TIMEOUT_S, window.kill)
        ending.start()
        said = window.stdout.readline() if window.stdout else ""
        ending.cancel()
        window.terminate()
    if said.strip() != "quorate window shown":
        raise PackagingFailed(f"the window says {said!r}")


def _environment(folder: str) -> dict[str, str]:
    return {"HOME": folder, "PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}


def _tried(
    arguments: list[str],
    folder: str,
    words: str = "",
    status: int = 0,
    more: dict[str, str] | None = None,
) -> str:
    """Run the binary away from the sources, without their Python; return what it says.

    With a status other than 0, that is what it says on standard error. `more` is added to its
    environment.
    """
    done = subprocess.run(
        [BUNDLE / "quorate", *arguments],
        cwd=folder,
        env=_environment(folder) | (more or {}),
        input=words,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SMOKE_TIMEOUT_S,
    )
    if done.returncode != status:
        raise PackagingFailed(
            f"`quorate {arguments[0]}` ended with {done.returncode}:\n{done.stderr}"
        )
    return done.stderr if status else done.stdout


def debian_package(version: str, epoch: int) -> Path:
    """Lay the files out and pack them, every time stamp at most `epoch`."""
    machine = platform.machine()
    if machine not in ARCHITECTURES or shutil.which("dpkg-deb") is None:
        raise PackagingFailed(f"no Debian package is built on {machine} without dpkg-deb")
    architecture = ARCHITECTURES[machine]
    tree = OUT / "deb"
    shutil.copytree(BUNDLE, tree / PREFIX, symlinks=True)
    for source, place in (
        (HERE / "quorate.desktop", "usr/share/applications/quorate.desktop"),
        (HERE / "org.quorate.Quorate.metainfo.xml", "usr/share/metainfo"),
        (HERE / "quorate-node@.service", "usr/lib/systemd/user/quorate-node@.service"),
        (ROOT / "resources/icons/quorate.svg", "usr/share/icons/hicolor/scalable/apps/quorate.svg"),
    ):
        target = tree / place
        target = target if target.suffix else target / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    link = tree / "usr/bin/quorate"
    link.parent.mkdir(parents=True)
    link.symlink_to(f"/{PREFIX}/quorate")
    _write_documentation(tree / "usr/share/doc/quorate", version, epoch)
    files = sorted(p for p in tree.rglob("*") if p.is_file() and not p.is_symlink())
    for path in files:
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    control = tree / "DEBIAN"
    control.mkdir()
    size_kb = sum(path.stat().st_size for path in files) // 1024
    (control / "control").write_text(_control(version, architecture, size_kb))
    (control / "md5sums").write_text(
        "".join(f"{_digest(p, 'md5')}  {p.relative_to(tree)}\n" for p in files)
    )
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    package = OUT / f"quorate_{version}_{architecture}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, package]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    if subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode:
        raise PackagingFailed("dpkg-deb failed")
    shutil.rmtree(tree)
    return package


def write_sums(paths: list[Path]) -> None:
    """Write SHA256SUMS over the package and every file of the bundle."""
    lines = [f"{_digest(path, 'sha256')}  {path.relative_to(OUT)}\n" for path in paths]
    (OUT / "SHA256SUMS").write_text("".join(lines))


def _control(version: str, architecture: str, size_kb: int) -> str:
    return f"""Package: quorate
Version: {version}
Section: utils
Priority: optional
Architecture: {architecture}
Installed-Size: {size_kb}
Depends: {", ".join(DEPENDS)}
Recommends: {", ".join(RECOMMENDS)}
Maintainer: {MAINTAINER}
Description: {SUMMARY}
 Operators run key ceremonies, approve transfers as a quorum and keep a
 hash-chained audit ledger. No private key ever exists in one place: each
 operator's security module seals one share.
"""


def _write_documentation(folder: Path, version: str, epoch: int) -> None:
    folder.mkdir(parents=True)
    when = subprocess.run(
        ["date", "-u", "-R", "-d", f"@{epoch}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    (folder / "copyright").write_text(
        "Quorate. Copyright: The Quorate authors. License: Apache-2.0.\n\n"
        "On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
    )
    entry = f"quorate ({version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
    log = f"{entry} -- {MAINTAINER}  {when}\n".encode()
    (folder / "changelog.gz").write_bytes(gzip.compress(log, 9, mtime=0))


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _last_commit_s() -> str:
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0"


if __name__ == "__main__":
    sys.exit(main())
