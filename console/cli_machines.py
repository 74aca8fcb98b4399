"""`quorate machines`, `address` and `link-key`: what the machines page does, without a window."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from console.application.api import Console, GetRecovery, Query, V_co
from console.application.commands import (
    ChangeAddress,
    ChangeLinkKey,
    Command,
    FinishLinkKey,
    Outcome,
    SetPeerAddress,
    address_problem,
)
from console.application.views import LinkView
from console.client import Profile, connect
from console.domain.ids import member_id
from console.settings import SettingsInvalid

Home = Annotated[Path, typer.Option(help="Directory with this machine's members.")]
MemberName = Annotated[str, typer.Option(help="The member's short name.")]
DEFAULT_HOME = Path(platformdirs.user_data_dir("quorate"))


def machines(member: MemberName, home: Home = DEFAULT_HOME) -> None:
    """Print where the running node reaches each member, its version and its certificate's end."""
    for link in asyncio.run(_ask(home / member_id(member), member, GetRecovery())).links:
        typer.echo(_line_of(link))


def address(
    member: MemberName,
    address: Annotated[str, typer.Argument(help='host:port; "" with --peer takes it back.')],
    home: Home = DEFAULT_HOME,
    peer: Annotated[str, typer.Option(help="Reach this peer there, from this node alone.")] = "",
) -> None:
    """Sign and tell the others where this member's machine is reached from now on.

    The running, unlocked node does it. Where the node itself listens is in its settings file and
    is not changed. With --peer nothing is signed: it holds for this node until the peer signs a
    new address, as for two machines that moved at once.
    """
    problem = address_problem(address) if address or not peer else ""
    if problem:
        raise SettingsInvalid(problem.removesuffix("."))
    command = SetPeerAddress(peer, address) if peer else ChangeAddress(address)
    typer.echo(asyncio.run(execute(home / member_id(member), member, command)).message)


def link_key(
    member: MemberName,
    home: Home = DEFAULT_HOME,
    now: Annotated[bool, typer.Option(help="Go over to it now, whoever has not heard.")] = False,
) -> None:
    """Change the TLS key of this member's links: the node goes over to it once all have it.

    For a key that may have been copied. Certificates are renewed without being asked for.
    """
    command = FinishLinkKey() if now else ChangeLinkKey()
    typer.echo(asyncio.run(execute(home / member_id(member), member, command)).message)


def _line_of(link: LinkView) -> str:
    """Return a member's machine as one line."""
    ends_ms = link.certificate_ends_ms
    day = dt.datetime.fromtimestamp(ends_ms / 1000, dt.UTC).date() if ends_ms is not None else "?"
    version = link.version or "?"
    parts = (
        link.member,
        f"{link.address_here} (entered here; it says {link.address})"
        if link.address_here
        else link.address,
        "online" if link.online else "not reached",
        f"version {version}{', not yours' if link.version_differs else ''}",
        f"certificate until {day}",
        link.warning,
    )
    return "  ".join(part for part in parts if part)


async def execute(directory: Path, member: str, command: Command) -> Outcome:
    """Give a command to a member's running node. Raises: CommandRefused, NodeUnreachable."""
    console: Console = await connect(Profile(member, member, directory))
    try:
        return await console.execute(command)
    finally:
        await console.close()


async def _ask(directory: Path, member: str, query: Query[V_co]) -> V_co:
    console: Console = await connect(Profile(member, member, directory))
    try:
        return await console.ask(query)
    finally:
        await console.close()
