"""An error about shapes names the sizes of the learner's modules that are in it."""

import dataclasses

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.grading.runner import check_in_this_process
from minigpt_challenge.coach.grading.sizes import named_sizes

BLOCKS = TASKS[3]


@dataclasses.dataclass
class Module:
    hidden_dim: int = 12
    name: str = "7"
    is_causal: bool = True


class NNXModule:
    def __init__(self):
        self.num_heads, self.width = 3, 8.0


@pytest.mark.parametrize(
    ("text", "frames", "expected"),
    [
        ("shapes (6, 5, 12), (6, 5, 8)", [{"self": Module()}], "Here hidden_dim is 12."),
        (
            "shapes (6, 12)",
            [{"self": Module(6)}, {"self": Module(12)}],
            "Here hidden_dim is 6 and hidden_dim is 12.",
        ),
        ("shape (3,)", [{"self": NNXModule()}], "Here num_heads is 3."),
        ("12 values, not 3", [{"self": Module()}, {"self": NNXModule()}], ""),
        ("shapes (1, 7)", [{"self": Module(1)}, {}], ""),
        ("float32[4,12]", [{"self": Module()}], "Here hidden_dim is 12."),
    ],
)
def test_only_sizes_that_are_in_a_shape_are_named(text, frames, expected):
    assert named_sizes(text, frames) == expected


@pytest.mark.slow
def test_swapped_arguments_show_as_two_sizes(tmp_path):
    answer = tmp_path / BLOCKS.stub.name
    text = BLOCKS.solution.read_text(encoding="utf-8")
    right = "self.vocab_size, self.block_size, self.hidden_dim"
    assert text.count(right) == 1
    swapped = text.replace(right, "self.vocab_size, self.hidden_dim, self.block_size")
    answer.write_text(swapped, encoding="utf-8")
    messages = [check.message for check in check_in_this_process(BLOCKS, answer).checks]
    assert any("Here block_size is 8 and hidden_dim is 12." in message for message in messages)
