"""Sets up a new member on this machine: directory, TLS keys, vault keys, roster entry."""

import os
from dataclasses import dataclass
from pathlib import Path

from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.link_keys import PEER_NAME
from console.adapters.network.tls import create_identity
from console.adapters.shares.vault import create_file_vault
from console.application.commands import secret_problem
from console.bootstrap import file_settings, pkcs11_settings
from console.client.profiles import Profile, write_profile
from console.client.remote import ADDRESS_FILE, CLIENT_NAME, SERVER_NAME
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
    read_settings,
    write_toml,
)
from hsm import initialise_token, provision

SOFTHSM_CONF = "softhsm2.conf"
_SOFTHSM_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)


@dataclass(frozen=True, slots=True)
class NewMember:
    """The settings of a new member. `module` is a PKCS#11 library, or "file" for none.

    With `fresh_softhsm`, a SoftHSM token is created in the member's own directory: for tests and
    the demonstration only.
    """

    member: str
    name: str
    peer_address: str
    console_address: str
    module: str
    token: str
    fresh_softhsm: bool
    chains: tuple[ChainEntry, ...]


def set_up_member(
    home: Path, new: NewMember, pin: SecretBytes, so_pin: SecretBytes | None
) -> RosterEntry:
    """Create a member's files and keys; return its roster entry. Wipes the PINs. Blocking.

    Raises: SettingsInvalid for a bad name or address, or if the member exists already; HsmError.
    """
    try:
        proper_name(new.name, "the operator's name")
        for address in (new.peer_address, new.console_address):
            proper_address(address, f"the address {address!r}")
    except MalformedIdentifier as wrong:
        raise SettingsInvalid(str(wrong)) from None
    for name, secret in (("PIN", pin), ("security officer's PIN", so_pin)):
        problem = secret_problem(secret.view()) if secret is not None else ""
        if problem:
            raise SettingsInvalid(f"the {name} is not taken: {problem}")
    files = MemberFiles(home / member_id(new.member))
    if files.settings.exists():
        raise SettingsInvalid(f"{new.member} is set up in {files.directory} already")
    files.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    files.directory.chmod(0o700)
    settings = MemberSettings(
        member=new.member,
        name=new.name,
        peer_address=new.peer_address,
        console_address=new.console_address,
        vault=_vault_settings(files, new),
        chains=new.chains,
    )
    if new.module == "file":
        identity_key = create_file_vault(file_settings(files, settings), pin)
    else:
        token = pkcs11_settings(files, settings)
        if so_pin:
            initialise_token(token.module, token.token_label, so_pin, pin)
            so_pin.wipe()
        identity_key = provision(token, pin)
    peer = create_identity(files.tls, PEER_NAME, tls_name(member_id(new.member)))
    create_identity(files.tls, SERVER_NAME, SERVER_NAME)
    create_identity(files.tls, CLIENT_NAME, CLIENT_NAME)
    (files.directory / ADDRESS_FILE).write_text(f"{new.console_address}\n")
    write_profile(Profile(new.member, new.name, files.directory))
    entry = RosterEntry(
        member=new.member,
        name=new.name,
        address=new.peer_address,
        identity_key=identity_key.hex(),
        certificate=peer.certificate_pem.decode(),
    )
    files.entry.write_text(f"{entry_line(entry)}\n")
    # The settings are written last: a member without them was not set up.
    write_toml(files.settings, settings)
    return entry


def write_roster(home: Path, entries: tuple[RosterEntry, ...]) -> None:
    """Write the same roster for every member below `home`."""
    for entry in entries:
        directory = home / member_id(entry.member)
        if directory.exists():
            write_toml(MemberFiles(directory).roster, Roster(entries))


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
    write_toml(files.roster, Roster(founders, entry))
    return entry


def find_softhsm() -> Path:
    """Return SoftHSM's library. Raises: SettingsInvalid naming its package."""
    for module in _SOFTHSM_MODULES:
        if module.exists():
            return module
    raise SettingsInvalid("SoftHSM is not installed; the Debian package is softhsm2")


def _vault_settings(files: MemberFiles, new: NewMember) -> VaultSettings:
    if new.module == "file":
        files.vault.mkdir(exist_ok=True, mode=0o700)
        return VaultSettings(kind="file")
    if not new.fresh_softhsm:
        return VaultSettings(kind="pkcs11", module=new.module, token=new.token)
    tokens = files.directory / "tokens"
    tokens.mkdir(mode=0o700)
    conf = files.directory / SOFTHSM_CONF
    conf.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    return VaultSettings(
        kind="pkcs11", module=new.module, token=new.token, softhsm_conf=SOFTHSM_CONF
    )
