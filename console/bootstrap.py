"""The composition root: explicit tables of what exists, and the only place that joins it."""

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.adapters.bus.in_process import InProcessBus
from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.solana.adapter import SolanaAdapter
from console.adapters.clock import SystemClock
from console.adapters.console_api import ConsoleServer
from console.adapters.ledger.export import export, export_records
from console.adapters.ledger.keys import ledger_key
from console.adapters.ledger.store import SqlCipherEventStore, open_ledger
from console.adapters.network.grpc_peers import GrpcNetwork, Peer, tls_name
from console.adapters.network.link_keys import LinkKeyFiles
from console.adapters.network.tls import load_certificate, load_identity, peer_pin
from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.adapters.shares.vault import FileVault, FileVaultSettings
from console.application.console_service import ConsoleService
from console.application.core import Ports
from console.application.errors import InvalidAddress, LedgerUnavailable, OptionNotKnown
from console.application.node import Node
from console.application.ports.chain import Asset, ChainAdapter, ChainSettings
from console.application.ports.event_store import EventStore
from console.application.ports.threshold import ThresholdScheme
from console.application.ports.vault import VaultPort
from console.client.remote import CLIENT_NAME, SERVER_NAME
from console.domain.errors import MalformedIdentifier
from console.domain.ids import MemberId, member_id
from console.domain.member import Member
from console.domain.values import Chain, Network, SignatureKind
from console.settings import (
    ChainEntry,
    MemberFiles,
    MemberSettings,
    Roster,
    RosterEntry,
    SettingsInvalid,
    VaultSettings,
    read_roster,
    read_settings,
)
from hsm import Pkcs11Settings, Pkcs11Vault
from hsm.kms import KmsPlace, KmsSettings, KmsVault, PlaceInvalid

VERSION = "0.1.0"

CHAINS: dict[Chain, type[ChainAdapter]] = {
    Chain.SOLANA: SolanaAdapter,
    Chain.ETHEREUM: EthereumAdapter,
    Chain.BITCOIN: BitcoinAdapter,
}
SCHEMES: tuple[Callable[[], ThresholdScheme], ...] = (
    EcdsaSecp256k1,
    SchnorrBip340,
    EddsaEd25519,
)
VAULTS: dict[str, Callable[[MemberFiles, MemberSettings], VaultPort]] = {
    "pkcs11": lambda files, settings: Pkcs11Vault(pkcs11_settings(files, settings)),
    "file": lambda files, settings: FileVault(file_settings(files, settings)),
    "kms": lambda files, settings: KmsVault(whole_kms_settings(files, settings)),
}
_NOT_KNOWN = {
    "trusted": "knows no contracts that could be trusted",
    "websocket": "is not followed over a websocket",
}
"""What is said when a chain is given an option that it does not know."""


@dataclass(frozen=True, slots=True)
class BuiltNode:
    """A node and the port on which its consoles reach it; neither is started."""

    node: Node
    console: ConsoleService
    server: ConsoleServer
    settings: MemberSettings
    keys: LinkKeyFiles


def build_node(directory: Path, checkpoint: Callable[[str], None] | None = None) -> BuiltNode:
    """Join a node from a member's directory.

    Raises: SettingsInvalid, TlsMaterialUnusable, HsmError.
    """
    files = MemberFiles(directory)
    settings, roster = read_settings(files), read_roster(files)
    me = _member_id(settings.member)
    members = tuple(_member(entry) for entry in roster.members)
    mine = next((m for m in members if m.member == me), None)
    if roster.joining is not None:
        mine = _member(roster.joining)
    if mine is None or mine.member != me:
        raise SettingsInvalid(f"{files.roster} does not list {me}")
    clock = SystemClock()
    vault = build_vault(files, settings)
    keys = LinkKeyFiles(files.tls, tls_name(me))
    network = GrpcNetwork(
        me,
        settings.peer_address,
        keys.identity,
        _peers(roster, me),
        clock,
        keys=keys,
        formers=keys.former,
    )
    keys.show = network.show
    schemes = [scheme() for scheme in SCHEMES]
    ports = Ports(
        vault=vault,
        network=network,
        bus=InProcessBus(),
        clock=clock,
        chains=build_chains(settings.chains),
        schemes={scheme.kind: scheme for scheme in schemes},
        open_ledger=_ledger_opener(files, vault, me, clock),
        export_ledger=_exporter(files, vault),
        key_uses=key_uses(),
        checkpoint=checkpoint or (lambda _name: None),
    )
    node = Node(mine, members, ports, name=settings.name, version=VERSION)
    console = ConsoleService(node)
    server = ConsoleServer(
        console,
        settings.console_address,
        load_identity(files.tls, SERVER_NAME),
        load_certificate(files.tls, CLIENT_NAME),
    )
    return BuiltNode(node, console, server, settings, keys)


def key_uses() -> dict[SignatureKind, tuple[str, ...]]:
    """Return what the chains use each kind of keys for, whether this member has set them or not."""
    accounts = [account for chain in CHAINS.values() for account in chain.accounts]
    return {
        kind: tuple(sorted({a.key_use or a.label for a in accounts if a.kind is kind}))
        for kind in SignatureKind
    }


def build_vault(files: MemberFiles, settings: MemberSettings) -> VaultPort:
    """Open a member's vault, still locked. Raises: SettingsInvalid, HsmError."""
    build = VAULTS.get(settings.vault.kind)
    if build is None:
        raise SettingsInvalid(f"{files.settings}: no vault of kind {settings.vault.kind!r}")
    return build(files, settings)


async def open_member_ledger(
    files: MemberFiles, vault: VaultPort, me: MemberId, clock: SystemClock
) -> SqlCipherEventStore:
    """Open a member's ledger with its unlocked vault. Raises: LedgerError, HsmError."""
    key = await ledger_key(files.ledger_key, files.ledger, vault.wrapping)
    return await open_ledger(files.ledger, key, vault.anchor, me, clock.now_ms)


def pkcs11_settings(files: MemberFiles, settings: MemberSettings) -> Pkcs11Settings:
    """Return where a member's token is. Sets what its module reads from the environment once.

    Raises: SettingsInvalid if a variable has another value already.
    """
    vault = settings.vault
    if vault.softhsm_conf:
        os.environ["SOFTHSM2_CONF"] = str(files.directory / vault.softhsm_conf)
    for name, value in vault.environment.items():
        if os.environ.setdefault(name, value) != value:
            raise SettingsInvalid(
                f"{files.settings}: {name} is set to something else where this program was started"
            )
    return Pkcs11Settings(
        module=Path(vault.module),
        token_label=vault.token,
        shares_dir=files.directory / "shares",
        backoff_file=files.directory / "pin-backoff",
        member=_member_id(settings.member),
        serial=vault.serial,
        slot=vault.slot,
        accept_unproven=vault.accept_unproven,
    )


def whole_kms_settings(files: MemberFiles, settings: MemberSettings) -> KmsSettings:
    """Return where a member's KMS keys are, both of them. Raises: SettingsInvalid."""
    found = kms_settings(files, settings.member, settings.vault)
    if not found.place.whole:
        raise SettingsInvalid(f"{files.settings}: the vault needs `sealing_key` and `identity_key`")
    return found


def kms_settings(files: MemberFiles, member: str, vault: VaultSettings) -> KmsSettings:
    """Return where a member's KMS keys are. Raises: SettingsInvalid."""
    try:
        place = KmsPlace(
            region=vault.region,
            sealing_key=vault.sealing_key,
            identity_key=vault.identity_key,
            endpoint_url=vault.endpoint_url,
            profile=vault.profile,
        )
    except PlaceInvalid as wrong:
        raise SettingsInvalid(f"the vault's settings: {wrong}") from None
    return KmsSettings(
        place=place,
        folder=files.directory,
        member=_member_id(member),
        accept_unproven=vault.accept_unproven,
    )


def file_settings(files: MemberFiles, settings: MemberSettings) -> FileVaultSettings:
    """Return where a member's encrypted files are."""
    return FileVaultSettings(files.vault, _member_id(settings.member))


def _ledger_opener(
    files: MemberFiles, vault: VaultPort, me: MemberId, clock: SystemClock
) -> Callable[[], Coroutine[Any, Any, EventStore]]:
    async def open_() -> EventStore:
        return await open_member_ledger(files, vault, me, clock)

    return open_


def _exporter(
    files: MemberFiles, vault: VaultPort
) -> Callable[[EventStore, str, tuple[int, ...]], Coroutine[Any, Any, str]]:
    async def export_(store: EventStore, name: str, records: tuple[int, ...]) -> str:
        if not isinstance(store, SqlCipherEventStore):
            raise LedgerUnavailable("this ledger has no export")
        files.exports.mkdir(mode=0o700, exist_ok=True)
        path = files.exports / name
        if records:
            await export_records(store, path, vault.identity, records)
        else:
            await export(store, path, vault.identity)
        return str(path)

    return export_


def build_chains(settings: tuple[ChainEntry, ...]) -> dict[Chain, ChainAdapter]:
    """Build the adapter of each chain. Raises: SettingsInvalid."""
    adapters = {adapter.chain: adapter for adapter in map(_chain, settings)}
    if len(adapters) < len(settings):
        # Which network a wallet is on must not depend on the order of lines.
        raise SettingsInvalid("a chain is listed twice; a member uses one network of each")
    return adapters


def _chain(settings: ChainEntry) -> ChainAdapter:
    try:
        kind, network = CHAINS[Chain(settings.chain)], Network(settings.network)
    except (ValueError, KeyError):
        raise SettingsInvalid(
            f"there is no chain {settings.chain!r} on network {settings.network!r}"
        ) from None
    assets = tuple(Asset(t.address, t.unit, t.decimals) for t in settings.tokens)
    urls = (settings.url, *settings.more_urls)
    told = ChainSettings(network=network, urls=urls, assets=assets, options=settings.options)
    try:
        adapter = kind.from_settings(told)
    except InvalidAddress as error:
        raise SettingsInvalid(f"{settings.chain}: a token or contract: {error}") from None
    except OptionNotKnown as error:
        why = _NOT_KNOWN.get(error.name, f"has no option {error.name!r}")
        raise SettingsInvalid(f"{settings.chain} {why}") from None
    _require_names(settings.chain, adapter, assets)
    return adapter


def _require_names(chain: str, adapter: ChainAdapter, assets: tuple[Asset, ...]) -> None:
    """Refuse tokens that would be taken for each other or for the coin. Raises: SettingsInvalid."""
    if len(adapter.assets) != len(assets):
        raise SettingsInvalid(f"{chain} has no tokens here")
    units = {adapter.unit.casefold(), *(asset.unit.casefold() for asset in assets)}
    addresses = {asset.address for asset in adapter.assets}
    if len(units) <= len(assets) or len(addresses) < len(assets):
        raise SettingsInvalid(f"{chain}: two tokens have one name or address")


def _member(entry: RosterEntry) -> Member:
    try:
        identity_key = bytes.fromhex(entry.identity_key)
    except ValueError:
        raise SettingsInvalid(f"the roster's key of {entry.member} is not hexadecimal") from None
    return Member(
        member=_member_id(entry.member),
        display_name=entry.name,
        identity_key=identity_key,
        tls_pin=peer_pin(entry.certificate.encode(), tls_name(_member_id(entry.member))),
        address=entry.address,
    )


def _peers(roster: Roster, me: MemberId) -> tuple[Peer, ...]:
    return tuple(
        Peer(_member_id(entry.member), entry.address, entry.certificate.encode())
        for entry in roster.members
        if entry.member != me
    )


def _member_id(text: str) -> MemberId:
    try:
        return member_id(text)
    except MalformedIdentifier as error:
        raise SettingsInvalid(str(error)) from None
