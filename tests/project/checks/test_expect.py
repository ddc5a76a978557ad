"""What a check reports when it gets something other than it expects."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import Fault, Suspects, diagnose, ids

RIGHT = np.arange(6, dtype=np.float32).reshape(1, 2, 3)


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (None, "is None.\nIs a `return` missing?"),
        ("text", "should be an array. It is a str."),
        (RIGHT[0], "should have the shape (B, T, C) = (1, 2, 3). It has the shape (2, 3)."),
        (RIGHT.swapaxes(1, 2), "is an axis transposed?"),
        (RIGHT.astype(np.float16), "should be float32. It is float16."),
        (RIGHT * np.nan, "6 of 6 values are NaN. The first is at [B=0, T=0, C=0]: it is nan, and"),
        (
            RIGHT + [0, 0, 1],
            "2 of 6 values differ. The first is at [B=0, T=0, C=2]: it is 3, and should be 2.",
        ),
    ],
)
def test_a_difference_is_reported(seen, message):
    if isinstance(seen, np.ndarray) and seen.dtype == np.float64:
        seen = seen.astype(np.float32)
    with pytest.raises(expect.Wrong) as caught:
        expect.equal(seen, RIGHT, "BTC", "f(x)")
    assert message in str(caught.value)
    assert str(caught.value).startswith("f(x) ")


def test_rounding_errors_pass():
    expect.equal(jnp.asarray(RIGHT) * (1 + 1e-6), RIGHT, "BTC", "f(x)")


def test_a_scalar_that_differs_is_reported_without_an_index():
    with pytest.raises(expect.Wrong, match=r"f\(x\) should be 2\. It is 3\."):
        expect.equal(np.float32(3), np.float32(2), "", "f(x)")


def test_trees_with_other_leaves_are_reported():
    with pytest.raises(
        expect.Wrong, match=r"have the leaves \['a'\] \(2,\)\. It has the leaves \['b'\] \(2,\)"
    ):
        expect.trees_equal({"b": np.ones(2)}, {"a": np.ones(2)}, "The tree")
    with pytest.raises(expect.Wrong, match=r"The tree, in \['a'\], should have the expected"):
        expect.trees_equal({"a": np.zeros(2)}, {"a": np.ones(2)}, "The tree")


def test_a_missing_error_and_another_error_are_reported():
    def refuses(x):
        raise ValueError("no")

    def breaks():
        raise TypeError("oh")

    expect.raises(ValueError, lambda: refuses(1), "f(1)", "1 is odd")
    with pytest.raises(expect.Wrong, match="should raise a ValueError, because 1 is odd. It ret"):
        expect.raises(ValueError, lambda: RIGHT, "f(1)", "1 is odd")
    with pytest.raises(expect.Wrong, match="because 1 is odd. It raised TypeError: oh"):
        expect.raises(ValueError, breaks, "f(1)", "1 is odd")


def test_an_unwritten_stub_does_not_count_as_a_refusal():
    def unwritten():
        raise NotImplementedError("Task 1: write it")

    with pytest.raises(NotImplementedError):
        expect.raises(ValueError, unwritten, "f(1)", "1 is odd")


def test_the_likely_cause_must_explain_all_evidence():
    doubled = Fault("doubled", "with everything doubled", "Once is enough.")
    halved = Fault("halved", "with everything halved", "All of it.")
    factors = {"doubled": 2.0, "halved": 0.5}
    right = {"a": np.ones(2), "b": {"c": np.float64(3)}}

    def compute(faults):
        return jax.tree.map(lambda leaf: leaf * np.prod([factors[f] for f in faults]), right)

    suspects = Suspects((doubled, halved), compute)
    seen, other = compute({"doubled"}), right | {"a": 2 * right["a"]}
    with pytest.raises(expect.Wrong, match="comes out with everything doubled. Once") as caught:
        expect.trees_equal(seen, right, "The tree", [(seen, suspects)])
    assert caught.value.diagnosis == ("doubled",)
    for evidence in ([(seen, suspects), (other, suspects)], [({"a": None}, suspects)], []):
        with pytest.raises(expect.Wrong) as caught:
            expect.trees_equal(seen, right, "The tree", evidence)
        assert caught.value.diagnosis == ()
    expect.trees_equal(right, right, "The tree", [(right, suspects)])


def test_mistakes_that_exclude_each_other_are_not_diagnosed_together():
    doubled = Fault("doubled", "with everything doubled", "Once is enough.")
    shifted = Fault("shifted", "with 1 added", "Nothing is added.")
    right = np.arange(3.0)

    def compute(faults):
        return (2.0 if "doubled" in faults else 1.0) * right + ("shifted" in faults)

    seen, known = 2 * right + 1, (doubled, shifted)
    assert diagnose([(seen, Suspects(known, compute))]) == known
    assert diagnose([(seen, Suspects(known, compute, ids(known)))]) == ()
    assert diagnose([(2 * right, Suspects(known, compute, ids(known)))]) == (doubled,)


def test_functions_are_compared_on_all_cases_and_one_mistake_must_explain_all():
    doubled = Fault("doubled", "with everything doubled", "Once is enough.")

    def suspects(x):
        return Suspects((doubled,), lambda faults: (2 if faults else 1) * x)

    def check(mine):
        cases = [(RIGHT,), (RIGHT + 1,)]
        expect.same_function(mine, lambda x: x, cases, "BTC", "f(x)", suspects=suspects)

    check(lambda x: x)
    with pytest.raises(expect.Wrong, match="comes out with everything doubled") as caught:
        check(lambda x: 2 * x)
    assert caught.value.diagnosis == ("doubled",)
    with pytest.raises(expect.Wrong) as caught:
        check(lambda x: 2 * x if x is RIGHT else x)
    assert caught.value.diagnosis == ()


def test_parameters_of_another_dtype_are_reported_by_their_shape():
    expect.float32_params({"a": RIGHT})
    with pytest.raises(expect.Wrong, match=r"One of shape \(1, 2, 3\) is float16"):
        expect.float32_params({"a": RIGHT, "b": RIGHT.astype(np.float16)})
