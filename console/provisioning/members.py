"""Sets up a new member on this machine: directory, TLS keys, vault keys, roster entry."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from console.adapters.shares.vault import create_file_vault
from console.application.commands import secret_problem
from console.bootstrap import file_settings, pkcs11_settings
from console.domain.addresses import proper_address
from console.domain.errors import MalformedIdentifier
from console.domain.ids import member_id
from console.domain.names import proper_name
from console.protocols.kernel.secret import SecretBytes
from console.provisioning.cloud import KMS, make_cloud_keys, remove_cloud_keys
from console.provisioning.member_files import (
    NewMember,
    entry_kept,
    finished_before,
    settings_of,
    vault_of,
    write_files,
    write_settings,
)
from console.settings import MemberFiles, MemberSettings, RosterEntry, SettingsInvalid
from console.unfinished import (
    TOKENS,
    TRIAL_FOLDER,
    Origin,
    UnfinishedSetUp,
    holds_keys_elsewhere,
    set_up_held,
    softhsm_conf,
)
from hsm import (
    Pkcs11Settings,
    SetUp,
    SetUpOver,
    SetUpUnfinished,
    Standing,
    initialise_token,
    provision,
    remove,
    require_not_over,
    standing_of,
)


class PinNeeded(Exception):
    """What a set-up made is in a token, and only its PIN lets it be removed."""


def set_up_member(
    home: Path,
    new: NewMember,
    pin: SecretBytes,
    so_pin: SecretBytes | None,
    *,
    last_try: bool = False,
) -> RosterEntry:
    """Create a member's files and keys; return its roster entry. Wipes the PINs. Blocking.

    What fails leaves nothing behind; what a crash left is used or removed by the next call for
    the same member. One that is finished already is returned as it is. The set-up stays open until
    the roster is written. `last_try` permits a PIN try that may be the token's last.
    Raises: SettingsInvalid for a bad name or address, or if the member exists already; HsmError.
    """
    _require_proper(new)
    directory = home / member_id(new.member)
    with _wiped(pin, so_pin), set_up_held(directory):
        finished = finished_before(MemberFiles(directory), new)
        if finished is not None:
            return finished
        _make_held(home, new, pin, so_pin, last_try=last_try)
        try:
            return _finish_held(home, new)
        except BaseException:  # Interrupted too: nothing half-made is left.
            # Once keys are in a token of its own, only the identifier tells them from a member's.
            UnfinishedSetUp(directory).undo(keep=holds_keys_elsewhere(vault_of(new)))
            raise


def make_keys(
    home: Path,
    new: NewMember,
    pin: SecretBytes,
    so_pin: SecretBytes | None,
    *,
    last_try: bool = False,
) -> None:
    """Make a member's keys in its vault, as `set_up_member` does. Wipes the PINs. Blocking.

    `finish_member` follows. Raises: SettingsInvalid, HsmError.
    """
    with _wiped(pin, so_pin), set_up_held(home / member_id(new.member)):
        _make_held(home, new, pin, so_pin, last_try=last_try)


def finish_member(home: Path, new: NewMember) -> RosterEntry:
    """Write a member's certificates, entry and settings; return the entry. Blocking.

    Its keys are made. The set-up stays open, so that it can be done again with other choices. The
    entry stays the same, with its TLS keys, unless one of those changes what is in it: other
    members may have it already. Raises: SettingsInvalid.
    """
    _require_proper(new)
    with set_up_held(home / member_id(new.member)):
        return _finish_held(home, new)


def discard_member(home: Path, member: str, pin: SecretBytes | None) -> None:
    """Remove all that an unfinished set-up made, in the token too. Wipes the PIN. Blocking.

    Raises: SettingsInvalid if the member belongs to a vault; PinNeeded, HsmError.
    """
    files = MemberFiles(home / member_id(member))
    with _wiped(pin, None), set_up_held(files.directory):
        unfinished = UnfinishedSetUp(files.directory)
        journal = unfinished.read()
        if files.roster.exists() or (files.settings.exists() and journal is None):
            raise SettingsInvalid(f"{member} is a whole member; it is not discarded as a set-up")
        if journal is None:
            unfinished.leave()
            return
        unfinished.require_no_member()
        if journal.vault is not None and journal.vault.kind == KMS:
            remove_cloud_keys(files, journal.vault, member, _how(home, unfinished))
        elif journal.vault is not None and holds_keys_elsewhere(journal.vault):
            if pin is None:
                raise PinNeeded(f"keys of {member} are in the token {journal.vault.token!r}")
            token = Pkcs11Settings(
                Path(journal.vault.module),
                journal.vault.token,
                files.directory / "shares",
                files.directory / "pin-backoff",
                member_id(member),
                serial=journal.vault.serial,
                slot=journal.vault.slot,
            )
            remove(token, pin, _how(home, unfinished))
        unfinished.undo(keep=False)


@contextmanager
def _wiped(*secrets: SecretBytes | None) -> Iterator[None]:
    try:
        yield
    finally:
        for secret in secrets:
            if secret is not None:
                secret.wipe()


def _make_held(
    home: Path,
    new: NewMember,
    pin: SecretBytes,
    so_pin: SecretBytes | None,
    *,
    last_try: bool,
) -> None:
    _require_taken(pin, so_pin)
    if new.member == TRIAL_FOLDER:
        raise SettingsInvalid(f"the identifier {TRIAL_FOLDER} is kept for the demonstration vault")
    files = MemberFiles(home / member_id(new.member))
    if files.settings.exists():
        raise SettingsInvalid(
            f"{new.member} is set up in {files.directory} already; its entry is in {files.entry}"
        )
    unfinished = UnfinishedSetUp(files.directory)
    settings = settings_of(new)
    require_not_over(files.directory)
    on_disk = not holds_keys_elsewhere(settings.vault) and unfinished.has_given_entry()
    if on_disk and unfinished.require().vault == settings.vault:
        return  # Its settings are lost or were being written: the keys and their PIN stay.
    # What an earlier call left in a token may be there still, after a wrong PIN for one.
    in_token = unfinished.read() is not None
    unfinished.begin(settings.vault)
    try:
        _prepare_vault(files, new, unfinished)
        how = replace(_how(home, unfinished), last_try=last_try)
        if settings.vault.kind == KMS:
            made = make_cloud_keys(files, settings, pin, how, resumed=in_token)
            in_token = True
            unfinished.keys_made(*made)
        else:
            identity_key = _make_keys(files, settings, pin, so_pin, how)
            in_token = True
            unfinished.keys_made(identity_key, _standing(files, settings))
    except SetUpOver:  # All that is there is a member's, or may be.
        raise
    except SetUpUnfinished:
        unfinished.undo(keep=True)
        raise
    except Exception:
        unfinished.undo(keep=in_token and holds_keys_elsewhere(settings.vault))
        raise
    except BaseException:  # Interrupted, nobody knows where: the next call looks into the token.
        unfinished.undo(keep=holds_keys_elsewhere(settings.vault))
        raise


def _finish_held(home: Path, new: NewMember) -> RosterEntry:
    files = MemberFiles(home / member_id(new.member))
    unfinished = UnfinishedSetUp(files.directory)
    journal = unfinished.read()
    if journal is None or journal.vault is None or not journal.identity_key:
        raise SettingsInvalid(f"the keys of {new.member} are not made yet")
    if files.roster.exists():
        raise SettingsInvalid(f"{new.member} belongs to a vault already")
    vault = structs.replace(journal.vault, accept_unproven=new.accept_unproven)
    settings = structs.replace(settings_of(new), vault=vault)
    entry = entry_kept(files, new, journal.identity_key)
    if entry is not None:
        write_settings(files, new, settings)
        return entry
    files.settings.unlink(missing_ok=True)
    unfinished.write_member_anew()
    return write_files(files, new, settings, journal.identity_key)


def _how(home: Path, unfinished: UnfinishedSetUp) -> SetUp:
    """Return what the vault is told of this set-up. Raises: SettingsInvalid."""
    journal = unfinished.require()
    if not holds_keys_elsewhere(journal.vault):
        return SetUp(identifier=journal.identifier, tries_in=home)
    return SetUp(
        identifier=journal.identifier,
        tries_in=home,
        identity_key=journal.identity_key,
        original={Origin.HERE: True, Origin.COPY: False, Origin.UNKNOWN: None}[unfinished.origin()],
        before_removal=unfinished.forget_keys,
    )


def _require_proper(new: NewMember) -> None:
    try:
        proper_name(new.name, "the operator's name")
        for address in (new.peer_address, new.console_address):
            proper_address(address, f"the address {address!r}")
    except MalformedIdentifier as wrong:
        raise SettingsInvalid(str(wrong)) from None


def _require_taken(pin: SecretBytes, so_pin: SecretBytes | None) -> None:
    for name, secret in (("PIN", pin), ("security officer's PIN", so_pin)):
        problem = secret_problem(secret.view()) if secret is not None else ""
        if problem:
            raise SettingsInvalid(f"the {name} is not taken: {problem}")


def _make_keys(
    files: MemberFiles,
    settings: MemberSettings,
    pin: SecretBytes,
    so_pin: SecretBytes | None,
    how: SetUp,
) -> bytes:
    """Make the vault's keys; return the identity key."""
    if settings.vault.kind == "file":
        return create_file_vault(file_settings(files, settings), pin)
    token = pkcs11_settings(files, settings)
    if so_pin:
        initialise_token(token.module, token.token_label, so_pin, pin)
        so_pin.wipe()
    return provision(token, pin, how)


def _standing(files: MemberFiles, settings: MemberSettings) -> Standing:
    """Return what the vault's make is worth. Raises: HsmError."""
    if settings.vault.kind == "file":
        return Standing.UNPROVEN
    token = pkcs11_settings(files, settings)
    return standing_of(token.module, token.choice)


def _prepare_vault(files: MemberFiles, new: NewMember, unfinished: UnfinishedSetUp) -> None:
    if new.module == "file":
        unfinished.make_folder(files.vault.name)
    elif new.fresh_softhsm:
        unfinished.make_folder(TOKENS)
        os.environ["SOFTHSM2_CONF"] = str(softhsm_conf(files.directory))
