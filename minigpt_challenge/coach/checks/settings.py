"""The settings that a check is tried in: a cause has to explain what is seen in all of them."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache, partial
from typing import Generic, TypeVar

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.expect import Case

Setting = TypeVar("Setting", bound=Hashable)


class Settings(Generic[Setting]):
    """The cases of each setting, computed when they are first asked for, and then kept.

    Attributes:
        cases: from a setting to its cases.
    """

    def __init__(
        self, settings: Iterable[Setting], cases: Callable[[Setting], Sequence[Case]]
    ) -> None:
        """Compute nothing yet."""
        self._settings = tuple(settings)
        self.cases = cache(cases)

    def others(self, setting: Setting) -> list[Callable[[], Iterable[Case]]]:
        """Functions that give the cases of the other settings: `elsewhere` for `expect`."""
        return [partial(self.cases, other) for other in self._settings if other != setting]

    def all(self) -> list[Callable[[], Sequence[Case]]]:
        """Functions that give the cases of each setting."""
        return [partial(self.cases, setting) for setting in self._settings]

    def all_equal(self, setting: Setting, axes: Sequence[str], label: str) -> None:
        """What is seen in this setting is what was expected: see `expect.all_equal`."""
        expect.all_equal(self.cases(setting), axes, label, self.others(setting))
