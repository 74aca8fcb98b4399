"""What a figure quotes is what was measured."""

from statistics import median

import pytest

from tests.benchmarks.figures import figure, p95, percentile


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    samples = list(range(100, 0, -1))
    assert percentile(samples, share) == expected


def test_one_sample_is_every_percentile() -> None:
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


def test_seconds_become_milliseconds_and_the_quoted_figure_is_chosen() -> None:
    samples = [0.001] * 90 + [0.010] * 10
    told = figure("x", samples, quote=p95)
    assert (told.value, told.p50, told.p95, told.n, told.unit) == (10.0, 1.0, 10.0, 100, "ms")
    assert figure("x", samples).value == median([1.0] * 90 + [10.0] * 10)
    assert figure("x", [106.5], "MB", scale=1).value == 106.5
