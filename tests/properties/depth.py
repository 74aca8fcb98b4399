"""How many examples a property is tried with: few by default, more for a long run."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import settings

TIMES = int(os.environ.get("QUORATE_PROPERTY_TIMES", "1"))
"""By what the numbers of examples are multiplied; 100 makes a run of an hour or two."""

F = TypeVar("F", bound=Callable[..., Any])


def examples(count: int) -> Callable[[F], F]:
    """Try a property with `count` examples, times what the environment says."""
    return settings(max_examples=count * TIMES, deadline=None)
