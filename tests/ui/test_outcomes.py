"""Every command ends as recorded, refused, or not known and checked; and can be found again."""

import pytest
from msgspec.structs import replace
from PySide6.QtTest import QTest

from console.application import commands as c
from console.application.api import ChangeKind
from console.application.views import CeremonyStage, NodeState, RequestStage
from console.domain.values import CeremonyPurpose
from tests.fakes import recovery, scenario
from tests.fakes.console import REFUSED
from tests.ui.driving import Driver
from ui import object_names as names
from ui.outcome_checks import subject_of
from ui.outcomes import MOST, Fate
from ui.view_model import CHECKING

WAITING = scenario.request_name(RequestStage.AWAITING_APPROVAL)
ACCEPTING = scenario.ceremony_name(CeremonyStage.AWAITING_ACCEPTANCE)


def approve(driver: Driver, *, silent: bool = False) -> None:
    driver.show("review", WAITING)
    card = driver.front.decision
    card.approve.delay_s = 0.1
    card.check_1.setChecked(True)
    card.check_2.setChecked(True)
    QTest.keyClicks(card.pin, "123456")
    driver.until(card.approve.isEnabled)
    driver.console.silent = silent
    card.approve.click()
    driver.until(lambda: any(isinstance(x, c.ApproveRequest) for x in driver.console.executed))


def lose(driver: Driver) -> None:
    """The node hangs: the window gives the connection up, and with it the call."""
    driver.console.unreachable = True
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: not driver.window.link.reachable)


def come_back(driver: Driver) -> None:
    driver.console.calm()
    driver.window.link.retry_now()
    driver.until(lambda: driver.window.link.reachable)


def newest(driver: Driver):
    return driver.window.outcomes.all[0]


@pytest.mark.parametrize("recorded", [True, False])
def test_an_approval_that_was_not_answered_is_checked(driver, recorded):
    driver.console.hangs_after = recorded
    approve(driver, silent=not recorded)
    asked = newest(driver)
    assert asked.fate is Fate.SENT
    lose(driver)
    driver.until(lambda: asked.fate is Fate.UNKNOWN)
    screen = driver.front
    assert screen.refusal.isVisible()
    assert "not known whether" in screen.refusal.title.text()
    assert WAITING[-6:].upper() in screen.refusal.title.text()
    come_back(driver)
    wanted = Fate.RECORDED if recorded else Fate.ABSENT
    driver.until(lambda: asked.fate is wanted)
    driver.until(lambda: screen.refusal.isVisible() is not recorded)
    if recorded:
        assert any("Recorded after all" in text for text in driver.window.toasts.texts)
    else:
        assert "not recorded so far" in screen.refusal.title.text()
        assert "counts once" in screen.refusal.detail.text()


def test_nothing_is_decided_while_the_last_outcome_is_not_known(driver):
    approve(driver, silent=True)
    lose(driver)
    driver.until(lambda: newest(driver).fate is Fate.UNKNOWN)
    driver.console.unreachable = False  # It answers for its state, and for nothing else.
    driver.window.link.retry_now()
    driver.until(lambda: driver.window.link.reachable)
    card = driver.front.decision
    driver.until(lambda: card.why.text() == CHECKING)
    assert not card.deny.isEnabled()


def test_an_unknown_outcome_is_found_again_after_the_page_was_left_and_the_node_locked(driver):
    approve(driver, silent=True)
    lose(driver)
    driver.until(lambda: newest(driver).fate is Fate.UNKNOWN)
    come_back(driver)
    driver.until(lambda: newest(driver).fate is Fate.ABSENT)
    driver.show("overview")
    driver.console.session = scenario.session(NodeState.LOCKED)
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: driver.window.current_screen == "sign_in")
    driver.console.session = scenario.session(NodeState.READY)
    driver.console.announce(ChangeKind.SESSION)
    driver.until(lambda: driver.window.current_screen == "overview")
    button = driver.find(names.FRAME_ACTIVITY)
    assert "1 outcome is not known" in button.accessibleName()
    driver.press(names.FRAME_ACTIVITY)
    rows = driver.window.activity_sheet.rows.rows
    assert "Not recorded so far" in rows[0].item.detail
    rows[0].click()
    driver.until(lambda: driver.window.current_screen == "review")
    assert driver.front.model.subject == WAITING
    driver.until(driver.front.refusal.isVisible)


def test_one_recorded_later_is_told_later(driver):
    approve(driver, silent=True)
    lose(driver)
    come_back(driver)
    driver.until(lambda: newest(driver).fate is Fate.ABSENT)
    driver.console.requests[WAITING] = scenario.request(RequestStage.SIGNING, request=WAITING)
    driver.window.outcomes.check_now()
    driver.until(lambda: newest(driver).fate is Fate.RECORDED)
    assert driver.window.outcomes.open == 0


def test_leaving_the_page_loses_no_outcome(driver):
    driver.console.hangs_after = True
    approve(driver)
    driver.window.lock()
    driver.until(lambda: driver.window.current_screen == "sign_in")
    lose(driver)
    driver.until(lambda: newest(driver).fate is Fate.UNKNOWN)


def test_a_refusal_is_listed_with_its_reason(driver):
    driver.show("review", WAITING)
    driver.console.refusal = REFUSED
    driver.front.model.deny("Paid already")
    driver.until(lambda: newest(driver).fate is Fate.REFUSED)
    assert newest(driver).sentence == REFUSED.what


def test_what_was_never_sent_is_refused_not_unknown(driver):
    driver.show("review", WAITING)
    lose(driver)
    driver.until(lambda: not driver.window.link.connected)
    driver.front.model.deny("Paid already")
    driver.until(lambda: newest(driver).fate is Fate.REFUSED)
    assert not any(isinstance(x, c.DenyRequest) for x in driver.console.executed)


def test_a_request_that_was_made_is_found_by_its_bytes(driver):
    made = scenario.request(
        request="rq-00000000000000aa", proposer="ana", unsigned_bytes=b"transaction".hex()
    )
    inbox = driver.console.inbox
    row = replace(inbox.rows[0], request=made.request, proposed_at_ms=scenario.NOW_MS)
    driver.console.silent = True
    asked = driver.window.outcomes.give(
        c.ProposeTransfer(wallet=scenario.WALLET, chain="solana", transaction=b"transaction"),
        lambda _asked, _outcome: None,
    )
    driver.pass_time(0.05)
    lose(driver)
    come_back(driver)
    driver.until(lambda: asked.fate is Fate.ABSENT)
    assert "made twice" in asked.problem.next_step
    driver.console.requests[made.request] = made
    driver.console.inbox = replace(inbox, rows=(row, *inbox.rows))
    driver.window.outcomes.check_now()
    driver.until(lambda: asked.fate is Fate.RECORDED)
    assert (asked.subject.screen, asked.subject.key) == ("review", made.request)


def effects() -> dict[str, tuple[c.Command, object]]:
    """Return commands, and what makes the node show their effect."""

    def ceremony(stage: CeremonyStage, **changes: object):
        def act(console):
            console.ceremonies[ACCEPTING] = scenario.ceremony(stage, ceremony=ACCEPTING, **changes)

        return act

    def refresh(console):
        name = scenario.change_name(CeremonyPurpose.REFRESH)
        view = console.ceremonies[name]
        console.ceremonies[name] = replace(
            view, proposer="ana", wallet=scenario.WALLET, proposed_at_ms=scenario.NOW_MS
        )

    def drilled(console):
        proof = replace(recovery.drill(0, ("ana", "ben")), at_ms=scenario.NOW_MS)
        known = console.recovery
        wallets = tuple(replace(wallet, drills=(proof,)) for wallet in known.wallets)
        console.recovery = replace(known, wallets=wallets)

    def request(stage: RequestStage):
        def act(console):
            console.requests[WAITING] = scenario.request(stage, request=WAITING)

        return act

    cancelled = ceremony(CeremonyStage.CANCELLED)
    return {
        "deny": (c.DenyRequest(WAITING, "no"), request(RequestStage.DENIED)),
        "withdraw": (c.WithdrawRequest(WAITING), request(RequestStage.WITHDRAWN)),
        "retry": (c.RetrySigning(WAITING), request(RequestStage.SIGNING)),
        "accept": (c.AcceptCeremony(ACCEPTING), ceremony(CeremonyStage.RUNNING)),
        "confirm": (c.ConfirmCeremonyCode(ACCEPTING, "x"), ceremony(CeremonyStage.COMPLETED)),
        "decline": (c.DeclineCeremony(ACCEPTING, "no"), ceremony(CeremonyStage.DECLINED)),
        "cancel": (c.CancelCeremony(ACCEPTING, "no"), cancelled),
        "refresh": (c.ProposeRefresh(scenario.WALLET), refresh),
        "drill": (c.RunDrill(recovery.TREASURY), drilled),
        "machine": (
            c.ApproveMachine(
                "ben", recovery.machine("ben", endorsed=()).digest, c.Pin(bytearray(b"1"))
            ),
            lambda console: console.endorse("ben"),
        ),
    }


@pytest.mark.parametrize("name", list(effects()))
def test_the_effect_of_every_kind_of_command_is_found(driver, name):
    command, act = effects()[name]
    driver.console.recovery = recovery.recovery()
    if name == "drill":
        known = driver.console.recovery
        wallets = tuple(replace(wallet, drills=()) for wallet in known.wallets)
        driver.console.recovery = replace(known, wallets=wallets)
    driver.console.silent = True
    asked = driver.window.outcomes.give(command, lambda _asked, _outcome: None)
    driver.pass_time(0.05)
    lose(driver)
    come_back(driver)
    driver.until(lambda: asked.fate is Fate.ABSENT)
    act(driver.console)
    driver.window.outcomes.check_now()
    driver.until(lambda: asked.fate is Fate.RECORDED)


def test_every_command_has_a_subject():
    for kind in c.Command.__subclasses__():
        fields = {
            "pin": c.Pin(bytearray(b"1")),
            "kinds": (),
            "custodians": (),
            "threshold": 2,
            "approvals_needed": 2,
            "base_units": 1,
            "transaction": b"",
        }
        given = {name: fields.get(name, "x") for name in kind.__struct_fields__}
        subject = subject_of(kind(**given))
        assert subject.words
        assert subject.screen


def test_the_list_is_bounded_and_keeps_what_is_not_known(driver):
    outcomes = driver.window.outcomes
    driver.console.silent = True
    open_one = outcomes.give(c.WithdrawRequest(WAITING), lambda _a, _o: None)
    driver.pass_time(0.05)
    lose(driver)
    come_back(driver)
    driver.until(lambda: open_one.fate is Fate.ABSENT)
    for _ in range(2 * MOST):
        outcomes.give(c.VerifyLedger(), lambda _a, _o: None)
    driver.until(lambda: all(a.fate is not Fate.SENT for a in outcomes.all))
    outcomes.give(c.VerifyLedger(), lambda _a, _o: None)
    assert len(outcomes.all) <= MOST + 1
    assert open_one in outcomes.all
