"""`quorate set-up` and `trial`: programs of the window, not for people."""

from typing import Annotated

import typer

from console.cli_machines import DEFAULT_HOME, Home
from console.set_up.service import run_set_up
from console.set_up.trial_supervisor import run_trial

Parent = Annotated[int, typer.Option(hidden=True)]


def set_up(with_parent: Parent, home: Home = DEFAULT_HOME) -> None:
    """Answer one question of the window about a set-up: JSON in, JSON out."""
    run_set_up(home.absolute(), with_parent)


def trial(home: Home) -> None:
    """Keep the demonstration vault in a folder running until it is told to stop."""
    raise typer.Exit(run_trial(home.absolute()))
