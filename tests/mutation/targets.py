"""What can be put to the test: parts of the package, and the tests that are about each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """`near` says of parts of a module's path which tests are about it, and so are tried first.

    `fixed` holds the tests of what is fixed at import, which no line leads to.
    """

    packages: tuple[str, ...]
    suites: tuple[str, ...]
    near: Mapping[str, str] = field(default_factory=dict)
    fixed: str = ""

    def modules(self) -> Iterator[Path]:
        """Give the modules that are changed, in order."""
        for package in self.packages:
            yield from sorted((ROOT / package).rglob("*.py"))

    def files(self) -> list[str]:
        """Give the places of all tests, as they are collected."""
        found = (sorted(ROOT.glob(suite)) or [ROOT / suite] for suite in self.suites)
        return [str(path.relative_to(ROOT)) for paths in found for path in paths]

    def tests_about(self, module: str) -> str:
        """Give the pattern of the tests that are about a module; what is fixed goes with all."""
        patterns = [tests for part, tests in self.near.items() if f"/{part}" in module]
        return "|".join([*patterns, self.fixed] if self.fixed else patterns) or "."


TARGETS = {
    "protocols": Target(
        packages=("console/protocols",),
        suites=("tests/unit/protocols", "tests/vectors", "tests/adversary", "tests/properties"),
        near={
            "derivation/": r"unit/protocols/derivation|vectors/test_bip(32|340)",
            "dkls23/": r"unit/protocols/dkls23|adversary/test_dkls23",
            "frost/": r"protocols/frost|adversary/test_(frost|roast)|vectors/test_(rfc9591|bip)",
            "kernel/": r"unit/protocols/kernel|adversary/test_session",
            "keygen/": r"unit/protocols/keygen|adversary/test_(dkg|redeal|repair)|vectors",
            "math/": r"unit/protocols/math|vectors",
            "ot/": r"unit/protocols/(ot|dkls23/test_setup)",
        },
        fixed="tests/unit/protocols/test_parameters.py",
    ),
    "domain": Target(
        packages=("console/domain",),
        suites=("tests/unit/domain",),
        fixed="tests/unit/domain/test_values.py",
    ),
    "application": Target(
        packages=tuple(
            f"console/application/{part}" for part in ("ceremonies", "sessions", "signing")
        ),
        suites=("tests/unit/application",),
        near={part: f"application/{part}" for part in ("ceremonies/", "sessions/", "signing/")},
    ),
    "ledger": Target(
        packages=("console/adapters/ledger",),
        suites=(
            "tests/unit/ledger",
            "tests/contract/test_event_store.py",
            "tests/integration/test_ledger_*.py",
        ),
    ),
}
