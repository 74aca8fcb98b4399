"""Draw every screen in every state, light and dark, into a directory.

Run: python -m tests.ui.screenshots DIRECTORY [part of a name] [WIDTHxHEIGHT]
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from msgspec.structs import replace
from PySide6.QtWidgets import QApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from console.application.api import ChangeKind
from console.application.views import CeremonyStage, NodeState, RequestStage, ShareState
from console.client import Founder
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario, setting_up
from tests.fakes.console import PIN, REFUSED, FakeConsole
from tests.fakes.setting_up import FakeSettingUp, trial
from tests.ui.driving import Driver
from tests.ui.first_run_shots import FIRST_SHOTS, GUIDE_SHOTS
from tests.ui.first_running import FirstRun
from ui import object_names as names
from ui import theme
from ui.app import make_application
from ui.screens.recovery import founders_panel
from ui.theme import ThemeName, Tone
from ui.view_model import LoadState
from ui.widgets.fields import CheckLine

Shot = tuple[str, Callable[[FakeConsole], None], Callable[[Driver], None]]


_DOUBT = (
    "This request has ended, but a signature of it may exist. Make it again with the same coins "
    "or nonce, or cancel it on the chain, before you pay once more."
)


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
    card = driver.front.decision
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
    view = driver.front
    view.form.to.setText(scenario.DESTINATION)
    view.form.amount.setText("1.25")
    view.form.memo.setText("Invoice 2026-118")
    driver.pass_time(0.05)
    view.form.preview_button.click()
    driver.until(lambda: view.model.preview is not None)


def _record(driver: Driver) -> None:
    driver.show("audit")
    driver.front.model.select(scenario.record(4_998))
    driver.front.table.selectRow(2)


def _verifying(driver: Driver) -> None:
    driver.show("audit")
    driver.console.silent = True
    driver.front.verify.click()
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


def _lose(driver: Driver) -> None:
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: not driver.window.link.reachable)


def _away(driver: Driver) -> None:
    driver.show("overview")
    _lose(driver)


def _toast(driver: Driver) -> None:
    driver.show("wallets")
    driver.window.toasts.say("Copied. The clipboard is emptied in 30 s.")
    driver.window.toasts.say("The node could not be locked.", Tone.DANGER)


def _deny(driver: Driver) -> None:
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    driver.front.decision.deny.click()


def _unknown(driver: Driver) -> None:
    """A withdrawal that the node did not answer, and a denial that it refused."""
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    model = driver.front.model
    driver.console.refusal = REFUSED
    model.deny("Paid already")
    driver.until(lambda: not model.working)
    driver.console.calm()
    driver.console.silent = True
    model.withdraw()
    driver.pass_time(0.05)
    _lose(driver)
    driver.until(lambda: not model.working)


def _activity(driver: Driver) -> None:
    _unknown(driver)
    driver.press(names.FRAME_ACTIVITY)


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
    driver.find(names.SIGN_IN_PIN).setText("0000")
    driver.press(names.SIGN_IN_UNLOCK)


def _wait(driver: Driver) -> None:
    driver.pass_time(0.1)


def _asked(action: str, wallet: str = recovery.TREASURY) -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("recovery", wallet)
        driver.front.detail.asked.emit(action)
        driver.pass_time(0.05)

    return act


def _reshare(*changes: str) -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("recovery", f"reshare/{recovery.TREASURY}")
        for member in changes:
            driver.press(f"{names.RESHARE_CUSTODIAN}.{member}")
        driver.front.form.threshold.set_value(3)

    return act


def _reshare_asked(driver: Driver) -> None:
    _reshare("chiara", "dara", "eli")(driver)
    driver.front.form.propose.click()
    driver.pass_time(0.05)


def _repair_two(console: FakeConsole) -> None:
    _ready(console)
    two = recovery.shares(
        recovery.LOST,
        "Grants",
        shares=(
            recovery.share("ana"),
            recovery.share("ben", ShareState.LOST),
            recovery.share("chiara", ShareState.LOST),
            recovery.share("dara"),
        ),
        repairable=("ben", "chiara", "ana", "dara"),
    )
    console.recovery = replace(console.recovery, wallets=(two,), machines=())


def _drilling(driver: Driver) -> None:
    driver.show("recovery", recovery.TREASURY)
    driver.console.silent = True
    driver.front.model.run_drill(recovery.TREASURY)


def _loading_recovery(driver: Driver) -> None:
    driver.show("settings")
    driver.console.silent = True
    driver.show("recovery", "", LoadState.LOADING)


def _away_recovery(driver: Driver) -> None:
    driver.show("recovery", recovery.TREASURY)
    _lose(driver)


def _refused_recovery(driver: Driver) -> None:
    driver.show("recovery", recovery.TREASURY)
    driver.console.refusal = REFUSED
    driver.front.model.propose_refresh(recovery.TREASURY)
    driver.until(driver.front.refusal.isVisible)
    driver.console.calm()
    driver.front.model.refresh()
    driver.until(lambda: driver.front.model.state is LoadState.READY)


def _choosing(*leaving: str) -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("recovery", "members")
        screen = driver.front
        screen.decide.click()
        for member in leaving:
            box = f"{names.DECISION_LEAVES}.{member}"
            screen.decision_panel.findChild(CheckLine, box).setChecked(True)
        driver.until(lambda: screen.model.decision_preview is not None)

    return act


def _entry(line: str, pin: str = "") -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("recovery", "machines")
        screen = driver.front
        screen.add.click()
        panel = screen.entry_panel
        panel.entry.setText(line)
        panel.entry.returnPressed.emit()
        if line:
            driver.until(lambda: screen.model.preview is not None)
        if pin:
            panel.endorse.approve.delay_s = 0.2
            panel.endorse.compared.setChecked(True)
            panel.endorse.pin.setText(pin)
            driver.until(panel.endorse.approve.isEnabled)
            if pin != PIN.decode():
                panel.endorse.approve.click()
                driver.until(panel.refusal.isVisible)
        driver.pass_time(0.05)

    return act


def _pressed(name: str) -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.show("recovery", "machines")
        driver.press(name)
        driver.pass_time(0.05)

    return act


def _new_key(console: FakeConsole) -> None:
    _ready(console)
    own = recovery.link("ana", new_key=True, untold=("Chiara Neri",))
    others = console.recovery.links[1:]
    console.recovery = replace(console.recovery, machines=(), links=(own, *others))


def _request(stage: RequestStage, **changes: object) -> Callable[[FakeConsole], None]:
    def prepare(console: FakeConsole) -> None:
        _ready(console)
        name = scenario.request_name(stage)
        console.requests[name] = scenario.request(stage, **changes)

    return prepare


def _endorsement(driver: Driver) -> None:
    driver.show("recovery", "ben")
    panel = driver.front.machines.endorse
    panel.compared.setChecked(True)
    panel.pin.setText("123456")
    driver.pass_time(1.2)


def _founders(driver: Driver) -> None:
    found = tuple(
        Founder(each, setting_up.PEOPLE[each], setting_up.entry(each).line)
        for each in ("ana-ruiz", "ben", "chiara")
    )
    driver.show("recovery", "machines")
    with patch.object(founders_panel, "founders", lambda _directory: found):
        driver.press(names.MACHINES_FOUNDERS)
    driver.press(f"{names.FOUNDERS_PANEL}.copy")


def _no_machines(console: FakeConsole) -> None:
    _ready(console)
    console.recovery = replace(console.recovery, machines=())


def _accepting(purpose: CeremonyPurpose) -> Callable[[FakeConsole], None]:
    def prepare(console: FakeConsole) -> None:
        _ready(console)
        console.ceremonies[scenario.change_name(purpose)] = scenario.change(
            purpose, CeremonyStage.AWAITING_ACCEPTANCE
        )

    return prepare


def _change_cancel(driver: Driver) -> None:
    driver.show("ceremonies", scenario.change_name(CeremonyPurpose.REFRESH))
    driver.front.detail.cancel.click()


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
        lambda d: (d.show("approvals"), d.front.model.choose("team")),
    ),
    (
        "approvals-done",
        _ready,
        lambda d: (d.show("approvals"), d.front.model.choose("done")),
    ),
    ("approvals-empty", _empty, _show("approvals", "", LoadState.EMPTY)),
    ("approvals-error", _ready, _trouble("approvals")),
    ("review", _ready, _show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))),
    ("review-arming", _ready, _armed),
    ("review-flags", _ready, _flags),
    ("review-deny", _ready, _deny),
    ("review-unknown", _ready, _unknown),
    ("review-activity", _ready, _activity),
    ("review-signing", _ready, _show("review", scenario.request_name(RequestStage.SIGNING))),
    ("review-confirmed", _ready, _show("review", scenario.request_name(RequestStage.CONFIRMED))),
    ("review-denied", _ready, _show("review", scenario.request_name(RequestStage.DENIED))),
    ("review-refused", _ready, _show("review", scenario.request_name(RequestStage.REFUSED))),
    ("review-failed", _ready, _show("review", scenario.request_name(RequestStage.FAILED))),
    *(
        (
            f"review-doubt-{stage}",
            _request(stage, may_be_signed=True, can_remake=True, sentence=_DOUBT),
            _show("review", scenario.request_name(stage)),
        )
        for stage in (RequestStage.FAILED, RequestStage.EXPIRED, RequestStage.WITHDRAWN)
    ),
    (
        "review-ask-now",
        _request(RequestStage.BROADCAST, can_ask_now=True, can_replace=True),
        _show("review", scenario.request_name(RequestStage.BROADCAST)),
    ),
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
    *(
        (
            f"ceremony-{purpose}",
            _ready,
            _show("ceremonies", scenario.change_name(purpose)),
        )
        for purpose in ("refresh", "repair", "reshare")
    ),
    *(
        (
            f"ceremony-{purpose}-accept",
            _accepting(purpose),
            _show("ceremonies", scenario.change_name(purpose)),
        )
        for purpose in (CeremonyPurpose.REPAIR, CeremonyPurpose.RESHARE)
    ),
    ("ceremony-refresh-cancel", _ready, _change_cancel),
    ("recovery", _ready, _show("recovery", recovery.TREASURY)),
    ("recovery-quarantined", _ready, _show("recovery", recovery.QUARANTINED)),
    ("recovery-lost", _ready, _show("recovery", recovery.LOST)),
    ("recovery-under-way", _ready, _show("recovery", recovery.UNDER_WAY)),
    ("recovery-overdue", _ready, _show("recovery", recovery.OVERDUE)),
    ("recovery-never-refreshed", _ready, _show("recovery", recovery.RESERVE)),
    ("recovery-drilling", _ready, _drilling),
    ("recovery-loading", _ready, _loading_recovery),
    ("recovery-empty", _empty, _show("recovery", "", LoadState.EMPTY)),
    ("recovery-error", _ready, _trouble("recovery")),
    ("recovery-refused", _ready, _refused_recovery),
    ("recovery-unreachable", _ready, _away_recovery),
    ("recovery-confirm-refresh", _ready, _asked("refresh")),
    ("recovery-confirm-drill", _ready, _asked("drill")),
    ("recovery-confirm-repair", _ready, _asked("repair", recovery.LOST)),
    ("recovery-confirm-repair-two", _repair_two, _asked("repair", recovery.LOST)),
    ("recovery-reshare", _ready, _reshare("chiara", "dara", "eli")),
    ("recovery-reshare-problem", _ready, _reshare("ben", "chiara")),
    ("recovery-confirm-reshare", _ready, _reshare_asked),
    ("recovery-machines", _ready, _show("recovery", "machines")),
    ("recovery-machines-arming", _ready, _endorsement),
    ("recovery-machine-new-member", _ready, _show("recovery", "dara")),
    ("recovery-machine-admitted", _ready, _show("recovery", "chiara")),
    ("recovery-machines-none", _no_machines, _show("recovery", "machines")),
    ("recovery-members", _ready, _show("recovery", "members")),
    ("recovery-members-choosing", _ready, _choosing("eli")),
    ("recovery-members-problem", _ready, _choosing("ben", "chiara")),
    ("recovery-address", _ready, _pressed(f"{names.LINKS_ADDRESS}.ana")),
    ("recovery-address-other", _ready, _pressed(f"{names.LINKS_ADDRESS}.ben")),
    ("recovery-key", _ready, _pressed(names.LINKS_KEY)),
    ("recovery-key-coming", _new_key, _show("recovery", "machines")),
    ("recovery-founders", _ready, _founders),
    ("recovery-founders-unreadable", _ready, _pressed(names.MACHINES_FOUNDERS)),
    ("recovery-entry", _ready, _entry("")),
    ("recovery-entry-preview", _ready, _entry(recovery.ENTRY, "123456")),
    ("recovery-entry-problem", _ready, _entry(recovery.BAD_ENTRY)),
    ("recovery-entry-wrong-pin", _ready, _entry(recovery.ENTRY, "999999")),
    ("audit", _ready, _show("audit")),
    ("audit-record", _ready, _record),
    ("audit-verifying", _ready, _verifying),
    ("audit-broken", _broken, _show("audit")),
    ("settings", _ready, _show("settings")),
]


def main(directory: Path, part: str = "", size: str = "1440x900") -> None:
    """Draw all pictures whose name holds `part`, in a window of `size`."""
    width, height = map(int, size.split("x"))
    directory.mkdir(parents=True, exist_ok=True)
    app = make_application()
    for name, prepare, act in (*SHOTS, *GUIDE_SHOTS):
        if part not in name:
            continue
        console = FakeConsole()
        prepare(console)
        guided = name.startswith("guide-")
        driver = Driver(app, console, trial=trial("home") if guided else None)
        driver.window.resize(width, height)
        for chosen in ("light", "dark"):
            driver.window.set_theme(chosen)
            if chosen == "light":
                act(driver)
            driver.pass_time(0.05)
            driver.window.grab().save(str(directory / f"{name}-{chosen}.png"))
        driver.close()
        print(name)
    _first_run(app, directory, part, (width, height))


def _first_run(app: QApplication, directory: Path, part: str, size: tuple[int, int]) -> None:
    for name, prepare, act in FIRST_SHOTS:
        if part not in name:
            continue
        fake = FakeSettingUp()
        prepare(fake)
        run = FirstRun(app, fake)
        run.window.resize(*size)
        act(run)
        for chosen in ThemeName.LIGHT, ThemeName.DARK:
            theme.apply(app, chosen)
            run.pass_time(0.05)
            run.window.grab().save(str(directory / f"{name}-{chosen}.png"))
        run.close()
        print(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:4])
