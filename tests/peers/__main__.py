"""`./run peers`: builds or fetches PKCS#11 modules of others into build/peers, runs the contract.

Nothing is installed: crates are built in that folder, Debian packages are unpacked there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.peers import FOLDER, KRYOPTIC, PEERS, ROOT

KRYOPTIC_VERSION = "1.5.4"
# The features that OpenSSL 3.0 suffices for.
FEATURES = "minimal,kryoptic-lib/dynamic"
SUITES = ("tests/contract/test_vault.py", "tests/contract/test_share_storage.py")


class Missing(Exception):
    """What a peer needs and this machine lacks."""


def main() -> int:
    """Make what can be made, say what cannot, and run the vault's contract over what is there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    makers: tuple[tuple[str, Callable[[], None]], ...] = (
        ("kryoptic", kryoptic),
        ("p11-kit", lambda: unpacked("p11-kit", "p11-kit-modules", "libp11-kit0")),
        ("opencryptoki", lambda: unpacked("opencryptoki", "libopencryptoki0")),
    )
    for name, make in makers:
        try:
            make()
        except Missing as missing:
            print(f"peers: {name}: {missing}", flush=True)
        else:
            print(f"peers: {name} is here", flush=True)
    chosen = sys.argv[1:] or list(PEERS)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *SUITES]
    return subprocess.run([*command, "-k", " or ".join(chosen)], check=False).returncode


def kryoptic() -> None:
    """Build kryoptic from its crate. Raises: Missing."""
    if KRYOPTIC.exists():
        return
    if shutil.which("cargo") is None:
        raise Missing("cargo is not on PATH")
    if not Path("/usr/include/openssl/opensslv.h").exists():
        raise Missing("the headers of OpenSSL are missing: the Debian package is libssl-dev")
    source = _crate()
    target = FOLDER / "target"
    _run(
        *("cargo", "build", "--release", "--no-default-features", "--features", FEATURES),
        *("--manifest-path", source / "Cargo.toml", "--target-dir", target),
        environment=_with_libclang(),
    )
    shutil.copy(target / "release" / KRYOPTIC.name, KRYOPTIC)


def unpacked(*packages: str) -> None:
    """Download Debian packages of this release, and unpack them. Raises: Missing."""
    stamp = FOLDER / f"{packages[0]}.unpacked"
    if stamp.exists():
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing("apt-get and dpkg are needed to fetch it")
    downloads = FOLDER / "debs"
    downloads.mkdir(exist_ok=True)
    for package in packages:
        _run("apt-get", "download", package, folder=downloads)
        for archive in downloads.glob(f"{package}_*.deb"):
            _run("dpkg", "-x", archive, ROOT)
    stamp.write_text("")


def _crate() -> Path:
    """Have cargo fetch the crate, and return a copy of its source."""
    fetching = FOLDER / "fetch"
    (fetching / "src").mkdir(parents=True, exist_ok=True)
    (fetching / "src" / "lib.rs").write_text("")
    (fetching / "Cargo.toml").write_text(
        '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n'
        f'kryoptic = {{ version = "={KRYOPTIC_VERSION}", default-features = false }}\n[workspace]\n'
    )
    _run("cargo", "fetch", folder=fetching)
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    fetched = next(home.glob(f"registry/src/*/kryoptic-{KRYOPTIC_VERSION}"), None)
    if fetched is None:
        raise Missing("cargo did not fetch its source")
    source = FOLDER / "kryoptic-src"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(fetched, source)
    # Else cargo takes it for a part of whatever project is around this folder.
    with (source / "Cargo.toml").open("a") as manifest:
        manifest.write("\n[workspace]\n")
    return source


def _with_libclang() -> dict[str, str]:
    """Return where bindgen finds libclang: the machine's own, or Debian's, unpacked."""
    if any(Path("/usr/lib").glob("**/libclang.so*")) or "LIBCLANG_PATH" in os.environ:
        return {}
    unpacked("libclang1-14", "libclang-common-14-dev", "libllvm14")
    where = next(ROOT.glob("usr/lib/*/libclang-14.so.1"), None)
    headers = next(ROOT.glob("usr/lib/llvm-14/lib/clang/*/include"), None)
    if where is None or headers is None:
        raise Missing("libclang, which bindgen needs, cannot be unpacked")
    return {
        "LIBCLANG_PATH": str(where.parent),
        "LD_LIBRARY_PATH": str(where.parent),
        "BINDGEN_EXTRA_CLANG_ARGS": f"-I{headers}",
    }


def _run(
    *command: str | Path, folder: Path | None = None, environment: dict[str, str] | None = None
) -> None:
    print(f"peers: {' '.join(str(part) for part in command[:3])} …", flush=True)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Missing(f"`{command[0]} {command[1]}` failed: {' '.join(last)}")


if __name__ == "__main__":
    sys.exit(main())
