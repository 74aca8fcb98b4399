"""Lists that are longer than a page: how many are shown is said, and the rest can be had."""

from msgspec.structs import replace

from console.application.views import CeremonyStage, InboxView
from tests.fakes import scenario


def many_requests(number):
    row = scenario.inbox().rows[0]
    rows = tuple(replace(row, request=f"rq-{n:016x}") for n in range(number))
    return InboxView(rows, number)


def test_an_inbox_of_several_pages_says_so_and_shows_more(driver):
    driver.console.inbox = many_requests(450)
    driver.show("approvals")
    screen = driver.front
    assert screen.older.isVisible()
    assert screen.older.said.text() == "200 of 450 requests are shown, open ones first."
    screen.older.more.click()
    driver.until(lambda: len(screen.model.view.rows) == 400)
    screen.older.more.click()
    driver.until(lambda: len(screen.model.view.rows) == 450)
    driver.until(lambda: not screen.older.isVisible())
    # What changes meanwhile is asked for with all pages that are shown.
    driver.console.inbox = many_requests(451)
    screen.model.refresh()
    driver.until(lambda: len(screen.model.view.rows) == 451)


def test_an_inbox_of_one_page_says_nothing(driver):
    driver.show("approvals")
    assert not driver.front.older.isVisible()


def test_a_list_of_ceremonies_of_several_pages_shows_more(driver):
    driver.console.ceremonies = {
        f"kc-{n:016x}": scenario.ceremony(CeremonyStage.COMPLETED, ceremony=f"kc-{n:016x}")
        for n in range(70)
    }
    driver.show("ceremonies")
    screen = driver.front
    assert screen.older.said.text() == "50 of 70 ceremonies are shown, open ones first."
    screen.older.more.click()
    driver.until(lambda: len(screen.model.view.ceremonies) == 70)
    driver.until(lambda: not screen.older.isVisible())
