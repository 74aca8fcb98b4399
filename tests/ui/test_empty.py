"""An empty page says what to do next, and offers it."""

import pytest
from msgspec.structs import replace

from tests.fakes import scenario
from tests.ui.driving import Driver
from ui import object_names as names
from ui.view_model import LoadState
from ui.widgets.buttons import Button

EMPTY = [
    ("approvals", "", "wallets"),
    ("wallets", "", "ceremonies"),
    ("ceremonies", "", "ceremonies"),
    ("recovery", "", "ceremonies"),
    ("audit", "", "ceremonies"),
    ("new_transfer", scenario.WALLET, "wallets"),
]


def empty(driver: Driver) -> None:
    driver.console.empty = True
    wallets = driver.console.wallets
    wallets[scenario.WALLET] = replace(wallets[scenario.WALLET], accounts=())


@pytest.mark.parametrize(("screen", "subject", "goal"), EMPTY)
def test_an_empty_page_offers_the_next_step(driver, screen, subject, goal):
    empty(driver)
    driver.show(screen, subject, LoadState.EMPTY)
    card = driver.front.empty
    assert card.title.text()
    assert card.sentence.text().endswith(".")
    assert card.action.isVisible()
    driver.window.resize(960, 540)
    driver.pass_time(0.02)
    assert card.rect().contains(card.action.geometry())
    driver.press(f"{screen}.emptyAction")
    driver.until(lambda: driver.window.current_screen == goal)


def test_an_overview_without_wallets_offers_a_ceremony(driver):
    driver.show("overview")
    assert not driver.front.new_wallet.isVisible()
    driver.console.empty = True
    driver.show("overview")
    driver.until(driver.front.new_wallet.isVisible)
    driver.press(names.OVERVIEW_NEW_WALLET)
    driver.until(lambda: driver.window.current_screen == "ceremonies")
    assert driver.front.model.subject == "new"


def test_an_empty_tab_of_approvals_offers_the_next_step(driver):
    driver.console.inbox = replace(
        driver.console.inbox,
        rows=tuple(row for row in driver.console.inbox.rows if not row.needs_me),
    )
    driver.show("approvals")
    screen = driver.front
    assert "wallet" in screen.nothing.text()
    assert screen.next.isVisible()
    screen.model.choose("team")
    assert not screen.next.isVisible()
    screen.filter.setText("no such request")
    driver.pass_time(0.02)
    assert screen.next.text() == "Clear filter"
    driver.press(names.APPROVALS_NEXT)
    assert screen.filter.text() == ""
    assert screen.model.shown
    screen.model.choose("mine")
    driver.press(names.APPROVALS_NEXT)
    driver.until(lambda: driver.window.current_screen == "wallets")


def test_a_list_whose_rows_open_nothing_has_no_active_row(driver):
    driver.show("recovery", "members")
    rows = driver.front.members.list.rows
    assert rows
    assert not any(row.isEnabled() for row in rows)
    assert "Decide about members" in driver.find(names.MEMBERS_DECIDE).text()
    assert isinstance(driver.find(names.MEMBERS_DECIDE), Button)
