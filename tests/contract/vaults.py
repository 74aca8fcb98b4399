"""The vaults that the contract suites run over."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pkcs11 import Attribute

from console.adapters.shares import Argon2Cost, FileVault, FileVaultSettings, create_file_vault
from console.application.ports.vault import HeadAnchor, VaultPort
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from hsm.anchor import HEAD, create_head
from hsm.capabilities import SEAL
from hsm.kms import KmsVault
from hsm.library import library
from hsm.provision import check_token, provision
from hsm.removal import SetUp
from hsm.signed_files import HEAD_FILE
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from tests.fakes.vault import FakeVault
from tests.kms import provisioned
from tests.peers import PEERS, peer
from tests.shim import Shim
from tests.softhsm import SoftHsm

ALICE = MemberId("alice")
PIN = b"482913"
_HIDDEN_GCM_AND_WRAP = ("hide=0x1087", "hide=0x2109", "hide=0x210a")
# What SoftHSM is made to lack, by a name; the method of sealing that is left; its slowness.
RESTRICTED: dict[str, tuple[tuple[str, ...], str]] = {
    "iv-appended": (("iv-appended",), "AES-GCM with the token's own IV, appended"),
    "iv-written": (("iv-written",), "AES-GCM with the token's own IV, written back"),
    "key-wrap": (("hide=0x1087", "hide=0x1082"), "AES key wrap"),
    "padded-key-wrap": (("hide=0x1087", "hide=0x2109"), "AES key wrap with padding"),
    "cbc-hmac": (_HIDDEN_GCM_AND_WRAP, "AES-CBC with HMAC-SHA-256"),
    "rsa-oaep": (("hide=0x1080",), "RSA-OAEP with SHA-1"),
    "objects-of-1-kb": (("objects=1024", "calls=1024"), "AES-GCM with an IV of ours"),
    "no-data": (("no-data",), "AES-GCM with an IV of ours"),
    "nothing-public": (("nothing-public",), "AES-GCM with an IV of ours"),
    "no-reauth": (("no-reauth",), "AES-GCM with an IV of ours"),
    "slow": (("slow=2",), "AES-GCM with an IV of ours"),
}
VAULTS = (
    pytest.param("pkcs11", marks=pytest.mark.hsm),
    "file",
    "kms",
    "fake",
    *(pytest.param(name, marks=pytest.mark.hsm) for name in (*RESTRICTED, *PEERS)),
)
CHEAP = Argon2Cost(memory_kib=64, iterations=1, lanes=1)


class Clock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_900_000_000_000

    def __call__(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclass
class VaultCase:
    """A vault, its clock, and how to start it again (closed first)."""

    kind: str
    vault: VaultPort
    clock: Clock
    reopen: Callable[[], VaultPort]

    async def unlock(self) -> None:
        await self.vault.unlock(SecretBytes(PIN))


def file_settings(folder: Path, member: MemberId = ALICE) -> FileVaultSettings:
    return FileVaultSettings(
        folder / "vault", member, CHEAP, least_memory_kib=64, shortest_passphrase=6
    )


def make(kind: str, folder: Path, request: pytest.FixtureRequest) -> VaultCase:
    clock = Clock()
    if kind == "pkcs11":
        softhsm: SoftHsm = request.getfixturevalue("softhsm")
        settings = softhsm.member(folder, ALICE)
        return VaultCase(
            kind,
            Pkcs11Vault(settings, now_ms=clock),
            clock,
            lambda: Pkcs11Vault(settings, now_ms=clock),
        )
    if kind in RESTRICTED:
        return _restricted(kind, folder, request.getfixturevalue("shim"), clock)
    if kind in PEERS:
        return _peer(kind, folder, request, clock)
    if kind == "file":
        files = file_settings(folder)
        create_file_vault(files, SecretBytes(PIN))
        return VaultCase(
            kind, FileVault(files, now_ms=clock), clock, lambda: FileVault(files, now_ms=clock)
        )
    if kind == "kms":
        cloud = provisioned(request.getfixturevalue("kms"), folder, PIN)
        return VaultCase(
            kind, KmsVault(cloud, now_ms=clock), clock, lambda: KmsVault(cloud, now_ms=clock)
        )
    fake = FakeVault(ALICE, PIN, now_ms=clock)
    return VaultCase(kind, fake, clock, lambda: fake)


_tokens: dict[str, str] = {}
_files: dict[str, dict[str, bytes]] = {}


def _restricted(kind: str, folder: Path, shim: Shim, clock: Clock) -> VaultCase:
    """Return a vault behind the shim. Tests of one kind share the token: some keys take seconds."""
    words, sealing = RESTRICTED[kind]
    shim.restrict(*words)
    label = _tokens.get(kind) or shim.token()
    settings = shim.settings(folder, label)
    if kind not in _tokens:
        table = check_token(settings, SecretBytes(PIN), SetUp(identifier=bytes(16)))
        assert [row.used for row in table.rows if row.name == SEAL] == [sealing]
    return _shared(kind, settings, clock)


def _peer(kind: str, folder: Path, request: pytest.FixtureRequest, clock: Clock) -> VaultCase:
    """Return a vault over another maker's module; its one token is shared by the tests."""
    made: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    found = peer(kind, request.getfixturevalue("softhsm"), made.mktemp)
    settings = Pkcs11Settings(
        found.module, found.label, folder / "shares", folder / "pin-backoff", ALICE
    )
    return _shared(kind, settings, clock)


def _shared(kind: str, settings: Pkcs11Settings, clock: Clock) -> VaultCase:
    """Set a token up once for each kind, and make its heads new for each test."""
    folder = settings.files_dir
    if kind in _tokens:
        for name, data in _files[kind].items():
            (folder / name).write_bytes(data)
        if HEAD_FILE not in _files[kind]:
            _empty_heads(settings)
    else:
        provision(settings, SecretBytes(PIN), SetUp(identifier=bytes(16)))
        _tokens[kind] = settings.token_label
        _files[kind] = {path.name: path.read_bytes() for path in folder.iterdir()}
    return VaultCase(
        kind,
        Pkcs11Vault(settings, now_ms=clock),
        clock,
        lambda: Pkcs11Vault(settings, now_ms=clock),
    )


def _empty_heads(settings: Pkcs11Settings) -> None:
    """Make the heads as a set-up leaves them."""
    owner = library(settings.module)
    with owner.lock:
        owner.reset()
        token = owner.find(settings.choice)
        with token.open(rw=True, user_pin=PIN.decode()) as session:
            for head in list(session.get_objects({Attribute.LABEL: HEAD})):
                head.destroy()
            for _ in range(2):
                create_head(session, 0, HeadAnchor(0, bytes(32)))
