"""Amounts and codes: never elided, never clipped, always with their unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.application.views import InboxView, RequestStage
from console.domain.values import Amount, parse_amount
from tests.fakes import scenario
from tests.ui.driving import Driver
from ui.amounts import Sum, trimmed, trimmed_within
from ui.widgets.amount import AmountLabel
from ui.widgets.cells import PADDING, cell_font, natural_width
from ui.widgets.rows import ListRow
from ui.widgets.table import DataTable, RowsModel

ETHER = Amount(1_250_000_000_000_000_000, "ETH", 18)
LONGEST = Amount(2**256 - 1, "ETH", 18)
AMOUNTS = [ETHER, LONGEST, Amount(123_456_789_012_345_678_901, "WSTETH-LONG-TOKEN", 18)]
WIDTHS = [960, 1180, 1440]
SHORT, FULL = "1.25\u00a0ETH", "1.250\u2009000\u2009000\u2009000\u2009000\u2009000\u00a0ETH"


@given(st.integers(0, 2**256 - 1), st.integers(0, 18))
def test_a_trimmed_amount_is_the_same_amount(units, decimals):
    amount = Amount(units, "X", decimals)
    short = trimmed(amount.text())
    assert parse_amount(short, "X", decimals) == amount
    assert "." not in short or short[-1] not in {"0", ".", "\u2009"}


def test_what_is_no_amount_is_left_alone():
    for text in ("", "unknown", "unlimited", "100", "1\u2009200", "0"):
        assert trimmed(text) == text
    told = "Approve 1.250\u2009000 SOL from Wallet 10.0.0.10"
    assert trimmed_within(told).startswith("Approve 1.25 SOL from")


def test_the_unit_is_always_there():
    assert Sum("", "SOL").short == "\u2013\u00a0SOL"
    assert Sum("1.0", "SOL", masked=True).short.endswith("\u00a0SOL")
    assert not any(c.isdigit() for c in Sum("1.0", "SOL", masked=True).full)
    assert Sum("1.0", "SOL", masked=True).plain == ""


def fits(font, text: str, width: int, height: int) -> bool:
    box = QRect(0, 0, width, 10_000)
    taken = QFontMetrics(font).boundingRect(box, Qt.TextFlag.TextWordWrap, text)
    return taken.width() <= width and taken.height() <= height


def cut(table: DataTable) -> list[str]:
    """Return the amounts and fitting cells of a table that have too little room."""
    model = table.model()
    assert isinstance(model, RowsModel)
    found = []
    for line, row in enumerate(model.rows):
        for place, (column, cell) in enumerate(zip(model.columns, row.cells, strict=True)):
            if table.isColumnHidden(place) or not (column.fits or cell.whole):
                continue
            width, height = table.columnWidth(place) - PADDING, table.rowHeight(line)
            if cell.whole:
                full = cell.amount is not None and table.shows_all(line)
                text = cell.amount.full if full else cell.text
                if not fits(cell_font(cell), text, width, height):
                    found.append(text)
            elif natural_width(cell) > width:
                found.append(cell.text or cell.chip.word)
    shown = sum(table.columnWidth(p) for p in range(len(model.columns)))
    return found if shown <= table.viewport().width() + 1 else [*found, "wider than the table"]


def with_amount(driver: Driver, amount: Amount) -> None:
    text, unit = amount.text(), amount.unit
    console = driver.console
    rows = tuple(replace(row, amount=text, unit=unit) for row in console.inbox.rows)
    console.inbox = InboxView(rows, len(rows))
    wallet = console.wallets[scenario.WALLET]
    accounts = tuple(replace(a, balance=text, unit=unit) for a in wallet.accounts)
    history = tuple(replace(item, amount=text, unit=unit) for item in wallet.history)
    console.wallets[scenario.WALLET] = replace(wallet, accounts=accounts, history=history)
    described = replace(scenario.description(), amount=text, unit=unit, fee=text, fee_unit=unit)
    name = scenario.request_name(RequestStage.AWAITING_APPROVAL)
    console.requests[name] = scenario.request(description=described, fee_ceiling=text)


def squeezed(driver: Driver) -> list[str]:
    """Return the amounts and whole rows that have too little room."""
    labels = [a for a in driver.front.findChildren(AmountLabel) if a.isVisible()]
    rows = [r for r in driver.front.findChildren(ListRow) if r.isVisible() and r.item.whole]
    found = [a.text() for a in labels if not fits(a.font(), a.text(), a.width(), a.height())]
    return found + [r.item.title for r in rows if r.height() < r.heightForWidth(r.width())]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda a: f"{a.base_units:.1e}")
@pytest.mark.parametrize("screen", ["approvals", "wallets"])
def test_no_table_cuts_an_amount_or_a_code(driver, screen, amount, width):
    with_amount(driver, amount)
    driver.window.resize(width, 760)
    driver.show(screen)
    if screen == "approvals":
        driver.front.model.choose("done")
    driver.pass_time(0.05)
    tables = [t for t in driver.front.findChildren(DataTable) if t.isVisible()]
    assert tables
    for table in tables:
        driver.settle(lambda table=table: cut(table) == [])
        assert cut(table) == []
        table.selectRow(0)
        table.setFocus()
        driver.settle(lambda table=table: cut(table) == [])
        assert cut(table) == []


def test_a_code_has_its_column_at_every_width(driver):
    for width in WIDTHS:
        driver.window.resize(width, 760)
        driver.show("approvals")
        table = driver.front.table
        place = [column.title for column in driver.front.rows.columns].index("Code")
        assert not table.isColumnHidden(place)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda a: f"{a.base_units:.1e}")
@pytest.mark.parametrize("screen", ["review", "wallets", "overview"])
def test_no_label_or_row_cuts_an_amount(driver, screen, amount, width):
    with_amount(driver, amount)
    driver.window.resize(width, 760)
    name = scenario.request_name(RequestStage.AWAITING_APPROVAL)
    driver.show(screen, name if screen == "review" else "")
    labels = driver.front.findChildren(AmountLabel)
    assert all(a.shown.unit and a.text() == a.shown.short for a in labels if a.isVisible())
    # The layout takes a few turns of the loop.
    driver.settle(lambda: squeezed(driver) == [])
    assert squeezed(driver) == []


def test_an_amount_shows_and_copies_all_decimals_on_focus(driver):
    with_amount(driver, ETHER)
    driver.show("review", scenario.request_name(RequestStage.AWAITING_APPROVAL))
    amount = driver.front.subject.amount
    assert amount.text() == SHORT
    assert amount.accessibleName() == FULL
    amount.setFocus()
    assert amount.text() == FULL
    QTest.keyClick(amount, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "1.250000000000000000 ETH"
    driver.front.setFocus()
    assert amount.text() == SHORT


def test_a_row_shows_and_copies_all_decimals_on_focus(driver):
    with_amount(driver, ETHER)
    driver.show("approvals")
    table = driver.front.table
    cell = driver.front.rows.rows[0].cells[1]
    assert (cell.text, cell.amount.full) == (SHORT, FULL)
    table.selectRow(0)
    assert not table.shows_all(0)
    table.setFocus()
    assert table.shows_all(0)
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "1.250000000000000000 ETH"


def test_the_search_finds_amounts_uncut(driver):
    with_amount(driver, LONGEST)
    driver.show("overview")
    driver.window.search()
    palette = driver.window.palette_sheet
    palette.field.setText("from treasury")
    palette.field.setText(driver.console.inbox.rows[0].short_code)
    driver.until(lambda: bool(palette.rows.rows))
    driver.pass_time(0.02)
    assert LONGEST.text()[:20] in palette.rows.rows[0].cells[0].text
    assert cut(palette.list) == []


def test_a_masked_amount_shows_no_digit_on_focus_or_in_the_clipboard(driver):
    driver.show("wallets")
    driver.window.privacy.toggle()
    QApplication.clipboard().setText("before")
    amount = driver.front.detail.amount
    amount.setFocus()
    QTest.keyClick(amount, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert not any(c.isdigit() for c in amount.text() + amount.accessibleName() + amount.toolTip())
    assert QApplication.clipboard().text() == "before"
