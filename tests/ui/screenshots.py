"""Draw every screen in every state, light and dark, into a directory.

Run: python -m tests.ui.screenshots DIRECTORY [part of a name]
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.application.api import ChangeKind
from console.application.views import CeremonyStage, NodeState, RequestStage
from tests.fakes import scenario
from tests.fakes.console import REFUSED, FakeConsole
from tests.ui.driving import Driver
from ui.app import make_application
from ui.theme import Tone
from ui.view_model import LoadState

Shot = tuple[str, Callable[[FakeConsole], None], Callable[[Driver], None]]


def _ready(console: FakeConsole) -> None:
    console.unlocked()


def _empty(console: FakeConsole) -> None:
    console.unlocked().empty = True


def _show(
    screen: str, subject: str = "", state: LoadState = LoadState.READY
) -> Callable[[Driver], None]:
    return lambda driver: driver.show(screen, subject, state)


def _trouble(screen: str, subject: str = "") -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("settings")
        driver.console.refusal = REFUSED
        driver.show(screen, subject, LoadState.ERROR)

    return act


def _loading(driver: Driver) -> None:
    driver.show("settings")
    driver.console.silent = True
    driver.show("wallets", "", LoadState.LOADING)


def _armed(driver: Driver) -> None:
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    card = driver.window._current.decision
    card.check_1.setChecked(True)
    card.check_2.setChecked(True)
    card.pin.setText("123456")
    driver.pass_time(1.2)


def _flags(driver: Driver) -> None:
    name = scenario.request_name(RequestStage.AWAITING_APPROVAL)
    console = driver.console
    base = scenario.request()
    console.requests[name] = scenario.request(
        description=type(base.description)(
            **{
                field: getattr(base.description, field)
                for field in base.description.__struct_fields__
            }
            | {"red_flags": ("First transfer ever to this address.", "Two unknown instructions.")}
        ),
        can_approve=False,
        approve_blocked_because="You proposed this request; somebody else must approve it.",
        can_withdraw=True,
    )
    driver.show("review", name)


def _preview(driver: Driver) -> None:
    driver.show("new_transfer", scenario.WALLET)
    view = driver.window._current
    view.to.setText(scenario.DESTINATION)
    view.amount.setText("1.25")
    view.memo.setText("Invoice 2026-118")
    driver.pass_time(0.05)
    view.preview_button.click()
    driver.until(lambda: view.model.preview is not None)


def _record(driver: Driver) -> None:
    driver.show("audit")
    driver.window._current.model.select(scenario.record(4_998))
    driver.window._current.table.selectRow(2)


def _verifying(driver: Driver) -> None:
    driver.show("audit")
    driver.console.silent = True
    driver.window._current.verify.click()
    driver.pass_time(0.05)
    driver.console.announce(ChangeKind.LEDGER_VERIFICATION, "", 3_120, 5_000)


def _broken(console: FakeConsole) -> None:
    console.unlocked().broken_because = (
        "record #4\u2009211 does not match the hash in record #4\u2009212"
    )


def _palette(driver: Driver) -> None:
    driver.show("overview")
    driver.window.search()
    driver.pass_time(0.05)
    driver.window.palette_sheet.field.setText("trea")


def _away(driver: Driver) -> None:
    driver.show("overview")
    driver.window.link._lost()


def _toast(driver: Driver) -> None:
    driver.show("wallets")
    driver.window.toasts.say("Copied. The clipboard is emptied in 30 s.")
    driver.window.toasts.say("The node could not be locked.", Tone.DANGER)


def _deny(driver: Driver) -> None:
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    driver.window._current.decision.deny.click()


def _private(driver: Driver) -> None:
    driver.show("wallets")
    driver.window.privacy.toggle()


def _opening(console: FakeConsole) -> None:
    console.session = scenario.session(NodeState.OPENING, opening_done=3_120, opening_total=5_000)


def _halted(console: FakeConsole) -> None:
    console.session = scenario.session(
        NodeState.HALTED, halted_because="the ledger is older than its head."
    )


def _no_token(console: FakeConsole) -> None:
    console.session = scenario.session(vault=scenario.vault(present=False))


def _wrong_pin(driver: Driver) -> None:
    driver.pass_time(0.1)
    driver.window._sign_in.pin.setText("0000")
    driver.window._sign_in.unlock.click()


def _wait(driver: Driver) -> None:
    driver.pass_time(0.1)


def _locked(console: FakeConsole) -> None:
    del console


SHOTS: list[Shot] = [
    ("sign_in", _locked, _wait),
    ("sign_in-wrong-pin", _locked, _wrong_pin),
    ("sign_in-no-token", _no_token, _wait),
    ("sign_in-opening", _opening, _wait),
    ("sign_in-halted", _halted, _wait),
    ("overview", _ready, _show("overview")),
    ("overview-empty", _empty, _show("overview")),
    ("wallets-loading", _ready, _loading),
    ("overview-unreachable", _ready, _away),
    ("overview-palette", _ready, _palette),
    (
        "overview-shortcuts",
        _ready,
        lambda d: (d.show("overview"), d.window.help_sheet.show_shortcuts()),
    ),
    ("approvals", _ready, _show("approvals")),
    (
        "approvals-team",
        _ready,
        lambda d: (d.show("approvals"), d.window._current.model.choose("team")),
    ),
    (
        "approvals-done",
        _ready,
        lambda d: (d.show("approvals"), d.window._current.model.choose("done")),
    ),
    ("approvals-empty", _empty, _show("approvals", "", LoadState.EMPTY)),
    ("approvals-error", _ready, _trouble("approvals")),
    ("review", _ready, _show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))),
    ("review-arming", _ready, _armed),
    ("review-flags", _ready, _flags),
    ("review-deny", _ready, _deny),
    ("review-signing", _ready, _show("review", scenario.request_name(RequestStage.SIGNING))),
    ("review-confirmed", _ready, _show("review", scenario.request_name(RequestStage.CONFIRMED))),
    ("review-denied", _ready, _show("review", scenario.request_name(RequestStage.DENIED))),
    ("review-failed", _ready, _show("review", scenario.request_name(RequestStage.FAILED))),
    ("wallets", _ready, _show("wallets")),
    ("wallets-messages", _ready, _toast),
    ("wallets-private", _ready, _private),
    ("wallets-empty", _empty, _show("wallets", "", LoadState.EMPTY)),
    ("new_transfer", _ready, _show("new_transfer", scenario.WALLET)),
    ("new_transfer-preview", _ready, _preview),
    ("ceremonies", _ready, _show("ceremonies")),
    ("ceremonies-empty", _empty, _show("ceremonies", "", LoadState.EMPTY)),
    ("ceremonies-new", _ready, _show("ceremonies", "new")),
    *(
        (f"ceremony-{stage}", _ready, _show("ceremonies", scenario.ceremony_name(stage)))
        for stage in (
            CeremonyStage.AWAITING_ACCEPTANCE,
            CeremonyStage.RUNNING,
            CeremonyStage.COMPARING,
            CeremonyStage.COMPLETED,
            CeremonyStage.DECLINED,
        )
    ),
    ("audit", _ready, _show("audit")),
    ("audit-record", _ready, _record),
    ("audit-verifying", _ready, _verifying),
    ("audit-broken", _broken, _show("audit")),
    ("settings", _ready, _show("settings")),
]


def main(directory: Path, part: str = "") -> None:
    """Draw all pictures whose name holds `part`."""
    directory.mkdir(parents=True, exist_ok=True)
    app = make_application()
    for name, prepare, act in SHOTS:
        if part not in name:
            continue
        console = FakeConsole()
        prepare(console)
        driver = Driver(app, console)
        for theme in ("light", "dark"):
            driver.window.set_theme(theme)
            if theme == "light":
                act(driver)
            driver.pass_time(0.05)
            driver.window.grab().save(str(directory / f"{name}-{theme}.png"))
        driver.close()
        print(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
