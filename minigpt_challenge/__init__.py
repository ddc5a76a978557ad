"""miniGPT Challenge: build a small GPT in JAX and Flax, one stub at a time.

    tasks/   yours to edit: the stubs, and nothing else
    given/   read, don't edit: data, the bigram, the training loop, sampling
    coach/   the machinery: curriculum, checks, reports, command line, notebook magics

Importing this package imports neither JAX nor TensorFlow.
"""


def load_ipython_extension(ipython):
    """`%load_ext minigpt_challenge`: bring the magics `%%task` and `%check` into a notebook."""
    from minigpt_challenge.coach.commands.magics import register_magics

    register_magics(ipython)
