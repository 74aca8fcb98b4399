"""`python -m tests.e2e.dying_window HOME STAGE SERIAL ENTRIES PORT [STEP]`: a window to be killed.

It does one stage of a set-up by the buttons, says "there", and goes on until it is killed. A STEP
of `tests.dying` is where its set-up process stands still meanwhile.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.client.set_up.process import PROGRAM
from tests.e2e.operators import Operator
from tests.softhsm import USER_PIN
from ui.app import make_application
from ui.collector import collecting_between_events
from ui.first_run import names
from ui.first_run.set_up import Step

NAME, MEMBER = "Ana Ruiz", "ana-ruiz"
THERE = "there"
_LONG_S = 600.0


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator chooses."""

    serial: str
    entries: Path
    listen: str


def goes_on(operator: Operator, step: Step) -> None:
    """Go on from the start page; the page before was the last one that was done."""
    operator.press(f"{names.START_GO_ON}.{MEMBER}")
    operator.at(step)


def at_token(operator: Operator, _choices: Choices) -> None:
    """Enter the name."""
    operator.press(names.START_CREATE)
    operator.at(Step.NAME)
    operator.type(NAME)
    operator.next(Step.TOKEN)


def at_pin(operator: Operator, choices: Choices) -> None:
    """Choose the token."""
    goes_on(operator, Step.TOKEN)
    operator.press(f"{names.TOKENS_LIST}.{choices.serial}")
    operator.next(Step.PIN)


def making(operator: Operator, choices: Choices) -> None:
    """Have keys made, in a process that stands still."""
    goes_on(operator, Step.PIN)
    assert operator.wizard.set_up.draft.token.serial == choices.serial
    operator.page.pin.setText(USER_PIN.decode())
    operator.press(names.WIZARD_NEXT)
    operator.until(lambda: operator.page.work.running)


def at_address(operator: Operator, choices: Choices) -> None:
    """Have keys made: of what was begun before, nothing is in the way."""
    goes_on(operator, Step.PIN)
    assert operator.wizard.set_up.draft.token.serial == choices.serial
    operator.page.pin.setText(USER_PIN.decode())
    operator.next()
    assert operator.page.refusal.isHidden(), operator.page.refusal.accessibleName()
    operator.next(Step.ADDRESS)


def at_chains(operator: Operator, choices: Choices) -> None:
    """Enter the address; no PIN is asked for again."""
    goes_on(operator, Step.ADDRESS)
    operator.page.listen.setText(choices.listen)
    operator.next(Step.CHAINS)


def finishing(operator: Operator, choices: Choices) -> None:
    """Choose a chain, and have the entry made in a process that stands still."""
    goes_on(operator, Step.CHAINS)
    assert operator.wizard.set_up.draft.listen == choices.listen
    operator.press(f"{names.CHAINS_USE}.solana")
    operator.find(f"{names.CHAINS_URL}.solana.1").setText("http://127.0.0.1:8899")
    operator.press(names.WIZARD_NEXT)
    operator.until(lambda: operator.wizard.step is Step.INVITATION)


def at_invitation(operator: Operator, choices: Choices) -> None:
    """Add the others' entries; the page's own work makes this machine's anew."""
    goes_on(operator, Step.INVITATION)
    (chain,) = operator.wizard.set_up.draft.chains
    assert chain.chain == "solana"
    operator.page.read(choices.entries.read_text())
    operator.until(lambda: len(operator.wizard.set_up.draft.lines) == 2)


def at_comparison(operator: Operator, _choices: Choices) -> None:
    """Find the entries again, and tick one code."""
    goes_on(operator, Step.INVITATION)
    assert len(operator.page.others) == 2
    operator.next(Step.COMPARISON)
    next(iter(operator.page.ticks.values())).click()


def opening(operator: Operator, _choices: Choices) -> None:
    """Find no tick, compare again, and have the vault opened in a process that stands still."""
    goes_on(operator, Step.COMPARISON)
    for tick in operator.page.ticks.values():
        assert not tick.isChecked()
        tick.click()
    operator.press(names.WIZARD_NEXT)
    operator.until(lambda: operator.page.work.running)


STAGES: dict[str, Callable[[Operator, Choices], None]] = {
    stage.__name__: stage
    for stage in (
        at_token,
        at_pin,
        making,
        at_address,
        at_chains,
        finishing,
        at_invitation,
        at_comparison,
        opening,
    )
}


def main(home: str, stage: str, serial: str, entries: str, port: str, step: str = "") -> None:
    """Do a stage, and wait to be killed."""
    program = (sys.executable, "-m", "tests.dying", step) if step else PROGRAM
    app = make_application()
    with collecting_between_events():
        operator = Operator(app, Path(home), program)
        STAGES[stage](operator, Choices(serial, Path(entries), f"127.0.0.1:{port}"))
        print(THERE, flush=True)
        operator.until(lambda: False, _LONG_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
