"""A member's set-up that is not over: begun, begun again after a crash, finished, undone."""

import secrets
from dataclasses import replace
from pathlib import Path

from msgspec import structs

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
from console.unfinished.journal import (
    IDENTIFIER_SIZE,
    JOURNAL_FILE,
    PLACE_FILE,
    Journal,
    Origin,
    make_place,
    read_journal,
)
from console.unfinished.own_files import OwnFiles
from console.unfinished.softhsm import SOFTHSM_CONF, TOKENS
from hsm import Standing

TRIAL_FOLDER = "demonstration"
"""The demonstration vault's folder in a home: no member has this identifier."""
FRESH_SETTINGS, FRESH_ROSTER = f"{SETTINGS_FILE}.new", f"{ROSTER_FILE}.new"
VAULT_FILES = ("key-record", "ledger-head", "kms-lock")
"""What a token that keeps no data objects, or KMS, has in the member's directory."""
_FOLDERS = (TOKENS, "vault", "tls")
_OF_LOCAL_VAULT = (TOKENS, "vault", SOFTHSM_CONF)
_OF_MEMBER = ("tls", ADDRESS_FILE, PROFILE_FILE, ENTRY_FILE, FRESH_SETTINGS, FRESH_ROSTER)
_MADE = (*_OF_LOCAL_VAULT, *VAULT_FILES, *_OF_MEMBER)
_OF_A_WHOLE_MEMBER = (ROSTER_FILE, "ledger.db", "ledger.key", "shares", "exports")
"""What is there only once a member belongs to a vault."""
_WRITTEN_ANEW = (*_MADE, SETTINGS_FILE, ROSTER_FILE, JOURNAL_FILE, "pin-backoff")
"""Files that are written beside first, under a name of their own."""


class UnfinishedSetUp:
    """One member's set-up in its directory. Blocking; its caller holds `set_up_held`.

    The identifier is written before anything is made and removed when the member is set up. So
    files beside it are nobody's yet, and keys in a token that carry it belong to no member.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._journal = directory / JOURNAL_FILE

    def begin(self, vault: VaultSettings | None = None) -> bytes:
        """Begin, or begin again after a crash; return the identifier, 16 bytes.

        `vault` is where keys will be made. Raises: SettingsInvalid if the directory has files that
        this set-up did not make, or keys of this one may be in another token.
        """
        self._make_directory()
        known = self.read()
        if known is None:
            return self._begin_anew(vault)
        self.require_no_member()
        _require_same_token(known.vault, vault)
        if known.vault is not None and is_same_vault(known.vault, vault):
            vault = known.vault  # It may name keys that were made.
        own = self._own(known)
        own.sweep(_WRITTEN_ANEW)
        if not holds_keys_elsewhere(known.vault):
            if self.has_given_entry():
                raise SettingsInvalid(
                    f"the keys in {self._directory} are made, and others may have its entry. Go on "
                    "with these keys, or discard the set-up first"
                )
            # Its keys are on the disk, with a PIN that may be forgotten: they are made anew.
            own.remove(_OF_LOCAL_VAULT)
            known = replace(known, identity_key=b"")
        self._write(replace(known, vault=vault))
        return known.identifier

    def keys_made(
        self, identity_key: bytes, standing: Standing, vault: VaultSettings | None = None
    ) -> None:
        """Keep that the vault holds the keys; what follows needs no PIN.

        `vault` says where they are, if that was not known before they were made.
        """
        known = self.require()
        where = vault or known.vault
        self._write(replace(known, identity_key=identity_key, standing=standing, vault=where))

    def forget_keys(self) -> None:
        """Keep that the keys are removed from now on."""
        known = self.read()
        if known is not None:
            self._write(replace(known, identity_key=b""))

    def read(self) -> Journal | None:
        """Return what is kept, None if no set-up is under way. Raises: SettingsInvalid."""
        return read_journal(self._journal)

    def require(self) -> Journal:
        """Return what is kept. Raises: SettingsInvalid if nothing is."""
        known = self.read()
        if known is None:
            raise SettingsInvalid(f"{self._journal} is missing: which keys are new is not known")
        return known

    def origin(self) -> Origin:
        """Return whether the set-up began in this directory. Raises: SettingsInvalid."""
        known = self.read()
        return Origin.UNKNOWN if known is None else known.origin(self._directory)

    def has_given_entry(self) -> bool:
        """Return whether others may have this machine's entry. Raises: SettingsInvalid."""
        known = self.read()
        return known is not None and bool(known.identity_key) and self._is_there(ENTRY_FILE)

    def make_folder(self, name: str) -> Path:
        """Make a folder that the set-up removes if it is undone. Raises: SettingsInvalid."""
        return self._own(self.require()).make_folder(name)

    def write_member_anew(self) -> None:
        """Remove what was written for the member but its vault. Raises: SettingsInvalid."""
        known = self.read()
        if known is not None:
            self._own(known).remove(_OF_MEMBER)

    def finish(self) -> None:
        """End it: what was made is the member's from now on."""
        # A damaged journal too: nothing hangs on what is in it any more.
        if not self._is_there(JOURNAL_FILE):
            return
        own = OwnFiles(self._directory, b"")
        own.hand_over(_FOLDERS)
        own.sweep(_WRITTEN_ANEW)
        (self._directory / PLACE_FILE).unlink(missing_ok=True)
        self._journal.unlink()
        sync_folder(self._directory)

    def sync_files(self) -> None:
        """Have all that was made on the disk itself, whatever the machine meets after this."""
        for path in (*self._directory.rglob("*"), self._directory):
            if not path.is_symlink() and (path.is_dir() or path.is_file()):
                sync_folder(path)  # A file is synced in the same way.

    def undo(self, *, keep: bool) -> None:
        """Remove the files; `keep` the identifier if the token still holds what it made.

        Then what the vault has in files is kept too. Raises: SettingsInvalid if there are files
        that this set-up did not make; none is removed then.
        """
        known = self.read()
        if known is None:
            return
        own = self._own(known)
        names = tuple(name for name in _MADE if not keep or name not in VAULT_FILES)
        own.require(names)
        # The settings go first: a member with settings but without keys would be none.
        (self._directory / SETTINGS_FILE).unlink(missing_ok=True)
        own.remove(names)
        own.sweep(_WRITTEN_ANEW)
        if keep:
            return
        # The journal says whose the rest is, if the power fails before all is removed.
        sync_folder(self._directory)
        self._journal.unlink()
        self.leave()

    def require_no_member(self) -> None:
        """Check that no member of a vault is here. Raises: SettingsInvalid."""
        there = [name for name in _OF_A_WHOLE_MEMBER if self._is_there(name)]
        if there:
            raise SettingsInvalid(
                f"{self._directory} has files already that belong to a member of a vault "
                f"({', '.join(there)}). They are not touched: restore what is missing beside them, "
                "or choose another name or home"
            )

    def leave(self) -> None:
        """Remove what is there of a set-up that has no journal yet, or none any more."""
        if not self._directory.is_dir() or self._is_there(JOURNAL_FILE):
            return
        OwnFiles(self._directory, b"").sweep(_WRITTEN_ANEW)
        (self._directory / PLACE_FILE).unlink(missing_ok=True)
        if not self._directory.is_symlink() and not any(self._directory.iterdir()):
            self._directory.rmdir()

    def _make_directory(self) -> None:
        missing = [
            path for path in (self._directory, *self._directory.parents) if not path.exists()
        ]
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory.chmod(0o700)
        # Without their entries, a loss of power takes the journal, but not the keys in a token.
        for path in missing:
            sync_folder(path.parent)

    def _begin_anew(self, vault: VaultSettings | None) -> bytes:
        known = Journal(identifier=secrets.token_bytes(IDENTIFIER_SIZE), vault=vault)
        there = [name for name in (*_MADE, SETTINGS_FILE) if self._is_there(name)]
        if there:
            raise SettingsInvalid(
                f"{self._directory} has files already ({', '.join(there)}). They are not touched: "
                "move them away, or choose another name or home"
            )
        self.require_no_member()
        self._own(known).sweep(_WRITTEN_ANEW)
        try:
            known = replace(known, place=make_place(self._directory))
            create_file(self._journal, known.encode())
        except OSError:  # A full disk, for one: nothing is begun.
            self.leave()
            raise
        return known.identifier

    def _is_there(self, name: str) -> bool:
        path = self._directory / name
        return path.is_symlink() or path.exists()

    def _own(self, known: Journal) -> OwnFiles:
        return OwnFiles(self._directory, known.identifier)

    def _write(self, journal: Journal) -> None:
        replace_file(self._journal, journal.encode())


def put_in_place(fresh: Path, path: Path) -> None:
    """Let a file that is written take a path, durably: a loss of power leaves the old one or it."""
    sync_folder(fresh)
    fresh.replace(path)
    sync_folder(path.parent)


def holds_keys_elsewhere(vault: VaultSettings | None) -> bool:
    """Return whether a vault's keys are in a token, or in KMS, and not among the member's files."""
    return vault is not None and vault.kind in {"pkcs11", "kms"} and not vault.softhsm_conf


def is_same_vault(before: VaultSettings, now: VaultSettings | None) -> bool:
    """Return whether `now` names the place of `before`, whose keys in KMS may have been made since.

    The set-up's identifier finds those again.
    """
    if before.kind == "kms" and now == structs.replace(before, sealing_key="", identity_key=""):
        return True
    return before == now


def _require_same_token(before: VaultSettings | None, now: VaultSettings | None) -> None:
    if before is None or not holds_keys_elsewhere(before) or is_same_vault(before, now):
        return
    if before.kind == "kms":
        raise SettingsInvalid(
            f"this set-up has begun with keys in AWS KMS in {before.region}, and those that it "
            "made are there. Start it again with the same options, or discard it first"
        )
    raise SettingsInvalid(
        f"this set-up has begun with the token {before.token!r}, and its keys may be in it. "
        "Take that token again, or discard the set-up first"
    )
