"""Colours, icons, fonts and the binding under them."""

import re
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo

import ui
from ui import assets, icons, registry, status, theme
from ui.widgets.facts import Fact, Facts
from ui.widgets.text import Label

SOURCES = [path.read_text() for path in Path(ui.__file__).parent.rglob("*.py")]
TABLES = (status.STEP, status.REQUEST, status.CEREMONY, status.PURPOSE, status.SHARE)
TONES = [tone.value for tone in theme.Tone]


def contrast(one: str, two: str) -> float:
    def light(name: str) -> float:
        parts = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in QColor(name).getRgbF()[:3]
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT_PAIRS = [
    *(
        (text, ground)
        for text in ("text", "text2", "muted")
        for ground in ("app", "surface", "sunken")
    ),
    ("text", "selection"),
    ("text", "hover"),
    ("text2", "hover"),
    ("muted", "selection"),
    ("muted", "neutral_bg"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("address_alt", "surface"),
    ("accent", "surface"),
    ("surface", "danger_fg"),
    ("surface", "text"),
    *((f"{tone}_fg", f"{tone}_bg") for tone in TONES),
    *((f"{tone}_fg", "surface") for tone in TONES),
    *(("text2", f"{tone}_bg") for tone in TONES),
]


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids="-".join)
def test_text_can_be_read(name, pair):
    tokens = theme.token_table()[name]
    assert contrast(tokens[pair[0]], tokens[pair[1]]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("pair", [("control", "surface"), ("control", "app"), ("accent", "app")])
def test_control_lines_can_be_seen(name, pair):
    tokens = theme.token_table()[name]
    assert contrast(tokens[pair[0]], tokens[pair[1]]) >= 3


def test_both_themes_have_the_same_tokens():
    table = theme.token_table()
    assert table["light"].keys() == table["dark"].keys()


def test_every_icon_that_is_named_exists_and_draws(qapp):
    used = {look.icon for table in TABLES for look in table.values()}
    used |= {entry.icon for entry in registry.SECTIONS}
    for source in SOURCES:
        used |= set(re.findall(r'\bicon="([a-z-]+)"', source))
        used |= set(re.findall(r'(?:IconMark|Look|EmptyText|Point)\(\s*"([a-z-]+)"', source))
    assert used <= assets.icon_names()
    for name in assets.icon_names():
        picture = icons.pixmap(name, QColor("#123456"), 24, 1.0).toImage()
        drawn = any(picture.pixelColor(x, y).alpha() for x in range(24) for y in range(24))
        assert drawn, name


def test_states_differ_without_colour():
    for table in TABLES:
        words = [look.word for look in table.values()]
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("mono", [False, True])
def test_the_bundled_fonts_are_used(qapp, mono):
    wanted = theme.MONO if mono else theme.SANS
    assert QFontInfo(theme.font(14, mono=mono)).family() == wanted
    assert "SIL OPEN FONT LICENSE" in assets.font_licences()


def test_emitting_loses_no_reference(qapp):
    """PySide6 6.12.0 drops one reference to True with each emit, until the process aborts."""

    class Emitter(QObject):
        told = Signal()

    emitter = Emitter()
    emitter.told.connect(lambda: None)
    before = sys.getrefcount(True)
    for _ in range(5_000):
        emitter.told.emit()
    assert abs(sys.getrefcount(True) - before) < 100


def test_no_text_is_marked_up_and_no_proxy_model_is_used():
    for source in SOURCES:
        assert "RichText" not in source
        assert "QSortFilterProxyModel" not in source
        assert "ResizeToContents" not in source


def test_no_layout_is_asked_for_its_items():
    """PySide 6.11 keeps the item after Qt has freed it; what comes to its address crashes later."""
    for source in SOURCES:
        assert ".itemAt" not in source


def test_a_long_hash_is_shown_whole_in_a_narrow_place(qtbot):
    facts = Facts()
    qtbot.addWidget(facts)
    digest = "0x" + "7c0bd88fa2208efc" * 4
    facts.set_facts(Fact("Signing hash", digest), Fact("Nonce", "7"))
    (value,) = (
        each for each in facts.findChildren(Label) if "Signing hash:" in each.accessibleName()
    )
    assert value.text().replace("\u200b", "") == digest
    assert value.minimumSizeHint().width() <= 160
    assert value.accessibleName() == f"Signing hash: {digest}"


def test_an_x_between_digits_stays_an_x(qapp):
    """Inter draws 0x15 with a multiplication sign, which an address must never show."""
    features = theme.font(14)
    assert features.featureValue(QFont.Tag("calt")) == 0
    label = Label("0x153b")
    label.ensurePolished()
    assert label.font().featureValue(QFont.Tag("calt")) == 0


def test_a_theme_changes_colours_and_never_the_style_under_them(qapp):
    theme.apply(qapp, theme.ThemeName.LIGHT)
    deleted = []
    qapp.style().destroyed.connect(lambda: deleted.append(True))
    for name in ("dark", "light", "dark", "light"):
        theme.apply(qapp, theme.ThemeName(name))
    assert deleted == []
