"""Find which of the learner's parameters corresponds to which of the reference's.

Learners who write `setup` themselves choose names and order. The two trees of parameters are
paired by shape. Where several pairings fit, they are tried one after the other until the two
functions are equal.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.numpy_interpreter import traced, traced_apply
from minigpt_challenge.coach.checks.param_arrangements import Arrangement, arrangements
from minigpt_challenge.coach.checks.param_trees import Model, shapes_in_order
from minigpt_challenge.coach.checks.stacked_params import unstacked
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.runtime.loading import solution


def weights_for(answer: Model, reference: Model, reference_params: dict, *inputs: Any) -> dict:
    """The reference's weights, arranged in the tree of the learner's module.

    With a pairing that makes the two modules agree on the inputs. If none does, with the pairing
    by order of use, so that the difference can be shown.

    Args:
        answer: the learner's module.
        reference: the solution's.
        reference_params: its weights.
        inputs: what both are called with.

    Raises:
        Wrong: the parameters of the two differ in number or shape.
    """
    wanted, given = shapes_of_both(answer, reference, *inputs)
    if wrong := mismatch(wanted, given):
        raise wrong
    expected = traced_apply(reference)(reference_params, *inputs)
    apply = traced(answer.apply)
    first, equal = search(wanted, given, reference_params, apply, inputs, expected)
    return (equal or first)(reference_params)


def weights_for_tables(
    answer: Model, reference: Model, reference_params: dict, *inputs: Any
) -> dict:
    """As `weights_for`, also if the learner's module uses only one of the reference's tables.

    Flax creates no parameters for an `nn.Embed` that is never called. The values can still be
    compared then, which reveals more than that a table is missing.
    """
    tables = {table.shape: table for table in jax.tree.leaves(reference_params)}
    shapes = jax.eval_shape(answer.init, jax.random.key(0), *inputs)
    wanted = [shape for _, shape in param_trees.bare(param_trees.shapes(shapes))]
    if len(wanted) == 1 and wanted[0] in tables:
        return jax.tree.map(lambda leaf: tables[wanted[0]].reshape(leaf.shape), shapes)
    return weights_for(answer, reference, reference_params, *inputs)


def under_the_given_names(model: Model, params: Any, tokens: jax.Array) -> Any:
    """The params of a MiniGPT of task 4, rearranged in the tree of the reference's MiniGPT.

    In task 4 the names of the layers are free, and the models of later tasks cannot know them.
    With these params the reference computes what the model computes.

    Args:
        model: a MiniGPT, the learner's or another.
        params: its params.
        tokens: integers (B, T), on which the two are compared.

    Raises:
        Wrong: the model has other parameters than the reference.
    """
    fields = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads")
    sizes = {name: getattr(model, name) for name in fields}
    reference = solution(4).MiniGPT(**sizes)
    # Where the reference's random numbers go in the model's tree tells where its params come from.
    drawn = random_inputs.params(reference, tokens)
    arranged = weights_for(model, reference, drawn, tokens)
    origins: dict[tuple, Any] = {}
    pairs = zip(
        *(map(np.asarray, jax.tree.leaves(tree)) for tree in (arranged, params)), strict=True
    )
    for numbers, values in pairs:
        origins[_key(numbers)] = values
        for layer_numbers, layer in zip(numbers, values, strict=True):  # of a stack of layers
            origins[_key(layer_numbers)] = layer
    return jax.tree.map(lambda numbers: origins[_key(np.asarray(numbers))], drawn)


def _key(numbers: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    return numbers.shape, numbers.tobytes()


def shapes_of_both(answer: Model, reference: Model, *inputs: Any) -> tuple[dict, dict]:
    """The learner's tree of shapes, stacked layers split, and the reference's."""
    given = shapes_in_order(reference, *inputs)
    return unstacked(shapes_in_order(answer, *inputs), given), given


def search(
    wanted: dict,
    given: dict,
    values: dict,
    apply: Callable,
    inputs: Sequence[Any],
    expected: Any,
) -> tuple[Arrangement, Arrangement | None]:
    """Try arrangements until the learner's function gives the expected output.

    Say the reference applies `first`, then `second`, both `nn.Dense(4, use_bias=False)`, and the
    learner named them `b` and `a`. Both kernels have the shape (4, 4), so two arrangements fit:

        wanted = {"params": {"b": {"kernel": (4, 4)}, "a": {"kernel": (4, 4)}}}
        given = {"params": {"first": {"kernel": (4, 4)}, "second": {"kernel": (4, 4)}}}

    The likely one goes by the order of use: `b` gets the weights of `first`. If the learner's
    output then equals the reference's, both returned values are this arrangement. If only the
    other one gives `expected`, that is the second value; if neither does, it is None.

    Args:
        wanted: the learner's tree of shapes, as from `shapes_of_both`, of the same shapes as
            `given`.
        given: the reference's.
        values: the weights, in the reference's tree.
        apply: the learner's function of weights, in the learner's tree, and inputs.
        inputs: what both functions are called with.
        expected: the reference's output.

    Returns:
        the likely arrangement, and the one that gives the expected output.
    """
    candidates = arrangements(wanted, given)
    first = next(candidates)
    for arrange in chain([first], candidates):
        seen = apply(arrange(values), *inputs)
        if close(seen, expected):
            return first, arrange
        if np.shape(seen) != np.shape(expected):
            break
    return first, None


def close(seen: Any, expected: Any) -> bool:
    """Whether an output is an array equal to the expected one."""
    if not hasattr(seen, "shape") or seen.shape != np.shape(expected):
        return False
    return not differs(seen, expected).any()


def mismatch(wanted: dict, given: dict) -> Wrong | None:
    """How the learner's parameters differ from the reference's in number or shape.

    Args:
        wanted: the learner's tree of shapes.
        given: the reference's.
    """
    mine = Counter(shape for _, shape in param_trees.bare(wanted))
    theirs = Counter(shape for _, shape in param_trees.bare(given))
    if mine == theirs:
        return None
    parts = [
        f"{what}: {', '.join(_arrays(number, shape) for shape, number in rest.items())}."
        for what, rest in (("Missing", theirs - mine), ("Not asked for", mine - theirs))
        if rest
    ]
    return Wrong(
        " ".join(parts),
        asked="Your parameters should have the shapes that the task asks for.",
        about="the shapes of the parameters",
    )


def _arrays(number: int, shape: tuple[int, ...]) -> str:
    return f"{number} array{'s' * (number > 1)} of shape {shape}"
