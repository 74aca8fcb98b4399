"""SoftHSM tokens for tests: one token folder a process, many labelled tokens in it."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from hsm.library import TokenChoice, library
from hsm.provision import initialise_token, provision
from hsm.vault import Pkcs11Settings

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)
MODULE = next((path for path in MODULES if path.exists()), None)
USER_PIN = b"482913"
SO_PIN = b"77120945"
ALICE = MemberId("alice")

_counter = itertools.count(1)
_configured: list["SoftHsm"] = []


@dataclass(frozen=True)
class SoftHsm:
    """The process's token folder."""

    module: Path
    tokens: Path

    @property
    def configuration(self) -> Path:
        """What SoftHSM reads in a process that begins: SOFTHSM2_CONF names it."""
        return self.tokens.parent / "softhsm2.conf"

    def blank(self) -> str:
        """Initialise a token without keys; return its label."""
        label = f"token-{next(_counter)}"
        initialise_token(self.module, label, SecretBytes(SO_PIN), SecretBytes(USER_PIN))
        return label

    def folder_of(self, label: str) -> Path:
        """Return where a token's files are: folders end in the token's serial number."""
        owner = library(self.module)
        with owner.lock:
            serial = owner.find(TokenChoice(label=label)).serial.decode("ascii")
        return next(
            folder
            for folder in self.tokens.iterdir()
            if folder.name.replace("-", "").endswith(serial)
        )

    def settings(self, folder: Path, label: str, member: MemberId = ALICE) -> Pkcs11Settings:
        return Pkcs11Settings(self.module, label, folder / "shares", folder / "pin-backoff", member)

    def member(self, folder: Path, member: MemberId = ALICE) -> Pkcs11Settings:
        """Make a token with a member's keys."""
        settings = self.settings(folder, self.blank(), member)
        provision(settings, SecretBytes(USER_PIN))
        return settings


def configure(folder: Path) -> SoftHsm:
    """Make `folder` this process's token folder. The library reads it at each start."""
    if MODULE is None:
        pytest.skip("SoftHSM is not installed")
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\n"
        "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    return SoftHsm(MODULE, tokens)


@pytest.fixture
def softhsm_apart(softhsm: SoftHsm, tmp_path: Path) -> Iterator[SoftHsm]:
    """Give an empty token folder for one test: what others have made would fill a list."""
    before = os.environ["SOFTHSM2_CONF"]
    apart = configure(tmp_path / "softhsm")
    library(apart.module).reset()
    yield apart
    os.environ["SOFTHSM2_CONF"] = before
    library(softhsm.module).reset()


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    """Give the one SoftHSM of this process, wherever the fixture is registered."""
    if not _configured:
        _configured.append(configure(tmp_path_factory.mktemp("softhsm")))
    return _configured[0]
