"""miniGPT Challenge: build a small GPT in JAX and Flax, one stub at a time.

    tasks/   the stubs, the only files that you edit
    given/   read, don't edit: data, the bigram, the training loop, sampling
    coach/   curriculum, checks, reports, command line, notebook magics

Importing this package imports neither JAX nor TensorFlow.
"""

import warnings
from typing import Any


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics, such as `%%task`, for `%load_ext minigpt_challenge`.

    Raises:
        UserError: this package stands in no folder of the challenge: its stubs are nobody's.
    """
    # Imported here, so that `minigpt` and `import minigpt_challenge` start without JAX.
    from minigpt_challenge.coach.course.challenge_files import (
        NOT_THE_NOTEBOOKS_FOLDER,
        require_folder,
    )

    require_folder(NOT_THE_NOTEBOOKS_FOLDER)
    # `!minigpt …` forks, and then starts another program at once: JAX's warning is not about that.
    warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
    from minigpt_challenge.coach.commands.magics import register_magics

    register_magics(ipython)
