"""The base class of all errors that a user can fix."""


class UserError(Exception):
    """Something that the user can fix; the message says what is wrong and what to do.

    Commands and magics print the message without a traceback.
    """
