"""Messages for errors that the user can fix."""

import errno

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.errors import UserError

DISK_FULL = "Free some space there and run this again. The old file is unchanged."
READ_ONLY = "Make it writable, or work in a copy elsewhere. The old file is unchanged."
ADVICE = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: DISK_FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
}


def damaged(name: str, damage: str) -> str:
    """A message about a file of the challenge: `damage` says what happened to it."""
    in_git = (ROOT / ".git").exists()
    command = f"`git checkout {name}`" if in_git else "Delete it, and `minigpt update`"
    return (
        f"{name} {damage}. It belongs to the challenge, and your own file is not to blame. "
        f"{command} brings it back as it was."
    )


def message_for(error: Exception) -> str | None:
    """What is wrong and how to fix it; None for an error that the user cannot fix."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        advice = ADVICE.get(
            error.errno or 0, "Check that it exists and is of the right kind, file or folder."
        )
        return f"{error.strerror or error}{where}. {advice}"
    return None
