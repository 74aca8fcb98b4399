"""A member's settings and roster, read once and strictly from TOML files in its directory."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

SETTINGS_FILE, ROSTER_FILE, ENTRY_FILE = "member.toml", "roster.toml", "entry.json"
MAX_FILE_BYTES = 256 * 1024

_VARIABLE = re.compile(r"\A[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_LONGEST_VALUE = 1024
# Variables of this program, its libraries, its loader and its user: a module has no say in them.
_NOT_A_MODULES = (
    *("LD_", "DYLD_", "PYTHON", "GLIBC", "GCONV", "MALLOC", "OPENSSL", "SSL_", "QT_", "GRPC"),
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "IFS", "TMP", "TEMP", "LANG", "LC_", "TZ"),
    *("HTTP", "NO_PROXY", "ALL_PROXY", "XDG_", "DISPLAY", "WAYLAND", "DBUS", "QUORATE_"),
)

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class SettingsInvalid(Exception):
    """A settings or roster file is missing or wrong; the message says where."""


class VaultSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """`kind` is "pkcs11", "file" or "kms". `softhsm_conf` is for SoftHSM tokens only.

    `token` is a label, `serial:NUMBER` or `slot:NUMBER`; `serial` and `slot` choose among tokens of
    one label. `environment` is set before the module is loaded. With `accept_unproven` a token that
    is not known to be hardware may hold keys of a main network.

    Of "kms" are `region`, the ARNs `sealing_key` and `identity_key`, the name of an AWS `profile`,
    and an `endpoint_url` if it is not the region's own. Credentials never stand here.
    """

    kind: Text
    module: str = ""
    token: str = ""
    softhsm_conf: str = ""
    serial: Annotated[str, msgspec.Meta(max_length=64)] = ""
    slot: Annotated[int, msgspec.Meta(ge=0)] | None = None
    environment: Annotated[dict[str, str], msgspec.Meta(max_length=16)] = {}
    accept_unproven: bool = False
    region: Annotated[str, msgspec.Meta(max_length=32)] = ""
    sealing_key: Annotated[str, msgspec.Meta(max_length=256)] = ""
    identity_key: Annotated[str, msgspec.Meta(max_length=256)] = ""
    endpoint_url: Annotated[str, msgspec.Meta(max_length=256)] = ""
    profile: Annotated[str, msgspec.Meta(max_length=128)] = ""

    def __post_init__(self) -> None:
        for name, value in self.environment.items():
            if not _VARIABLE.match(name) or name.upper().startswith(_NOT_A_MODULES):
                raise ValueError(f"the variable {name!r} is not set for a module")
            if "\0" in value or len(value) > _LONGEST_VALUE:
                raise ValueError(f"the value of {name!r} is too long, or holds a zero byte")


class TokenSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that this member trusts: its contract or mint, unit and decimals."""

    address: Text
    unit: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9.$]{1,12}\Z")]
    decimals: Annotated[int, msgspec.Meta(ge=0, le=36)]


class ChainEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A chain's nodes. With `more_urls`, all of them must agree.

    `trusted` are contracts that may receive allowances. `websocket` is the URL of a node's
    notifications. Only some chains have these two.
    """

    chain: Text
    network: Text
    url: Text
    more_urls: tuple[Text, ...] = ()
    tokens: tuple[TokenSettings, ...] = ()
    trusted: tuple[Text, ...] = ()
    websocket: str = ""

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """The options that only some chains have, by name, if set."""
        values = {"trusted": self.trusted, "websocket": (self.websocket,)}
        return {name: given for name, given in values.items() if any(given)}


class MemberSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member on this machine. Addresses are `host:port`."""

    member: Text
    name: Text
    peer_address: Text
    console_address: Text
    vault: VaultSettings
    chains: tuple[ChainEntry, ...] = ()


class RosterEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member's entry in the roster: identity key in hexadecimal, certificate in PEM."""

    member: Text
    name: Text
    address: Text
    identity_key: Text
    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The founding members of a vault; their keys identify it.

    `joining` is this machine's own entry if it joins later, for a new member or in place of a lost
    machine: the others endorse it, and their ledgers record that.
    """

    members: tuple[RosterEntry, ...]
    joining: RosterEntry | None = None


@dataclass(frozen=True, slots=True)
class MemberFiles:
    """The paths of a member's files."""

    directory: Path

    @property
    def settings(self) -> Path:
        return self.directory / SETTINGS_FILE

    @property
    def roster(self) -> Path:
        return self.directory / ROSTER_FILE

    @property
    def entry(self) -> Path:
        """This machine's own roster entry, as `quorate init` printed it."""
        return self.directory / ENTRY_FILE

    @property
    def tls(self) -> Path:
        return self.directory / "tls"

    @property
    def ledger(self) -> Path:
        return self.directory / "ledger.db"

    @property
    def ledger_key(self) -> Path:
        return self.directory / "ledger.key"

    @property
    def exports(self) -> Path:
        return self.directory / "exports"

    @property
    def vault(self) -> Path:
        return self.directory / "vault"

    @property
    def log(self) -> Path:
        return self.directory / "node.log"


def read_settings(files: MemberFiles) -> MemberSettings:
    """Raises: SettingsInvalid."""
    return _read(files.settings, MemberSettings)


def read_roster(files: MemberFiles) -> Roster:
    """Raises: SettingsInvalid."""
    roster = _read(files.roster, Roster)
    require_own_keys(roster)
    return roster


def require_own_keys(roster: Roster) -> None:
    """Check that no two members have one identity key: one would count as two.

    Raises: SettingsInvalid.
    """
    owners: dict[str, str] = {}
    entries = (*roster.members, *((roster.joining,) if roster.joining else ()))
    for entry in entries:
        owner = owners.setdefault(entry.identity_key, entry.member)
        if owner != entry.member:
            raise SettingsInvalid(
                f"{owner} and {entry.member} have the same identity key: whoever has it would "
                "count as two members. Each member needs keys of its own"
            )


def entry_line(entry: RosterEntry) -> str:
    """Return an entry as one line of JSON."""
    return msgspec.json.encode(entry).decode()


def read_entries(path: Path) -> tuple[RosterEntry, ...]:
    """Read a file with one entry per line. Raises: SettingsInvalid."""
    try:
        data = _read_bounded(path)
        lines = [line for line in data.splitlines() if line.strip()]
        return tuple(msgspec.json.decode(line, type=RosterEntry) for line in lines)
    except (msgspec.MsgspecError, UnicodeError):
        raise SettingsInvalid(f"{path} has a line that is no roster entry") from None


def write_toml(path: Path, content: MemberSettings | Roster) -> None:
    """Write a settings or roster file."""
    path.write_bytes(msgspec.toml.encode(content))


def _read(path: Path, kind: type[T]) -> T:
    data = _read_bounded(path, ": is this member set up?")
    try:
        return msgspec.toml.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsInvalid(f"{path}: {error}") from None


def _read_bounded(path: Path, hint: str = "") -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise SettingsInvalid(f"{path} cannot be read{hint}") from None
    if len(data) > MAX_FILE_BYTES:
        raise SettingsInvalid(f"{path} is too large")
    return data
