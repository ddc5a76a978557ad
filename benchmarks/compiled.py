"""Does XLA compile the references right? Values and gradients, by XLA and by NumPy.

`python benchmarks/compiled.py [SHAPES]` draws random shapes (1,000 by default) for the attention
of tasks 2 and 3 and for the block, the model and the loss of tasks 4 and 5. The compiled value and
its gradients are compared, with the tolerance of the checks, with those that NumPy computes from
the same jaxpr. Where they differ, so may each operation on its own: then rounding explains it. No
width is below 3, since a LayerNorm of two numbers divides by nearly 0, which magnifies rounding.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.checks.numpy_interpreter import traced
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.runtime.loading import solution

Case = tuple[str, Callable[..., jax.Array], tuple[Any, ...]]  # a name; → a number; its arguments


def main(number: int) -> None:
    """Compare, and print how many shapes differ for each reference, by XLA alone or op by op."""
    rng, tried, by_xla, by_rounding = random.Random(0), Counter[str](), Counter[str](), 0
    for seed in range(number):
        name, function, arguments = draw(rng, seed)
        with_gradient = jax.value_and_grad(function)
        compiled, expected = jax.jit(with_gradient)(*arguments), traced(with_gradient)(*arguments)
        tried[name] += 1
        if differ(compiled, expected):
            with jax.disable_jit():
                rounding = differ(with_gradient(*arguments), expected)
            by_rounding += rounding
            by_xla[name] += not rounding
            shapes = jax.tree.map(np.shape, arguments)
            print(f"{name}, seed {seed}: differs, op by op too: {rounding}; {shapes}", flush=True)
        if seed % 100 == 99:
            jax.clear_caches()  # programs use up the memory maps of a process
    print(f"jax {jax.__version__}: " + ", ".join(f"{n} {by_xla[n]} of {tried[n]}" for n in tried))
    print(f"op by op too: {by_rounding}")


def differ(seen: Any, expected: Any) -> bool:
    """Whether any value differs by more than a check tolerates."""
    pairs = zip(jax.tree.leaves(seen), jax.tree.leaves(expected), strict=True)
    return any(differs(np.asarray(a), np.asarray(b)).any() for a, b in pairs)


def draw(rng: random.Random, seed: int) -> Case:
    """A reference, with weights and inputs of random shapes."""
    B, T, N = (rng.randint(1, most) for most in (6, 70, 4))
    H, C = (rng.randint(3, most) for most in (9, 40))
    name = rng.choice(["head", "heads", "einsum heads", "block", "model", "loss"])
    x = random_inputs.floats(B, T, C, seed=seed)
    if name in ("model", "loss"):
        V, L = rng.randint(2, 70), rng.randint(1, 3)
        module = solution(4).MiniGPT(V, N * H, T, L, N)
        x = random_inputs.tokens(B, T, vocab_size=V, seed=seed)
    elif name == "block":
        module, x = solution(4).DecoderBlock(N * H, N), random_inputs.floats(B, T, N * H, seed=seed)
    elif name == "head":
        module = solution(2).SelfAttention(H)
    elif name == "heads":
        module = solution(2).MultiHeadAttention(N, H)
    else:
        module = solution(3).EinsumMultiHeadAttention(N, H)
    params = random_inputs.params(module, x)
    if name == "loss":
        y = random_inputs.tokens(B, T, vocab_size=V, seed=seed + 1)
        arguments = params, x, y
        return name, lambda params, x, y: solution(5).loss_fn(params, module.apply, x, y), arguments
    return name, lambda params, x: 0.1 * (module.apply(params, x) ** 2).sum(), (params, x)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
