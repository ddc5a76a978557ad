"""What the heads of a trained model look at, computed from their attention maps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigpt_challenge.coach.reports.chart_style import in_percent


@dataclass(frozen=True)
class Pattern:
    """Something to look at.

    Attributes:
        label: in a title, a format string of the strength.
        words: in a sentence, after "the one that".
        strength: from a map, float (T, S), to how much it is of this kind.
    """

    label: str
    words: str
    strength: Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Head:
    """A head that was chosen because it shows a pattern.

    Attributes:
        index: of its map, such as (block, head).
        pattern: what it shows.
        weights: its map, float (T, S).
    """

    index: tuple[int, ...]
    pattern: Pattern
    weights: np.ndarray

    @property
    def label(self) -> str:
        return in_percent(self.pattern.label, self.pattern.strength(self.weights))


def share_from(steps_back: int, weights: np.ndarray) -> float:
    """How much the positions take from the one `steps_back` before, on average.

    Positions that have no such position do not count, nor does the first, which sees only itself.
    """
    first = max(steps_back, 1)
    positions = np.arange(first, len(weights))
    return float(weights[positions, positions - steps_back].mean()) if len(positions) else 0.0


def positions_used(weights: np.ndarray) -> float:
    """Over how many positions a position's weights are spread, on average, without the first.

    It is the exponential of the entropy: n for n equal weights, 1 if a single one holds all.
    """
    logs = np.log(np.maximum(weights, np.finfo(np.float32).tiny))
    entropies = -(weights * logs).sum(-1)  # (T,)
    return float(np.exp(entropies[1:]).mean()) if len(weights) > 1 else 1.0


PATTERNS = (
    Pattern("itself {:.0%}", "takes most from its own position", lambda w: share_from(0, w)),
    Pattern(
        "one before {:.0%}",
        "takes most from the character just before (a previous-token head)",
        lambda w: share_from(1, w),
    ),
    Pattern(
        "two before {:.0%}",
        "takes most from the character two before",
        lambda w: share_from(2, w),
    ),
    Pattern("spread over {:.1f} positions", "spreads its weights most", positions_used),
)


def telling_heads(maps: np.ndarray) -> list[Head]:
    """For each pattern the head that shows it most, no head twice: maps are float (L, N, T, S)."""
    left = [tuple(map(int, index)) for index in np.ndindex(maps.shape[:-2])]
    chosen = []
    for pattern in PATTERNS[: len(left)]:
        best = max(left, key=lambda index: pattern.strength(maps[index]))
        left.remove(best)
        chosen.append(Head(best, pattern, maps[best]))
    return chosen


def shares(weights: np.ndarray) -> dict[str, float]:
    """Where a position's weights go, on average: float (T, S)."""
    near = {"itself": share_from(0, weights), "the character just before": share_from(1, weights)}
    return near | {"further back": 1 - sum(near.values())}


def shares_in_words(weights: np.ndarray) -> str:
    """The shares in a phrase, the largest first: "74 % from itself, 17 % from …"."""
    largest_first = sorted(shares(weights).items(), key=lambda item: -item[1])
    parts = [f"{in_percent('{:.0%}', share)} from {place}" for place, share in largest_first]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
