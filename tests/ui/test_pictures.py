"""The states that pictures are drawn of can be made: a picture that fails is seen here first."""

import pytest

from tests.fakes.console import FakeConsole
from tests.fakes.setting_up import FakeSettingUp
from tests.ui.first_run_shots import FIRST_SHOTS
from tests.ui.screenshots import SHOTS


@pytest.mark.parametrize(
    ("name", "prepare"), [shot[:2] for shot in SHOTS], ids=[shot[0] for shot in SHOTS]
)
def test_the_state_of_a_picture_can_be_made(name, prepare):
    prepare(FakeConsole())
    assert sum(shot[0] == name for shot in SHOTS) == 1


@pytest.mark.parametrize(
    ("name", "prepare"), [shot[:2] for shot in FIRST_SHOTS], ids=[shot[0] for shot in FIRST_SHOTS]
)
def test_the_state_of_a_picture_of_the_first_run_can_be_made(name, prepare):
    prepare(FakeSettingUp())
    assert sum(shot[0] == name for shot in FIRST_SHOTS) == 1
