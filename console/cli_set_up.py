"""`quorate set-up` and `trial`: programs of the window; and what `init` leaves to the window."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli_machines import DEFAULT_HOME, Home
from console.domain.ids import member_id
from console.set_up import drafts
from console.set_up.service import run_set_up
from console.set_up.trial_supervisor import run_trial
from console.settings import MemberFiles, SettingsInvalid

Parent = Annotated[int, typer.Option(hidden=True)]


def set_up(with_parent: Parent, home: Home = DEFAULT_HOME) -> None:
    """Answer one question of the window about a set-up: JSON in, JSON out."""
    run_set_up(home.absolute(), with_parent)


def trial(home: Home) -> None:
    """Keep the demonstration vault in a folder running until it is told to stop."""
    raise typer.Exit(run_trial(home.absolute()))


def require_not_in_window(home: Path, member: str) -> None:
    """Refuse a member that the window is setting up. Raises: SettingsInvalid."""
    if drafts.is_kept(home, member):
        raise SettingsInvalid(
            f"{member} is being set up in the window. Nothing was changed: go on there, or throw "
            "it away there first"
        )


def said_if_set_up(home: Path, member: str) -> str:
    """Return what to say if a member is set up already, else ''."""
    if not MemberFiles(home / member_id(member)).settings.exists():
        return ""
    return f"{member} is set up already, with its keys and PIN as they were. This is its entry."
