"""What code and documents cite is there: sections, cases, decisions, files and links."""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.sources import ROOT

READ = re.compile(r"(?:console|hsm|ui|tests|docs|packaging)/.*\.(?:py|md)|[\w.-]+\.(?:md|toml)")
PLANTED = "tests/architecture/test_citations.py"

NUMBER = r"\d+(?:\.\d+)*"
LIST = r"(?:(?:,|\s+and|\s+to)\s+"
SECTIONS = re.compile(rf"docs/spec\s+({NUMBER}{LIST}{NUMBER})*)")
OTHER_FORM = re.compile(r"(?<!docs/)\bspec\s+§?\d[\d.]*|docs/spec\s+§\s*\d[\d.]*")
OWN_SECTION = re.compile(rf"§({NUMBER})")
HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
CASES = re.compile(rf"\bcases?\s+(C\d+{LIST}C\d+)*)(?:,\s+(docs/\w+\.md))?")
BARE_CASE = re.compile(r"\bC\d{1,3}\b")
CASE_ROW = re.compile(r"^\| (C\d+[^|]*)\|", re.MULTILINE)
WITHDRAWN = re.compile(r"\bPROTOCOLS\b|\bSECURITY-BRIEF\b|\bBRIEF\b|\b[Ss]ecurity brief\b")
DECISION = re.compile(r"\bdocs/adr/(\d+)|\bADRs?\s+(\d+)")
DOCUMENT = re.compile(r"\bdocs/[\w/-]+\.md\b")
MODULE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.py)(?::\d+)?`")
ROOM = re.compile(r"`(\w+)/?`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")
WITH_CASES = ("docs/checks.md", "docs/chains.md")


def _texts() -> dict[str, str]:
    """Read everything that may cite; a sentence that is wrapped becomes one line."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.splitlines()
    paths = {name: ROOT / name for name in listed if READ.fullmatch(name) and name != PLANTED}
    return {name: path.read_text() for name, path in paths.items() if path.is_file()}


TEXTS = _texts()
MODULES = tuple(f"/{name}" for name in TEXTS if name.endswith(".py"))
SPEC = {name: text for name, text in TEXTS.items() if name.startswith("docs/spec/")}


def unwrapped(text: str) -> str:
    """Join lines, so that a citation is found across the end of one."""
    return re.sub(r"\n[ \t]*(?:#[ \t]+)?", " ", text)


def headings(text: str) -> list[str]:
    return HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def numbers(texts: Iterable[str]) -> list[str]:
    """Give the numbers of all sections."""
    found = (re.match(rf"({NUMBER}) ", title) for text in texts for title in headings(text))
    return [match.group(1) for match in found if match]


def cases(text: str) -> set[str]:
    """Give the cases that a document's tables have rows for; `C36 to C43` is a row for all."""
    rows: set[str] = set()
    for cell in CASE_ROW.findall(text):
        rows |= set(BARE_CASE.findall(cell))
        for first, last in re.findall(r"C(\d+) to C(\d+)", cell):
            rows |= {f"C{number}" for number in range(int(first), int(last) + 1)}
    return rows


KNOWN_SECTIONS = frozenset(numbers(SPEC.values()))
KNOWN_CASES = {name: frozenset(cases(TEXTS[name])) for name in WITH_CASES}


def wrong_sections(name: str, text: str) -> Iterator[str]:
    """Give citations of sections that there are not, or that are written otherwise."""
    for match in SECTIONS.finditer(unwrapped(text)):
        yield from (n for n in re.findall(NUMBER, match.group(1)) if n not in KNOWN_SECTIONS)
    yield from (match.group() for match in OTHER_FORM.finditer(unwrapped(text)))
    if name.startswith("docs/spec/"):
        yield from (n for n in OWN_SECTION.findall(text) if n not in KNOWN_SECTIONS)


def wrong_cases(name: str, text: str) -> Iterator[str]:
    """Give citations of cases without a row, and case numbers in code that do not say so."""
    rest = unwrapped(text)
    everywhere = frozenset().union(*KNOWN_CASES.values())
    for match in CASES.finditer(rest):
        known = KNOWN_CASES.get(match.group(2), frozenset()) if match.group(2) else everywhere
        yield from (case for case in BARE_CASE.findall(match.group(1)) if case not in known)
    if name.endswith(".py"):
        yield from BARE_CASE.findall(CASES.sub("", rest))


def withdrawn_documents(_name: str, text: str) -> Iterator[str]:
    """Give mentions of documents that a reader of the repository does not have."""
    yield from (match.group() for match in WITHDRAWN.finditer(text))


def wrong_decisions(_name: str, text: str) -> Iterator[str]:
    """Give citations of decisions that there are not."""
    for match in DECISION.finditer(unwrapped(text)):
        number = match.group(1) or match.group(2)
        if len(number) != 3 or len([*(ROOT / "docs/adr").glob(f"{number}-*.md")]) != 1:
            yield match.group()


def wrong_documents(_name: str, text: str) -> Iterator[str]:
    """Give mentions of documents that there are not."""
    yield from (place for place in DOCUMENT.findall(text) if not (ROOT / place).is_file())


def wrong_modules(name: str, text: str) -> Iterator[str]:
    """Give modules that a document names and that there are not, by the end of their path."""
    if name.endswith(".md"):
        for module in MODULE.findall(text):
            if not any(known.endswith(f"/{module}") for known in MODULES):
                yield module


def wrong_links(name: str, text: str) -> Iterator[str]:
    """Give relative links of a document to files, or to headings, that there are not."""
    if not name.endswith(".md"):
        return
    for target in LINK.findall(text):
        if ELSEWHERE.match(target):
            continue
        place, _, anchor = target.partition("#")
        path = ROOT / PurePosixPath(name).parent / place if place else ROOT / name
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target


def anchors(path: Path) -> set[str]:
    """Give the places in a document that a link may name."""
    return {slug(title) for title in headings(path.read_text())} if path.is_file() else set()


def slug(title: str) -> str:
    """Give the anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


Rule = Callable[[str, str], Iterator[str]]
RULES: tuple[Rule, ...] = (
    wrong_sections,
    wrong_cases,
    withdrawn_documents,
    wrong_decisions,
    wrong_documents,
    wrong_modules,
    wrong_links,
)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_cited_is_there(rule: Rule) -> None:
    found = {name: wrong for name, text in TEXTS.items() if (wrong := [*rule(name, text)])}
    assert found == {}


def test_the_map_shows_every_room_of_the_use_cases() -> None:
    folder = ROOT / "console/application"
    rooms = {path.stem for path in folder.iterdir() if not path.name.startswith("_")}
    table = TEXTS["docs/architecture.md"].partition("## The rooms")[2].partition("**A newcomer")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    shown = {room for row in rows for room in ROOM.findall(row)}
    assert rooms - {"api", "commands", "views"} == shown


PLANTS: tuple[tuple[Rule, str, str, list[str]], ...] = (
    (wrong_sections, "a.py", "as docs/spec 3.99 has it", ["3.99"]),
    (wrong_sections, "a.py", "(docs/spec 3.1, 77 and 3.6)", ["77"]),
    (wrong_sections, "a.py", "    # as docs/spec\n    # 3.98 has it", ["3.98"]),
    (wrong_sections, "a.py", '"""Sum (docs/spec 3.1 and\n    3.97)."""', ["3.97"]),
    (wrong_sections, "a.py", "as spec 3.6 has it", ["spec 3.6"]),
    (wrong_sections, "docs/spec/a.md", "as in §3.96", ["3.96"]),
    (wrong_cases, "a.py", "a lie (case C997)", ["C997"]),
    (wrong_cases, "a.py", "lies (cases C111, C998, docs/chains.md)", ["C998"]),
    (wrong_cases, "a.py", "a wrong list (case C15, docs/chains.md)", ["C15"]),
    (wrong_cases, "a.py", "a lie (case C116, docs/nowhere.md)", ["C116"]),
    (wrong_cases, "a.py", "a lie (C116)", ["C116"]),
    (wrong_cases, "docs/a.md", "a lie (case C996)", ["C996"]),
    (wrong_modules, "docs/a.md", "`console/core.py` and `frost/run.py:7`", ["console/core.py"]),
    (withdrawn_documents, "a.py", "(PROTOCOLS 3.6)", ["PROTOCOLS"]),
    (withdrawn_documents, "a.md", "PROTOCOLS, section 9", ["PROTOCOLS"]),
    (withdrawn_documents, "a.py", "(SECURITY-BRIEF C116)", ["SECURITY-BRIEF"]),
    (withdrawn_documents, "a.py", "(BRIEF C116)", ["BRIEF"]),
    (withdrawn_documents, "a.md", "## Cases of the security brief", ["security brief"]),
    (wrong_decisions, "a.py", "see docs/adr/999", ["docs/adr/999"]),
    (wrong_decisions, "a.md", "so it is (ADR 998)", ["ADR 998"]),
    (wrong_decisions, "a.md", "so it is (ADR 2)", ["ADR 2"]),
    (wrong_documents, "a.py", "see docs/nowhere.md", ["docs/nowhere.md"]),
    (wrong_documents, "a.py", "see docs/spec/nowhere.md", ["docs/spec/nowhere.md"]),
    (wrong_links, "docs/a.md", "[there](nowhere.md)", ["nowhere.md"]),
    (wrong_links, "docs/spec/a.md", "[there](checks.md)", ["checks.md"]),
    (wrong_links, "README.md", "![there](docs/images/nowhere.png)", ["docs/images/nowhere.png"]),
    (wrong_links, "docs/a.md", "[there](checks.md#nowhere)", ["checks.md#nowhere"]),
    (wrong_links, "docs/a.md", "[there](spec#nowhere)", ["spec#nowhere"]),
)


@pytest.mark.parametrize(("rule", "name", "text", "expected"), PLANTS)
def test_a_wrong_citation_is_found(rule: Rule, name: str, text: str, expected: list[str]) -> None:
    assert [*rule(name, text)] == expected


def test_every_rule_has_a_wrong_citation_to_find() -> None:
    assert {rule for rule, _, _, _ in PLANTS} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (wrong_sections, "a.py", "(docs/spec 0.2, 3.1 to 3.7 and 13), and docs/spec/keygen.md"),
        (wrong_cases, "a.py", "(cases C111, C114, docs/chains.md; case C15)"),
        (wrong_decisions, "a.md", "[ADR 002](adr/002-protocol-runs.md), docs/adr/010"),
        (wrong_links, "docs/a.md", "[a](checks.md#frost) [b](https://example.org/) [c](spec/)"),
    ],
)
def test_a_right_citation_is_none_of_them(rule: Rule, name: str, text: str) -> None:
    assert [*rule(name, text)] == []


def test_the_rules_have_something_to_judge() -> None:
    code = [unwrapped(text) for name, text in TEXTS.items() if name.endswith(".py")]
    assert sum(len(SECTIONS.findall(text)) for text in code) > 20
    assert sum(len(CASES.findall(text)) for text in code) >= 5
    assert sum(len(LINK.findall(text)) for name, text in TEXTS.items()) > 10
    assert len(KNOWN_SECTIONS) > 30
    assert min(len(known) for known in KNOWN_CASES.values()) > 5


def test_a_section_has_one_number() -> None:
    assert repeated(numbers(SPEC.values())) == set()
    assert repeated(numbers(["# 1 One\n## 1.1 Same\n", "## 1.1 Same again\n"])) == {"1.1"}


def repeated(found: list[str]) -> set[str]:
    return {number for number in found if found.count(number) > 1}


def test_the_spec_names_every_tag_message_and_check_that_there_is() -> None:
    protocols = {n: text for n, text in TEXTS.items() if n.startswith("console/protocols/")}
    assert differences(protocols, "\n".join(SPEC.values()), TEXTS["docs/checks.md"]) == set()


def test_a_name_that_only_code_or_only_the_spec_has_is_found() -> None:
    code = {"a.py": 'A = "tsig/v1/dkg/a"\n@message("dkg.a")\n@message("dkg.b", Delivery.DIRECT)\n'}
    spec = 'H("tsig/v1/dkg/a") `dkg.a` `dkg.b`\n| `bad`, `worse` | why |\n'
    assert differences(code, spec, "`bad` `worse`") == set()
    assert differences(code, spec, "`bad`") == {"worse"}
    assert differences(code, spec.replace("/a", "/c"), "`bad` `worse`") == {
        "tsig/v1/dkg/a",
        "tsig/v1/dkg/c",
    }
    assert differences(code, spec.replace("`dkg.a`", "`dkg.c`"), "`bad` `worse`") == {
        "dkg.a",
        "dkg.c",
    }


INSIDE_OTHERS = {"frost.roast-row"}
STORED = {"keygen.public-share", "keygen.public-key-package"}


def differences(code: Mapping[str, str], spec: str, checks: str) -> set[str]:
    """Give tags and message kinds that only one of both has, and checks without a row."""
    text = "\n".join(code.values())
    tags = set(re.findall(r'= "(tsig/v1/[\w/-]+)"', text))
    kinds = set(re.findall(r'^@message\("([\w.-]+)"', text, re.MULTILINE)) - INSIDE_OTHERS - STORED
    said_kinds = set(re.findall(r"`((?:dkg|redeal|repair|frost|dkls23)\.[\w-]+)`", spec))
    said_tags = set(re.findall(r'"(tsig/v1/[\w/-]+)"', spec))
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", spec, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"[a-z-]+", row)}
    return (tags ^ said_tags) | (kinds ^ said_kinds) | {n for n in named if f"`{n}`" not in checks}


def test_the_documents_are_read() -> None:
    # A list that has lost a folder would judge nothing there, and find nothing wrong.
    assert {name.partition("/")[0] for name in TEXTS} >= {"console", "hsm", "ui", "tests", "docs"}
    assert {"README.md", "docs/adr/002-protocol-runs.md", "docs/spec/protocols.md"} <= set(TEXTS)
