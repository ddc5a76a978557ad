"""Explain errors of Python, JAX, Flax and Optax to a learner."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from traceback import walk_tb
from typing import Any

from minigpt_challenge.coach.grading.error_table import BY_CLASS, BY_OPTAX_FUNCTION, BY_PHRASE
from minigpt_challenge.coach.grading.idioms import arrays, modules
from minigpt_challenge.coach.grading.idioms.idiom import Raised
from minigpt_challenge.coach.runtime.error_text import message_text

IDIOMS = (*arrays.ROWS, *modules.ROWS)


def explanation_of(error: BaseException, code: str, values: Mapping[str, Any]) -> str:
    """What the error means, in a sentence or more; empty where the tables do not have it.

    Args:
        error: the error.
        code: the learner's statement that raised it; empty if it was none of theirs.
        values: the local variables at that statement.
    """
    classes = [kind.__name__ for kind in type(error).__mro__]
    message = f"{classes[0]}: {message_text(error)}"
    raised = Raised(error, message, code, values)
    by_idiom = (idiom.instead for idiom in IDIOMS if idiom.explains(raised))
    optax_functions = {
        frame.f_code.co_name
        for frame, _ in walk_tb(error.__traceback__)
        if "optax" in Path(frame.f_code.co_filename).parts
    }
    by_class = (BY_CLASS[name] for name in classes if name in BY_CLASS)
    by_optax_function = (
        explanation
        for (function, phrase), explanation in BY_OPTAX_FUNCTION.items()
        if function in optax_functions and phrase in message
    )
    by_phrase = (explanation for phrase, explanation in BY_PHRASE.items() if phrase in message)
    return next(chain(by_idiom, by_class, by_optax_function, by_phrase), "")
