"""The secrets that a run makes, to see which of them it has erased at its end."""

import pytest

from console.protocols.kernel.secret import SecretBytes


def remembered(monkeypatch: pytest.MonkeyPatch) -> list[SecretBytes]:
    """Return a list that every secret made from now on is added to."""
    made: list[SecretBytes] = []
    original = SecretBytes.__init__

    def remember(self: SecretBytes, data: bytes | bytearray | memoryview) -> None:
        original(self, data)
        made.append(self)

    monkeypatch.setattr(SecretBytes, "__init__", remember)
    return made
