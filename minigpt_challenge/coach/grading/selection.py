"""Select some of a suite's checks by their names: `minigpt check 2 -k "future and not head"`."""

import re
import warnings

JOINING = {"and", "or", "not"}


def is_expression(words: str) -> bool:
    """Whether these are words joined by `and`, `or`, `not` and parentheses."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)  # a word before a parenthesis
        try:
            compile(_with_values(words, ""), "words", "eval")
        except SyntaxError:
            return False
    return True


def matches(words: str, name: str) -> bool:
    """Whether a check's name has these words in it; `words` is an expression."""
    return bool(eval(_with_values(words, name), {"__builtins__": {}}))


def _with_values(words: str, name: str) -> str:
    """The expression with True or False for each word: nothing else of it is left to run."""
    return re.sub(
        r"[^\s()]+",
        lambda word: word[0] if word[0] in JOINING else str(word[0].lower() in name.lower()),
        words,
    ).strip()
