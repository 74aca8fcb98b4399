"""The `quorate` command."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from console import cli_cloud
from console.adapters.ledger.verifier import ExportInvalid
from console.adapters.network.tls import TlsMaterialUnusable
from console.application.api import CommandRefused, NodeUnreachable
from console.application.errors import AdapterError
from console.application.peers.machines import read_entry
from console.bootstrap import VERSION
from console.cli_ledger import export, verify
from console.cli_machines import (
    DEFAULT_HOME,
    Home,
    MemberName,
    address,
    link_key,
    machines,
)
from console.cli_secrets import read_optional_pin, read_pin
from console.cli_set_up import require_not_in_window, said_if_set_up, set_up, trial
from console.cli_token import print_check
from console.client import ProfileUnreadable
from console.client.run_mark import RunsAlready
from console.domain.errors import DomainError
from console.domain.ids import member_id
from console.fault_points import FaultRefused
from console.local_chains import NOT_INSTALLED, USUAL_PORT, local_chains_installed
from console.logs import log_warnings
from console.node_process import run_node
from console.provisioning import (
    NewMember,
    join_vault,
    set_up_member,
    write_roster,
)
from console.settings import (
    ChainEntry,
    MemberFiles,
    SettingsInvalid,
    entry_line,
    read_entries,
    read_roster,
)
from console.unfinished import find_softhsm

app = typer.Typer(
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Quorate: threshold custody for institutions.",
)

_LONGEST_LABEL = 32
"""Of a token (PKCS#11)."""
EXPECTED = (
    AdapterError,
    DomainError,
    SettingsInvalid,
    TlsMaterialUnusable,
    FaultRefused,
    NodeUnreachable,
    ExportInvalid,
    ProfileUnreadable,
    RunsAlready,
)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Open the window when no command is given."""
    log_warnings()
    if context.invoked_subcommand is None:
        ui(DEFAULT_HOME)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"quorate {VERSION}")


@app.command()
def node(
    member: MemberName,
    home: Home = DEFAULT_HOME,
    detached: Annotated[bool, typer.Option(hidden=True)] = False,
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    fail_at: Annotated[str, typer.Option(hidden=True)] = "",
    fail_token: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a member's node until it is told to stop."""
    run_node(
        home / member_id(member),
        parent=with_parent or None,
        fail_at=fail_at,
        fail_token=fail_token,
        detached=detached,
    )


@app.command()
def ui(home: Home = DEFAULT_HOME, member: MemberName = "") -> None:
    """Open the window. It starts the nodes of this machine's members that do not run yet."""
    arguments = [sys.executable, "-m", "ui", "--home", str(home)]
    os.execv(sys.executable, [*arguments, *(["--member", member] if member else [])])  # noqa: S606


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Directory for screenshots and the report.")] = Path(
        "build/demo"
    ),
) -> None:
    """Run all steps on this machine: ceremony, approval, signing, broadcast."""
    _require_local_chains()
    os.execv(sys.executable, [sys.executable, "-m", "console.demo", "--out", str(out)])  # noqa: S606


@app.command()
def devnet(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = USUAL_PORT,
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    keep: Annotated[Path | None, typer.Option(help="File to keep the chains in.")] = None,
) -> None:
    """Run the local chains for tests and the demonstration."""
    _require_local_chains()
    arguments = ["-m", "console.devnet", "--port", str(port), "--with-parent", str(with_parent)]
    arguments += ["--keep", str(keep)] if keep else []
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606


@app.command()
def init(
    member: MemberName = "",
    name: Annotated[str, typer.Option(help="The operator's name.")] = "",
    listen: Annotated[str, typer.Option(help="host:port for the other members' nodes.")] = "",
    console: Annotated[str, typer.Option(help="127.0.0.1:port for this machine's window.")] = "",
    home: Home = DEFAULT_HOME,
    module: Annotated[
        str, typer.Option(help="PKCS#11 library, softhsm, file, or kms.")
    ] = "softhsm",
    token: Annotated[str, typer.Option(help="Label of the token.")] = "",
    chain: Annotated[list[str] | None, typer.Option(help="chain,network,url[,url]")] = None,
    asset: Annotated[list[str] | None, typer.Option(help="chain,address,unit,decimals")] = None,
    trusted: Annotated[list[str] | None, typer.Option(help="chain,address")] = None,
    websocket: Annotated[list[str] | None, typer.Option(help="chain,url")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say if the token suffices.")] = False,
    last_try: Annotated[bool, typer.Option("--last-try", help="Use a PIN's last try.")] = False,
    region: cli_cloud.Region = "",
    sealing_key: cli_cloud.SealingKey = "",
    identity_key: cli_cloud.IdentityKey = "",
    endpoint_url: cli_cloud.EndpointUrl = "",
    aws_profile: cli_cloud.AwsProfile = "",
) -> None:
    """Set up a member: its keys are generated inside its token. Prints its roster entry as JSON.

    The PINs are asked for, or read from standard input, one per line: user, then (SoftHSM only)
    security officer. With --check nothing is set up, and only --module and --token are needed;
    without a PIN, only what the token tells by itself is checked. With --module kms the keys are in
    AWS KMS, and the PIN is a passphrase of your choice.
    """
    named = {"--region": region, "--sealing-key": sealing_key, "--identity-key": identity_key}
    place = {"--endpoint-url": endpoint_url, "--aws-profile": aws_profile}
    cloud = cli_cloud.cloud_keys(module, named | place)
    if check:
        print_check(home, module, token, read_optional_pin, cloud=cloud, member=member)
        return
    given = {"--member": member, "--name": name, "--listen": listen, "--console": console}
    if missing := [option for option, value in given.items() if not value]:
        raise typer.BadParameter(f"missing: {', '.join(missing)}")
    require_not_in_window(home, member)
    softhsm = module == "softhsm"
    require_chains(chain or (), (*(asset or ()), *(trusted or ()), *(websocket or ())))
    new = NewMember(
        member=member,
        name=name,
        peer_address=listen,
        console_address=console,
        module=str(find_softhsm()) if softhsm else module,
        token=token or f"quorate-{member}"[:_LONGEST_LABEL],
        fresh_softhsm=softhsm,
        chains=tuple(
            _chain(text, asset or [], trusted or [], websocket or []) for text in chain or ()
        ),
        cloud=cloud,
    )
    _set_up(home, new, last_try=last_try)


def _set_up(home: Path, new: NewMember, *, last_try: bool) -> None:
    pin = read_pin("PIN" if new.cloud is None else "Passphrase")
    so_pin = read_pin("Security officer's PIN") if new.fresh_softhsm else None
    known = said_if_set_up(home, new.member)
    entry = set_up_member(home, new, pin, so_pin, last_try=last_try)
    if known:
        typer.echo(f"quorate: {known}", err=True)
    typer.echo(entry_line(entry))


@app.command()
def founders(member: MemberName, home: Home = DEFAULT_HOME) -> None:
    """Print the vault's founding entries, one per line, for a machine that joins."""
    for entry in read_roster(MemberFiles(home / member)).members:
        typer.echo(entry_line(entry))


@app.command()
def join(
    entries: Annotated[Path, typer.Argument(help="The output of `quorate founders`.")],
    member: MemberName,
    home: Home = DEFAULT_HOME,
) -> None:
    """Let this machine join a vault: for a new member, or in place of a lost machine.

    Prints the machine's entry and its code. The other founders endorse it on their Recovery
    screens after comparing the code with you; a repair then gives it its share.
    """
    entry = join_vault(home, member, read_entries(entries))
    typer.echo(entry_line(entry))
    typer.echo(f"Code: {read_entry(entry_line(entry)).code}", err=True)


@app.command()
def roster(
    entries: Annotated[Path, typer.Argument(help="File with one roster entry (JSON) per line.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Write the same roster for every member of this machine."""
    write_roster(home, read_entries(entries))


for _command in (verify, export, machines, address, link_key):
    app.command()(_command)
for _program in (set_up, trial):
    app.command(hidden=True)(_program)


def main() -> NoReturn:
    """Run the command; an expected failure is one sentence on standard error and exit code 1."""
    try:
        app(standalone_mode=True)
    except EXPECTED as failure:
        typer.echo(f"quorate: {failure}", err=True)
        sys.exit(1)
    except OSError as failure:
        typer.echo(f"quorate: {failure.filename}: {failure.strerror}", err=True)
        sys.exit(1)
    except CommandRefused as refusal:
        typer.echo(f"quorate: {refusal.what} {refusal.safe} {refusal.next_step}", err=True)
        sys.exit(1)
    sys.exit(0)


def _require_local_chains() -> None:
    """Refuse to start chains that are not installed. Raises: SettingsInvalid."""
    if not local_chains_installed():
        raise SettingsInvalid(NOT_INSTALLED)


def _chain(text: str, assets: list[str], trusted: list[str], websockets: list[str]) -> ChainEntry:
    """Parse a chain with the tokens and contracts given for it."""
    chain, network, url, *more = _parts(text, 3, "a chain is given as chain,network,url")
    tokens = [_parts(asset, 4, "a token is chain,address,unit,decimals") for asset in assets]
    contracts = [_parts(entry, 2, "a trusted contract is chain,address") for entry in trusted]
    notifying = [_parts(entry, 2, "a websocket is chain,url") for entry in websockets]
    content = {
        "chain": chain,
        "network": network,
        "url": url,
        "more_urls": more,
        "tokens": [
            {"address": t[1], "unit": t[2], "decimals": int(t[3]) if t[3].isdecimal() else -1}
            for t in tokens
            if t[0] == chain
        ],
        "trusted": [c[1] for c in contracts if c[0] == chain],
        "websocket": next((n[1] for n in notifying if n[0] == chain), ""),
    }
    try:
        return msgspec.convert(content, type=ChainEntry)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"{chain}: {error}") from None


def require_chains(chains: Iterable[str], entries: Iterable[str]) -> None:
    """Refuse entries for a chain that is not given: a typing error would silently drop them.

    Raises: SettingsInvalid.
    """
    given = {text.partition(",")[0].strip() for text in chains}
    for entry in entries:
        chain = entry.partition(",")[0].strip()
        if chain not in given:
            raise SettingsInvalid(f"{entry!r}: the chain {chain!r} is not given")


def _parts(text: str, least: int, form: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < least or not all(parts):
        raise SettingsInvalid(f"{text!r}: {form}")
    return parts


if __name__ == "__main__":
    main()
