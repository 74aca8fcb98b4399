"""A PKCS#11 module over SoftHSM that takes things away; `restricting.c` says which.

It is a module in C and no stand-in for python-pkcs11's objects, because what is to be tested is
also what lies between the two: the library's reading of lists and lengths, what is called past it
(C_InitToken, C_Finalize), and whole commands in processes of their own.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import exceptions as p11

from console.domain.ids import MemberId
from hsm.library import library
from hsm.vault import Pkcs11Settings
from tests.softhsm import ALICE, SoftHsm

NO_GCM = "hide=0x1087"
NO_AES, NO_OAEP = "hide=0x1080", "hide=0x9"
NO_SEAL = (NO_AES, NO_OAEP)
NO_EC = "hide=0x1040 hide=0x1041"
BROKEN_GCM = "break=0x1087"
_SOURCE = Path(__file__).with_name("restricting.c")
_built: list[Path] = []


@dataclass(frozen=True)
class Shim:
    """The module; `words` is the file of what it takes away at this moment."""

    module: Path
    words: Path
    over: SoftHsm

    def restrict(self, *words: str) -> None:
        """Take these things away from now on, and nothing else."""
        # Replaced whole: a call in another thread never reads half of it.
        fresh = self.words.with_suffix(".new")
        fresh.write_text(" ".join(words))
        fresh.replace(self.words)

    def settings(self, folder: Path, label: str, member: MemberId = ALICE) -> Pkcs11Settings:
        return Pkcs11Settings(self.module, label, folder / "shares", folder / "pin-backoff", member)

    def token(self) -> str:
        """Make a token without keys, behind the shim; return its label."""
        label = self.over.blank()
        # The module behind the shim is another instance; it lists slots when it starts.
        library(self.module).reset()
        return label

    def calls(self) -> int:
        """Return how many calls the module has had so far in this process."""
        return int(ctypes.CDLL(str(self.module)).quorate_calls(68))

    def touch(self) -> None:
        """Call the module once past the vault, so that it reads its words."""
        with suppress(p11.PKCS11Error):
            pkcs11.lib(str(self.module)).get_slots(token_present=True)

    def objects(self, label: str) -> int:
        """Return how many objects are in the token, whoever made them."""
        return len(list(self.over.folder_of(label).glob("*.object"))) - 1


def build(folder: Path, over: Path) -> Path:
    """Compile the module over a copy of `over`; skip the test where there is no C compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is here (cc, gcc or $CC): the restricting shim is not built")
    # A copy is an instance of its own: the original is in use in this process, and one instance
    # has one C_Initialize.
    original = shutil.copy(over, folder / "over.so")
    module = folder / "restricting.so"
    flags = ("-shared", "-fPIC", "-O1", "-Wall", f'-DOVER="{original}"')
    subprocess.run([compiler, *flags, "-o", module, _SOURCE, "-ldl"], check=True)
    return module


@pytest.fixture
def shim(
    softhsm: SoftHsm, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shim]:
    """Give the restricting module, which takes nothing away yet."""
    if not _built:
        _built.append(build(tmp_path_factory.mktemp("shim"), softhsm.module))
    words = tmp_path_factory.mktemp("words") / "words"
    monkeypatch.setenv("QUORATE_SHIM", str(words))
    made = Shim(_built[0], words, softhsm)
    made.restrict()
    yield made
    made.restrict()
