"""`quorate init --check`: what a token has of what a member needs, as a table in words."""

from collections.abc import Callable
from pathlib import Path

import typer

from console.protocols.kernel.secret import SecretBytes
from console.provisioning import CloudKeys, check, check_cloud, check_softhsm

_MARKS = {True: "yes", False: "NO", None: "?"}


def print_check(
    home: Path,
    module: str,
    token: str,
    read_pin: Callable[[], SecretBytes | None],
    *,
    cloud: CloudKeys | None = None,
    member: str = "",
) -> None:
    """Print the table; nothing is left on the token. Raises: typer.Exit with 1 if it is missing.

    `member` is whom a KMS key's policy may name.
    """
    open_end = "Nothing is missing in what the token tells. With its PIN, the rest is tried."
    if cloud is not None:
        table = check_cloud(home, cloud, member)
        open_end = "Nothing is missing so far. With the ARNs of both keys, the rest is tried."
    elif module == "file":
        typer.echo("Encrypted files need no token: the passphrase protects the keys, no hardware.")
        return
    elif module == "softhsm":
        table = check_softhsm()
    elif token:
        table = check(home, module, token, read_pin())
    else:
        raise typer.BadParameter("missing: --token")
    typer.echo(f"Token: {table.token}")
    for row in table.rows:
        typer.echo(f"\n{_MARKS[row.fits]:<4}{row.name}")
        typer.echo(f"    needed: {row.need}")
        typer.echo(f"    found:  {row.found}")
        if row.fits is not False:
            typer.echo(f"    used:   {row.used}")
    typer.echo()
    if table.missing:
        names = ", ".join(row.name for row in table.missing)
        typer.echo(f"This token does not suffice: {names}. Nothing was left on it.")
        raise typer.Exit(1)
    if table.known:
        typer.echo("This token suffices. Nothing was left on it.")
    else:
        typer.echo(open_end)
