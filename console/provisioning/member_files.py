"""A member's own files: settings, certificates, roster entry and profile."""

from dataclasses import dataclass

from msgspec import structs

from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.link_keys import PEER_NAME
from console.adapters.network.tls import (
    TlsIdentity,
    TlsMaterialUnusable,
    create_identity,
    load_identity,
)
from console.client.profiles import Profile, write_profile
from console.client.remote import ADDRESS_FILE, CLIENT_NAME, SERVER_NAME
from console.domain.ids import member_id
from console.provisioning.cloud import CloudKeys
from console.settings import (
    ChainEntry,
    MemberFiles,
    MemberSettings,
    RosterEntry,
    SettingsInvalid,
    VaultSettings,
    entry_line,
    read_entries,
    read_settings,
    write_toml,
)
from console.unfinished import (
    FRESH_SETTINGS,
    SOFTHSM_CONF,
    UnfinishedSetUp,
    is_same_vault,
    put_in_place,
)


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


def settings_of(new: NewMember) -> MemberSettings:
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


def finished_before(files: MemberFiles, new: NewMember) -> RosterEntry | None:
    """Return the entry of a member that is set up like this already, and has no roster yet.

    The program may have died before it printed the entry.
    """
    if not files.settings.exists() or files.roster.exists():
        return None
    journal = UnfinishedSetUp(files.directory).read()
    there, wanted = read_settings(files), settings_of(new)
    if is_same_vault(there.vault, wanted.vault):
        wanted = structs.replace(wanted, vault=there.vault)
    if journal is None or there != wanted:
        return None
    return entry_kept(files, new, journal.identity_key)


def write_files(
    files: MemberFiles, new: NewMember, settings: MemberSettings, identity_key: bytes
) -> RosterEntry:
    UnfinishedSetUp(files.directory).make_folder(files.tls.name)
    peer = create_identity(files.tls, PEER_NAME, tls_name(member_id(new.member)))
    create_identity(files.tls, SERVER_NAME, SERVER_NAME)
    create_identity(files.tls, CLIENT_NAME, CLIENT_NAME)
    entry = _entry_of(new, identity_key, peer)
    files.entry.write_text(f"{entry_line(entry)}\n")
    write_settings(files, new, settings)
    return entry


def _entry_of(new: NewMember, identity_key: bytes, peer: TlsIdentity) -> RosterEntry:
    return RosterEntry(
        member=new.member,
        name=new.name,
        address=new.peer_address,
        identity_key=identity_key.hex(),
        certificate=peer.certificate_pem.decode(),
    )


def entry_kept(files: MemberFiles, new: NewMember, identity_key: bytes) -> RosterEntry | None:
    """Return the entry that is written already, if it says the same and all its keys are whole."""
    try:
        (entry,) = read_entries(files.entry)
        peer = load_identity(files.tls, PEER_NAME)
        for name in (SERVER_NAME, CLIENT_NAME):
            load_identity(files.tls, name)
    except (SettingsInvalid, TlsMaterialUnusable, ValueError):
        return None
    return entry if entry == _entry_of(new, identity_key, peer) else None


def write_settings(files: MemberFiles, new: NewMember, settings: MemberSettings) -> None:
    (files.directory / ADDRESS_FILE).write_text(f"{new.console_address}\n")
    write_profile(Profile(new.member, new.name, files.directory))
    # The settings are written last: a member without them was not set up.
    UnfinishedSetUp(files.directory).sync_files()
    fresh = files.directory / FRESH_SETTINGS
    write_toml(fresh, settings)
    put_in_place(fresh, files.settings)
