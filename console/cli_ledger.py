"""`quorate verify` and `export`: what auditors ask for, without a window."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from console.adapters.clock import SystemClock
from console.adapters.ledger.verifier import told, verify_export
from console.application.api import Console, NodeUnreachable
from console.application.commands import ExportLedger, VerifyLedger
from console.bootstrap import build_vault, open_member_ledger
from console.cli_machines import DEFAULT_HOME, Home, MemberName, execute
from console.cli_secrets import read_pin
from console.client import Profile, connect
from console.domain.ids import member_id
from console.settings import MemberFiles, SettingsInvalid, read_settings


def verify(
    member: MemberName = "",
    home: Home = DEFAULT_HOME,
    export: Annotated[Path | None, typer.Option(help="Verify an export.")] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The key that has to have signed the export, or its SHA-256."),
    ] = None,
) -> None:
    """Verify a ledger and its head: a member's, or an export."""
    if export:
        typer.echo(f"verified: {told(verify_export(export, key))}")
        return
    directory = home / member_id(member)
    typer.echo(asyncio.run(_verify(directory, member)))


def export(
    member: MemberName,
    home: Home = DEFAULT_HOME,
    record: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Only this record, with its proof; several times for several."),
    ] = None,
) -> None:
    """Export the running node's ledger to a file that anyone can verify."""
    directory = home / member_id(member)
    typer.echo(asyncio.run(_export(directory, member, tuple(record or ()))))


async def _export(directory: Path, member: str, records: tuple[int, ...]) -> str:
    return (await execute(directory, member, ExportLedger(records))).subject


async def _verify(directory: Path, member: str) -> str:
    """Verify through the running node or, if it does not answer, by opening the ledger here."""
    try:
        console: Console = await connect(Profile(member, member, directory))
        outcome = await console.execute(VerifyLedger())
        await console.close()
    except NodeUnreachable:
        return await _verify_offline(directory)
    return f"verified by the node: records 1 to {outcome.subject}"


async def _verify_offline(directory: Path) -> str:
    files = MemberFiles(directory)
    settings = read_settings(files)
    if not files.ledger.exists():
        raise SettingsInvalid(f"{settings.member} has no ledger yet: its vault was never unlocked")
    vault = build_vault(files, settings)
    try:
        await vault.unlock(read_pin("PIN"))
        me = member_id(settings.member)
        store = await open_member_ledger(files, vault, me, SystemClock())
        try:
            report = await store.verify()
        finally:
            await store.close()
    finally:
        await vault.close()
    return f"verified: records 1 to {report.records}, root {report.head.hash.hex()}"
