"""A set-up that is not over: what is its own, in a file, and the files that it may have made."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from console.client.profiles import PROFILE_FILE
from console.client.remote import ADDRESS_FILE
from console.sealing.sealed_record import create_file, replace_file, sync_folder
from console.settings import (
    ENTRY_FILE,
    ROSTER_FILE,
    SETTINGS_FILE,
    SettingsInvalid,
    VaultSettings,
)
from hsm import Standing

_SOFTHSM_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
SOFTHSM_CONF = "softhsm2.conf"
JOURNAL_FILE = "set-up"
TRIAL_FOLDER = "demonstration"
"""The demonstration vault's folder in a home: no member has this identifier."""
FRESH_SETTINGS, FRESH_ROSTER = f"{SETTINGS_FILE}.new", f"{ROSTER_FILE}.new"
VAULT_FILES = ("key-record", "ledger-head", "kms-lock")
"""What a token that keeps no data objects, or KMS, has in the member's directory."""
_OF_VAULT = ("tokens", "vault", SOFTHSM_CONF, *VAULT_FILES)
_OF_MEMBER = ("tls", ADDRESS_FILE, PROFILE_FILE, ENTRY_FILE, FRESH_SETTINGS, FRESH_ROSTER)
_MADE = (*_OF_VAULT, *_OF_MEMBER)
_SIZE = 16
_MAX_JOURNAL = 8192


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The journal's content. Older ones have the identifier alone, in hexadecimal."""

    identifier: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    vault: VaultSettings | None = None
    identity_key: Annotated[str, msgspec.Meta(pattern=r"\A(04[0-9a-f]{128})?\Z")] = ""
    standing: Standing = Standing.UNPROVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What a set-up has kept: `vault` is where keys may be, `identity_key` is b"" until they are.

    `standing`: what the token's make says of keys of a main network.
    """

    identifier: bytes
    vault: VaultSettings | None
    identity_key: bytes
    standing: Standing


class UnfinishedSetUp:
    """One member's set-up in its directory. Blocking.

    The identifier is written before anything is made and removed when the member is set up. So
    files beside it are nobody's yet, and keys in a token that carry it belong to no member.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._journal = directory / JOURNAL_FILE

    def begin(self, vault: VaultSettings | None = None) -> bytes:
        """Begin, or begin again after a crash; return the identifier, 16 bytes.

        `vault` is where keys will be made. Raises: SettingsInvalid if the directory has files that
        no set-up of this kind left, or keys of this one may be in another token.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory.chmod(0o700)
        known = self.read()
        if known is not None:
            _require_same_token(known.vault, vault)
            # Keys in a token of its own may be whole, and its files say so.
            kept = VAULT_FILES if holds_keys_elsewhere(known.vault) else ()
            self._remove(tuple(name for name in _MADE if name not in kept))
            self._write(known.identifier, vault)
            return known.identifier
        there = [name for name in (*_MADE, SETTINGS_FILE) if (self._directory / name).exists()]
        if there:
            raise SettingsInvalid(
                f"{self._directory} has files already ({', '.join(there)}). They are not touched: "
                "move them away, or choose another name or home"
            )
        identifier = secrets.token_bytes(_SIZE)
        create_file(self._journal, msgspec.json.encode(_Written(identifier.hex(), vault)))
        return identifier

    def keys_made(
        self, identity_key: bytes, standing: Standing, vault: VaultSettings | None = None
    ) -> None:
        """Keep that the vault holds the keys; what follows needs no PIN.

        `vault` says where they are, if that was not known before they were made.
        """
        known = self.read()
        if known is None or known.vault is None:
            raise SettingsInvalid(f"{self._journal} is missing: which keys are new is not known")
        self._write(known.identifier, vault or known.vault, identity_key, standing)

    def read(self) -> Journal | None:
        """Return what is kept, None if no set-up is under way. Raises: SettingsInvalid."""
        try:
            with self._journal.open("rb") as file:
                data = file.read(_MAX_JOURNAL + 1)
            written = _decoded(data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.MsgspecError):
            raise SettingsInvalid(
                f"{self._journal} is damaged; which keys are left is not known"
            ) from None
        return Journal(
            identifier=bytes.fromhex(written.identifier),
            vault=written.vault,
            identity_key=bytes.fromhex(written.identity_key),
            standing=written.standing,
        )

    def write_member_anew(self) -> None:
        """Remove what was written for the member but its vault."""
        self._remove(_OF_MEMBER)

    def finish(self) -> None:
        """End it: what was made is the member's from now on."""
        self._journal.unlink(missing_ok=True)
        sync_folder(self._directory)

    def sync_files(self) -> None:
        """Have all that was made on the disk itself, whatever the machine meets after this."""
        for path in (*self._directory.rglob("*"), self._directory):
            if not path.is_symlink() and (path.is_dir() or path.is_file()):
                sync_folder(path)  # A file is synced in the same way.

    def undo(self, *, keep: bool) -> None:
        """Remove the files; `keep` the identifier if the token still holds what it made.

        Then what the vault has in files is kept too.
        """
        # The settings go first: a member with settings but without keys would be none.
        (self._directory / SETTINGS_FILE).unlink(missing_ok=True)
        self._remove(tuple(name for name in _MADE if not keep or name not in VAULT_FILES))
        if keep or not self._directory.exists():
            return
        self._journal.unlink(missing_ok=True)
        if not any(self._directory.iterdir()):
            self._directory.rmdir()

    def _write(
        self,
        identifier: bytes,
        vault: VaultSettings | None,
        identity_key: bytes = b"",
        standing: Standing = Standing.UNPROVEN,
    ) -> None:
        replace_file(self._journal, _encoded(identifier, vault, identity_key, standing))

    def _remove(self, names: tuple[str, ...]) -> None:
        for name in names:
            path = self._directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def put_in_place(fresh: Path, path: Path) -> None:
    """Let a file that is written take a path, durably: a loss of power leaves the old one or it."""
    sync_folder(fresh)
    fresh.replace(path)
    sync_folder(path.parent)


def holds_keys_elsewhere(vault: VaultSettings | None) -> bool:
    """Return whether a vault's keys are in a token, or in KMS, and not among the member's files."""
    return vault is not None and vault.kind in {"pkcs11", "kms"} and not vault.softhsm_conf


def find_softhsm() -> Path:
    """Return SoftHSM's library. Raises: SettingsInvalid naming its package."""
    for module in _SOFTHSM_MODULES:
        if module.exists():
            return module
    raise SettingsInvalid("SoftHSM is not installed; the Debian package is softhsm2")


def softhsm_conf(folder: Path) -> Path:
    """Make the folder of a fresh SoftHSM token in `folder`; return the settings that name it."""
    tokens = folder / "tokens"
    tokens.mkdir(mode=0o700)
    conf = folder / SOFTHSM_CONF
    conf.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    return conf


def _require_same_token(before: VaultSettings | None, now: VaultSettings | None) -> None:
    if before is None or not holds_keys_elsewhere(before) or before == now:
        return
    if before.kind == "kms":
        # Which keys were made is known only afterwards; the identifier finds them again.
        if now == msgspec.structs.replace(before, sealing_key="", identity_key=""):
            return
        raise SettingsInvalid(
            f"this set-up has begun with keys in AWS KMS in {before.region}, and those that it "
            "made are there. Start it again with the same options"
        )
    raise SettingsInvalid(
        f"this set-up has begun with the token {before.token!r}, and its keys may be in it. "
        "Take that token again, or discard the set-up first"
    )


def _encoded(
    identifier: bytes,
    vault: VaultSettings | None,
    identity_key: bytes = b"",
    standing: Standing = Standing.UNPROVEN,
) -> bytes:
    return msgspec.json.encode(_Written(identifier.hex(), vault, identity_key.hex(), standing))


def _decoded(data: bytes) -> _Written:
    if len(data) > _MAX_JOURNAL:
        raise ValueError("too long")
    if data.startswith(b"{"):
        return msgspec.json.decode(data, type=_Written)
    identifier = bytes.fromhex(data.decode("ascii"))
    if len(identifier) != _SIZE:
        raise ValueError("not an identifier")
    return _Written(identifier.hex())
