"""What a person can mend is said in words, not in a traceback."""

from minigpt_challenge.coach.stubs import BadSource
from minigpt_challenge.given.sources import DataError


class Complaint(Exception):
    """Something stands in the way; the message says what, and what to do."""


def in_words(error: Exception) -> str | None:
    """The error for a person who uses a command; None where it is a bug of ours."""
    if isinstance(error, Complaint | DataError | BadSource):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}. Does it exist, and may you write there?"
    return None
