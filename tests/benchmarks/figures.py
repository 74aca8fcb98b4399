"""One measured figure: a name that never changes, what to quote, and how it spread."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`value` is the figure to quote; `n` is how many samples stand behind it."""

    name: str
    value: float
    unit: str
    p50: float
    p95: float
    n: int

    def row(self) -> dict[str, object]:
        return asdict(self)


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least this share of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def p95(samples: Sequence[float]) -> float:
    return percentile(samples, 0.95)


def figure(
    name: str,
    samples: Sequence[float],
    unit: str = "ms",
    quote: Callable[[Sequence[float]], float] = median,
    scale: float = 1000.0,
) -> Figure:
    """Sum samples up; seconds become milliseconds unless `scale` says otherwise."""
    scaled = [sample * scale for sample in samples]
    value, p50, high = (round(x, 4) for x in (quote(scaled), median(scaled), p95(scaled)))
    return Figure(name, value, unit, p50, high, len(scaled))
