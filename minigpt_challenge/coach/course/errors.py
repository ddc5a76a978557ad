"""The message for an error that the user can fix."""

import errno

from minigpt_challenge.errors import UserError

FULL = "Free some space there and run this again. The old file is unchanged."
READ_ONLY = "Make it writable, or work in a copy elsewhere. The old file is unchanged."
WHAT_TO_DO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
}


def message_for(error: Exception) -> str | None:
    """What is wrong and what to do; None for an error that the user cannot fix."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        what_to_do = WHAT_TO_DO.get(error.errno or 0, "Does it exist, and is it what it should be?")
        return f"{error.strerror or error}{where}. {what_to_do}"
    return None
