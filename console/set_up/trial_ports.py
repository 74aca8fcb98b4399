"""A demonstration's ports: kept from start to start, and others chosen where one is taken."""

import importlib
from collections.abc import Collection
from pathlib import Path

import msgspec
from msgspec.structs import replace

from console.client.remote import ADDRESS_FILE
from console.client.run_mark import RunMark, RunState
from console.provisioning import write_roster
from console.sealing.sealed_record import replace_file
from console.set_up.ports import is_free, standing_ports
from console.set_up.trial_files import TrialFiles, TrialMember, TrialRecord
from console.settings import (
    ChainEntry,
    MemberFiles,
    RosterEntry,
    entry_line,
    read_entries,
    read_roster,
    read_settings,
)

_ENTRIES = "console.devnet.entries"
"""Imported by name when it is needed: the installed product has no devnet."""


def chains_at(devnet_port: int) -> tuple[ChainEntry, ...]:
    """Return the chains of a devnet at this port."""
    module = importlib.import_module(_ENTRIES)
    return msgspec.convert(module.chain_entries(devnet_port), tuple[ChainEntry, ...])


def taken_ports(home: Path, record: TrialRecord) -> frozenset[int]:
    """Return the ports that other programs have, of a demonstration without a supervisor."""
    own = {
        port
        for each in record.members
        if RunMark(home / each.member).look() is RunState.RUNS
        for port in (each.peer_port, each.console_port)
    }
    return frozenset(port for port in _ports(record) if port not in own and not is_free(port))


def with_others(record: TrialRecord, taken: Collection[int]) -> TrialRecord:
    """Return the record with another port for each that is taken."""
    fresh = dict(zip(taken, standing_ports(len(taken), avoid=_ports(record)), strict=True))
    return replace(
        record,
        devnet_port=fresh.get(record.devnet_port, record.devnet_port),
        members=tuple(
            replace(
                each,
                peer_port=fresh.get(each.peer_port, each.peer_port),
                console_port=fresh.get(each.console_port, each.console_port),
            )
            for each in record.members
        ),
    )


def write_ports(files: TrialFiles, record: TrialRecord) -> None:
    """Have the files of all members say what the record says; what says it already stays as it is.

    The vault is the same: its members are known by their keys. Raises: SettingsInvalid, OSError.
    """
    for each in record.members:
        _write_settings(MemberFiles(files.home / each.member), each, chains_at(record.devnet_port))
    first = MemberFiles(files.home / record.members[0].member)
    known = read_roster(first).members
    wanted = tuple(_moved(entry, record) for entry in known)
    rosters = [read_roster(MemberFiles(files.home / each.member)) for each in record.members]
    if any(roster.members != wanted for roster in rosters):
        write_roster(files.home, wanted)


def _ports(record: TrialRecord) -> list[int]:
    of_members = [port for each in record.members for port in (each.peer_port, each.console_port)]
    return [record.devnet_port, *of_members]


def _write_settings(
    files: MemberFiles, member: TrialMember, chains: tuple[ChainEntry, ...]
) -> None:
    settings = read_settings(files)
    at = {chain.chain: chain for chain in chains}
    wanted = replace(
        settings,
        peer_address=f"127.0.0.1:{member.peer_port}",
        console_address=f"127.0.0.1:{member.console_port}",
        chains=tuple(_at(chain, at) for chain in settings.chains),
    )
    address = f"{wanted.console_address}\n".encode()
    if (files.directory / ADDRESS_FILE).read_bytes() != address:
        replace_file(files.directory / ADDRESS_FILE, address)
    if wanted != settings:
        replace_file(files.settings, msgspec.toml.encode(wanted))
    (entry,) = read_entries(files.entry)
    moved = replace(entry, address=wanted.peer_address)
    if moved != entry:
        replace_file(files.entry, f"{entry_line(moved)}\n".encode())


def _at(chain: ChainEntry, fresh: dict[str, ChainEntry]) -> ChainEntry:
    known = fresh.get(chain.chain)
    if known is None:
        return chain
    return replace(chain, url=known.url, websocket=known.websocket)


def _moved(entry: RosterEntry, record: TrialRecord) -> RosterEntry:
    for each in record.members:
        if each.member == entry.member:
            return replace(entry, address=f"127.0.0.1:{each.peer_port}")
    return entry
