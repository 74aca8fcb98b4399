"""The Debian package, installed in a bare Debian 12, makes a wallet there and signs a payment.

`./run package` builds it and `./run test -m installed` runs this. Members, tokens and nodes are the
installed program's, which sees a root of its own. The package has no local chains: they, and the
operators' clients, are of these sources and outside that root.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.cluster import Cluster
from tests.e2e.steps import Office

pytestmark = [
    pytest.mark.installed,
    pytest.mark.timeout(1800),
    pytest.mark.asyncio(loop_scope="session"),
]

PACKAGES = Path(__file__).parents[2] / "build" / "package"
_ENVIRONMENT = (
    *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"),
    "DEBIAN_FRONTEND=noninteractive",
)


def inside(root: Path, *command: str) -> tuple[str, ...]:
    """Return a command that runs in that root, with nothing of this environment."""
    return (*_ENVIRONMENT, "chroot", str(root), *command)


def run(*command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{command}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """A bare Debian 12 in a folder, with the package and what it asks for from Debian."""
    packages = sorted(PACKAGES.glob("quorate_*.deb"))
    if os.geteuid() != 0:
        pytest.skip("a root of its own needs the superuser")
    if shutil.which("debootstrap") is None:
        pytest.skip("debootstrap is not installed; it is a Debian package")
    if len(packages) != 1:
        pytest.skip("there is no package, or more than one: ./run package builds it")
    with tempfile.TemporaryDirectory(prefix="quorate-installed-") as folder:
        root = Path(folder).resolve()
        run("debootstrap", "--variant=minbase", "bookworm", str(root))
        shutil.copy(packages[0], root / "quorate.deb")
        run(*inside(root, "apt-get", "install", "--yes", "--quiet", "/quorate.deb"))
        yield root


async def test_the_installed_program_makes_a_wallet_and_signs_a_payment(installed: Path) -> None:
    quorate = inside(installed, "quorate")
    assert run(*quorate, "version").stdout.startswith("quorate ")
    assert "`devnet` extra" in run(*quorate, "demo", status=1).stderr
    home = installed / "srv" / "members"
    home.mkdir()
    cluster = await Cluster.create(home, program=quorate, root=installed)
    office = await Office.open(cluster)
    try:
        await office.all_ready()
        for member in office.members:
            assert (await office.session(member)).vault.kind == "pkcs11"
        wallet = await office.hold_ceremony("Treasury")
        await office.fund(wallet)
        await office.transfer(wallet, "0.25")
        told = run(*quorate, "verify", "--member", "ana", "--home", "/srv/members").stdout
        assert told.startswith("verified by the node: records 1 to ")
        for member in office.members:
            await office.restart(member)
        await office.all_ready()
        await office.transfer(wallet, "0.5")
    finally:
        await office.close()
