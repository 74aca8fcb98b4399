"""Implementations of `SettingUp` under test, each by its name: a factory of one below a home."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.client.set_up.port import SettingUp
from console.client.set_up.process import SetUpProcess

Factory = Callable[[Path], SettingUp]

_FAKE = "tests.fakes.setting_up"
"""The window's fake, as soon as it is there."""


def _fake(_home: Path) -> SettingUp:
    module: Any = importlib.import_module(_FAKE)
    made: SettingUp = module.FakeSettingUp()
    return made


FACTORIES: dict[str, Factory] = {"process": SetUpProcess}
if importlib.util.find_spec(_FAKE) is not None:
    FACTORIES["fake"] = _fake
