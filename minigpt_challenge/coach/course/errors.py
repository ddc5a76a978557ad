"""What a person can mend is said in words, not in a traceback."""

import errno

from minigpt_challenge.coach.course.stubs import BadSource
from minigpt_challenge.given.sources import DataError
from minigpt_challenge.locks import Taken

FULL = "Make room there, and run this again. What was there before is as it was."
READ_ONLY = "Make it writable, or work in a copy elsewhere. What is there is as it was."
WAYS_OUT = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
}


class Complaint(Exception):
    """Something stands in the way; the message says what, and what to do."""


def in_words(error: Exception) -> str | None:
    """The error for a person who uses a command; None where it is a bug of ours."""
    if isinstance(error, Complaint | DataError | BadSource):
        return str(error)
    if isinstance(error, Taken):
        return error.strerror
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        way_out = WAYS_OUT.get(error.errno, "Does it exist, and is it what it should be?")
        return f"{error.strerror or error}{where}. {way_out}"
    return None
