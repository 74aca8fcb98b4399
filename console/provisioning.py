"""Sets up a new member on this machine: directory, TLS keys, vault keys, roster entry."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.link_keys import PEER_NAME
from console.adapters.network.tls import (
    TlsIdentity,
    TlsMaterialUnusable,
    create_identity,
    load_identity,
)
from console.adapters.shares.vault import create_file_vault
from console.application.commands import secret_problem
from console.bootstrap import file_settings, pkcs11_settings
from console.client.profiles import Profile, write_profile
from console.client.remote import ADDRESS_FILE, CLIENT_NAME, SERVER_NAME
from console.cloud_keys import KMS, CloudKeys, make_cloud_keys, remove_cloud_keys
from console.domain.addresses import proper_address
from console.domain.errors import MalformedIdentifier
from console.domain.ids import member_id
from console.domain.names import proper_name
from console.protocols.kernel.secret import SecretBytes
from console.settings import (
    ChainEntry,
    MemberFiles,
    MemberSettings,
    Roster,
    RosterEntry,
    SettingsInvalid,
    VaultSettings,
    entry_line,
    read_entries,
    read_roster,
    read_settings,
    write_toml,
)
from console.token_checks import tries_file
from console.unfinished import (
    FRESH_ROSTER,
    FRESH_SETTINGS,
    SOFTHSM_CONF,
    TRIAL_FOLDER,
    UnfinishedSetUp,
    holds_keys_elsewhere,
    put_in_place,
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


@dataclass(frozen=True, slots=True)
class NewMember:
    """The settings of a new member. `module` is a PKCS#11 library, "file" for none, or "kms".

    With "kms", `cloud` says where the keys are or will be, and the PIN is a passphrase.

    With `fresh_softhsm`, a SoftHSM token is created in the member's own directory: for tests and
    the demonstration only. `serial` tells tokens of one label apart. `accept_unproven` is the
    operator's word that a token not known to be hardware may hold keys of a main network.
    """

    member: str
    name: str
    peer_address: str
    console_address: str
    module: str
    token: str
    fresh_softhsm: bool
    chains: tuple[ChainEntry, ...]
    serial: str = ""
    accept_unproven: bool = False
    cloud: CloudKeys | None = None


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
    the same member. `last_try` permits a PIN try that may be the token's last.
    Raises: SettingsInvalid for a bad name or address, or if the member exists already; HsmError.
    """
    _require_proper(new)
    make_keys(home, new, pin, so_pin, last_try=last_try)
    unfinished = UnfinishedSetUp(home / member_id(new.member))
    try:
        entry = finish_member(home, new)
    except BaseException:  # Interrupted too: nothing half-made is left.
        # Once keys are in a token of its own, only the identifier tells them from a member's.
        unfinished.undo(keep=holds_keys_elsewhere(vault_of(new)))
        raise
    unfinished.finish()
    return entry


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
    _require_taken(pin, so_pin)
    if new.member == TRIAL_FOLDER:
        raise SettingsInvalid(f"the identifier {TRIAL_FOLDER} is kept for the demonstration vault")
    files = MemberFiles(home / member_id(new.member))
    if files.settings.exists():
        raise SettingsInvalid(f"{new.member} is set up in {files.directory} already")
    unfinished = UnfinishedSetUp(files.directory)
    settings = _settings_of(new)
    require_not_over(files.directory)
    before = unfinished.read()
    identifier = unfinished.begin(settings.vault)
    try:
        if settings.vault.kind == KMS:
            resumed = before is not None
            unfinished.keys_made(
                *make_cloud_keys(files, settings, pin, identifier, resumed=resumed)
            )
            return
        _prepare_vault(files, new)
        how = SetUp(identifier=identifier, last_try=last_try)
        unfinished.keys_made(*_make_keys(home, files, settings, pin, so_pin, how))
    except SetUpOver:  # All that is there is a member's.
        raise
    except SetUpUnfinished:
        unfinished.undo(keep=True)
        raise
    except BaseException:  # Interrupted too: nothing half-made is left.
        # What an earlier call left in a token may be there still, after a wrong PIN for one.
        unfinished.undo(keep=before is not None and holds_keys_elsewhere(settings.vault))
        raise


def finish_member(home: Path, new: NewMember) -> RosterEntry:
    """Write a member's certificates, entry and settings; return the entry. Blocking.

    Its keys are made. The set-up stays open, so that it can be done again with other choices. The
    entry stays the same, with its TLS keys, unless one of those changes what is in it: other
    members may have it already. Raises: SettingsInvalid.
    """
    _require_proper(new)
    files = MemberFiles(home / member_id(new.member))
    unfinished = UnfinishedSetUp(files.directory)
    journal = unfinished.read()
    if journal is None or journal.vault is None or not journal.identity_key:
        raise SettingsInvalid(f"the keys of {new.member} are not made yet")
    if files.roster.exists():
        raise SettingsInvalid(f"{new.member} belongs to a vault already")
    vault = structs.replace(journal.vault, accept_unproven=new.accept_unproven)
    settings = structs.replace(_settings_of(new), vault=vault)
    entry = _entry_kept(files, new, journal.identity_key)
    if entry is not None:
        _write_settings(files, new, settings)
        return entry
    files.settings.unlink(missing_ok=True)
    unfinished.write_member_anew()
    return _write_files(files, new, settings, journal.identity_key)


def open_vault(home: Path, member: str, roster: Roster) -> None:
    """Write a member's roster and end its set-up: its node can start. Blocking.

    Raises: SettingsInvalid if it has another roster already, or none can be written.
    """
    files = MemberFiles(home / member_id(member))
    read_settings(files)
    if files.roster.exists() and read_roster(files) != roster:
        raise SettingsInvalid(f"{member} belongs to another vault already")
    _put_roster(files, roster)
    UnfinishedSetUp(files.directory).finish()


def discard_member(home: Path, member: str, pin: SecretBytes | None) -> None:
    """Remove all that an unfinished set-up made, in the token too. Wipes the PIN. Blocking.

    Raises: SettingsInvalid if the member belongs to a vault; PinNeeded, HsmError.
    """
    files = MemberFiles(home / member_id(member))
    unfinished = UnfinishedSetUp(files.directory)
    journal = unfinished.read()
    if files.roster.exists() or (files.settings.exists() and journal is None):
        raise SettingsInvalid(f"{member} is a whole member; it is not discarded as a set-up")
    if journal is None:
        return
    vault = journal.vault
    if vault is not None and vault.kind == KMS:
        remove_cloud_keys(files, vault, member, journal.identifier)
    elif vault is not None and holds_keys_elsewhere(vault):
        if pin is None:
            raise PinNeeded(f"keys of {member} are in the token {vault.token!r}")
        tries = tries_file(home, vault.module, vault.token)
        token = Pkcs11Settings(
            Path(vault.module),
            vault.token,
            files.directory / "shares",
            tries,
            member_id(member),
            serial=vault.serial,
        )
        remove(token, pin, SetUp(identifier=journal.identifier))
    unfinished.undo(keep=False)


def write_roster(home: Path, entries: tuple[RosterEntry, ...]) -> None:
    """Write the same roster for every member below `home`."""
    for entry in entries:
        directory = home / member_id(entry.member)
        if directory.exists():
            _put_roster(MemberFiles(directory), Roster(entries))


def join_vault(home: Path, member: str, founders: tuple[RosterEntry, ...]) -> RosterEntry:
    """Join a vault with a new machine; return its entry, which founders then endorse.

    `founders` are the entries of the vault's roster file, which every member has.
    Raises: SettingsInvalid.
    """
    files = MemberFiles(home / member_id(member))
    read_settings(files)
    (entry,) = read_entries(files.entry)
    if entry in founders:
        raise SettingsInvalid(f"{member} is a founder with this machine; it has nothing to join")
    _put_roster(files, Roster(founders, entry))
    return entry


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
    home: Path,
    files: MemberFiles,
    settings: MemberSettings,
    pin: SecretBytes,
    so_pin: SecretBytes | None,
    how: SetUp,
) -> tuple[bytes, Standing]:
    """Make the vault's keys; return the identity key, and what the vault's make is worth."""
    if settings.vault.kind == "file":
        return create_file_vault(file_settings(files, settings), pin), Standing.UNPROVEN
    token = pkcs11_settings(files, settings)
    if so_pin:
        initialise_token(token.module, token.token_label, so_pin, pin)
        so_pin.wipe()
    tries = tries_file(home, settings.vault.module, settings.vault.token)
    identity_key = provision(replace(token, backoff_file=tries), pin, how)
    return identity_key, standing_of(token.module, token.choice)


def _write_files(
    files: MemberFiles, new: NewMember, settings: MemberSettings, identity_key: bytes
) -> RosterEntry:
    peer = create_identity(files.tls, PEER_NAME, tls_name(member_id(new.member)))
    create_identity(files.tls, SERVER_NAME, SERVER_NAME)
    create_identity(files.tls, CLIENT_NAME, CLIENT_NAME)
    entry = _entry_of(new, identity_key, peer)
    files.entry.write_text(f"{entry_line(entry)}\n")
    _write_settings(files, new, settings)
    return entry


def _entry_of(new: NewMember, identity_key: bytes, peer: TlsIdentity) -> RosterEntry:
    return RosterEntry(
        member=new.member,
        name=new.name,
        address=new.peer_address,
        identity_key=identity_key.hex(),
        certificate=peer.certificate_pem.decode(),
    )


def _entry_kept(files: MemberFiles, new: NewMember, identity_key: bytes) -> RosterEntry | None:
    """Return the entry that is written already, if it says the same and all its keys are whole."""
    try:
        (entry,) = read_entries(files.entry)
        peer = load_identity(files.tls, PEER_NAME)
        for name in (SERVER_NAME, CLIENT_NAME):
            load_identity(files.tls, name)
    except (SettingsInvalid, TlsMaterialUnusable, ValueError):
        return None
    return entry if entry == _entry_of(new, identity_key, peer) else None


def _write_settings(files: MemberFiles, new: NewMember, settings: MemberSettings) -> None:
    (files.directory / ADDRESS_FILE).write_text(f"{new.console_address}\n")
    write_profile(Profile(new.member, new.name, files.directory))
    # The settings are written last: a member without them was not set up.
    UnfinishedSetUp(files.directory).sync_files()
    fresh = files.directory / FRESH_SETTINGS
    write_toml(fresh, settings)
    put_in_place(fresh, files.settings)


def _put_roster(files: MemberFiles, roster: Roster) -> None:
    fresh = files.directory / FRESH_ROSTER
    write_toml(fresh, roster)
    put_in_place(fresh, files.roster)


def _settings_of(new: NewMember) -> MemberSettings:
    return MemberSettings(
        member=new.member,
        name=new.name,
        peer_address=new.peer_address,
        console_address=new.console_address,
        vault=vault_of(new),
        chains=new.chains,
    )


def vault_of(new: NewMember) -> VaultSettings:
    if new.cloud is not None:
        return new.cloud.vault()
    if new.module == "file":
        return VaultSettings(kind="file")
    conf = SOFTHSM_CONF if new.fresh_softhsm else ""
    return VaultSettings(
        kind="pkcs11",
        module=new.module,
        token=new.token,
        softhsm_conf=conf,
        serial=new.serial,
    )


def _prepare_vault(files: MemberFiles, new: NewMember) -> None:
    if new.module == "file":
        files.vault.mkdir(exist_ok=True, mode=0o700)
    elif new.fresh_softhsm:
        os.environ["SOFTHSM2_CONF"] = str(softhsm_conf(files.directory))
