"""The report: the steps of the demonstration and their times, printed and saved as JSON."""

import contextlib
import json
import platform
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from rich.console import Console as Terminal

_PACKAGES = (
    "PySide6_Essentials",
    "grpcio",
    "python-pkcs11",
    "solders",
    "sqlcipher3",
    "cryptography",
)


@dataclass(slots=True)
class Report:
    """Steps with durations in seconds, facts, ledger heads and versions."""

    terminal: Terminal
    steps: list[dict[str, object]] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    proved: list[dict[str, object]] = field(default_factory=list)
    """For each epoch: the kinds of keys that signed, and the custodians whose shares did."""
    _started: float = field(default_factory=time.monotonic)

    def say(self, sentence: str) -> None:
        """Print a sentence with the time since the start."""
        elapsed = time.monotonic() - self._started
        self.terminal.print(f"[dim]{elapsed:6.1f} s[/dim]  {sentence}", highlight=False)

    @contextlib.asynccontextmanager
    async def step(self, sentence: str) -> AsyncIterator[None]:
        """Print a step and measure it."""
        self.say(sentence)
        started = time.monotonic()
        yield
        self.steps.append({"step": sentence, "seconds": round(time.monotonic() - started, 3)})

    def write(self, path: Path, *, ok: bool, failure: str, pictures: list[str]) -> None:
        """Write the report."""
        content = {
            "ok": ok,
            "failure": failure,
            "seconds": round(time.monotonic() - self._started, 3),
            "steps": self.steps,
            **self.facts,
            "proved": self.proved,
            "ledger_heads": self.heads,
            "screenshots": pictures,
            "versions": {
                "python": platform.python_version(),
                **{package: version(package) for package in _PACKAGES},
            },
        }
        path.write_text(json.dumps(content, indent=2) + "\n")
