"""The guide through a demonstration vault: its ticks come from the node's views."""

import pytest
from msgspec.structs import replace

from console.application.views import CeremonyStage, InboxView, NodeState, RequestStage
from tests.fakes import scenario
from tests.fakes.console import FakeConsole
from tests.fakes.setting_up import trial
from tests.ui.driving import Driver
from ui import object_names
from ui.first_run import names
from ui.first_run.guide_steps import Seen, current, steps

READY = scenario.session(NodeState.READY, "ana")
EMPTY = replace(
    scenario.wallet(),
    accounts=tuple(
        replace(each, balance_base_units="0", tokens=()) for each in scenario.wallet().accounts
    ),
)


def row(stage: RequestStage):
    return replace(scenario.inbox().rows[0], stage=stage)


def ceremony(stage: CeremonyStage):
    return scenario.ceremony(stage)


GROWING = [
    Seen(),
    Seen(session=READY),
    Seen(session=READY, ceremonies=(ceremony(CeremonyStage.COMPARING),)),
    Seen(session=READY, ceremonies=(ceremony(CeremonyStage.COMPLETED),), wallets=(EMPTY,)),
    Seen(
        session=READY,
        ceremonies=(ceremony(CeremonyStage.COMPLETED),),
        wallets=(scenario.wallet(),),
    ),
]


@pytest.mark.parametrize("place", range(5))
def test_each_tick_follows_from_what_the_node_shows(place):
    shown = steps(GROWING[place])
    assert current(shown) == place
    assert all(step.sentence.endswith(".") for step in shown)


@pytest.mark.parametrize(
    ("stage", "place"),
    [
        (RequestStage.DENIED, 4),
        (RequestStage.AWAITING_APPROVAL, 5),
        (RequestStage.SIGNING, 6),
        (RequestStage.BROADCAST, 6),
        (RequestStage.CONFIRMED, 7),
    ],
)
def test_a_payment_is_followed_to_its_confirmation(stage, place):
    seen = replace_rows(GROWING[4], row(stage))
    assert current(steps(seen)) == place


def replace_rows(seen: Seen, *rows) -> Seen:
    return Seen(
        session=seen.session, ceremonies=seen.ceremonies, wallets=seen.wallets, rows=tuple(rows)
    )


def test_a_locked_node_takes_no_tick_away_but_the_first():
    seen = Seen(
        session=scenario.session(),
        ceremonies=GROWING[4].ceremonies,
        wallets=GROWING[4].wallets,
    )
    assert [step.done for step in steps(seen)][:4] == [False, True, True, True]


@pytest.fixture
def guided(qapp):
    console = FakeConsole()
    console.ceremonies, console.wallets = {}, {}
    console.inbox = InboxView((), 0)
    run = Driver(qapp, console, trial=trial("home"))
    try:
        run.until(lambda: run.window.link.session is not None)
        run.pass_time(0.05)
        yield run
    finally:
        run.close()


def at(run: Driver) -> int:
    return current(tuple(shown.step for shown in run.window.guide.panel.rows))


def test_it_leads_from_sign_in_to_the_end(guided):
    window, console = guided.window, guided.console
    console.session = replace(console.session)
    guided.press(names.GUIDE_PIN)
    assert guided.find(object_names.SIGN_IN_PIN).text() == "2468"
    console.unlocked()
    guided.until(lambda: at(guided) == 1)
    guided.press(f"{names.GUIDE_GO}.2")
    guided.until(lambda: window.current_screen == "ceremonies")
    made = ceremony(CeremonyStage.COMPARING)
    console.ceremonies = {made.ceremony: made}
    guided.until(lambda: at(guided) == 2)
    console.ceremonies = {made.ceremony: ceremony(CeremonyStage.COMPLETED)}
    console.wallets = {scenario.WALLET: scenario.wallet()}
    guided.until(lambda: at(guided) == 4)
    guided.press(f"{names.GUIDE_GO}.5")
    guided.until(lambda: window.current_screen == "new_transfer")
    guided.until(lambda: bool(guided.find(object_names.TRANSFER_TO).text()))
    assert guided.find(object_names.TRANSFER_AMOUNT).text() == "0.25"
    console.inbox = InboxView((row(RequestStage.CONFIRMED),), 1)
    guided.until(lambda: at(guided) == 7)
    assert guided.find(names.GUIDE_THROW).isVisible()
    asked = []
    window.guide.throw_away.connect(lambda: asked.append(True))
    guided.press(names.GUIDE_THROW)
    assert asked == [True]


def test_it_is_hidden_and_shown_again(guided):
    panel = guided.window.guide.panel
    wide = panel.width()
    guided.press(names.GUIDE_HIDE)
    guided.pass_time(0.05)
    assert panel.width() < wide / 4
    assert not guided.find(names.GUIDE_PIN).isVisible()
    guided.press(names.GUIDE_SHOW)
    guided.pass_time(0.05)
    assert guided.find(names.GUIDE_PIN).isVisible()


@pytest.mark.parametrize("size", [(1180, 760), (960, 540)])
def test_it_leaves_the_pages_their_room(guided, size):
    guided.console.unlocked()
    guided.window.resize(*size)
    guided.until(lambda: guided.window.current_screen != "sign_in")
    guided.press(names.GUIDE_HIDE)
    guided.pass_time(0.05)
    assert guided.window.width() == size[0]


def test_another_member_is_not_guided(guided):
    guided.window.switching.wanted("ben")
    guided.until(lambda: guided.window.member == "ben")
    guided.pass_time(0.02)
    assert not guided.window.guide.panel.isVisible()


def test_a_vault_that_is_no_demonstration_has_no_guide(driver):
    assert driver.window.guide.panel is None
