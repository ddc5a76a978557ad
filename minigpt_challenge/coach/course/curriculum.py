"""The tasks, their order, and the paths of their files."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from minigpt_challenge.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
TASKS_FOLDER = ROOT / "minigpt_challenge" / "tasks"
SOLUTIONS_FOLDER = ROOT / "solutions"
STATE_FOLDER = ROOT / ".minigpt"  # the learner's progress and saved versions of files


class UnknownTask(UserError):
    """No task with checks has this number."""


@dataclass(frozen=True)
class Task:
    """One task. Its stem names its notebook, stub, tests, solution and picture.

    Attributes:
        beyond: whether it comes after the milestone and is not part of the learner's GPT.
        cpu_devices: the number of CPU devices that its checks need in JAX.
    """

    number: int
    stem: str
    title: str
    goal: str
    writes: tuple[str, ...]
    beyond: bool = False
    cpu_devices: int = 1

    @property
    def stub(self) -> Path:
        return TASKS_FOLDER / f"{self.stem}.py"

    @property
    def solution(self) -> Path:
        return SOLUTIONS_FOLDER / f"{self.stem}.py"

    @property
    def tests(self) -> Path:
        return ROOT / "tests" / f"test_{self.stem}.py"

    @property
    def notebook(self) -> Path:
        return ROOT / "notebooks" / f"{self.stem}.ipynb"

    @property
    def notebook_source(self) -> Path:
        return ROOT / "notebooks" / "source" / f"{self.stem}.md"

    @property
    def module(self) -> str:
        """The full module name, by which later tasks import this one."""
        return f"minigpt_challenge.tasks.{self.stem}"


WARM_UP = Task(
    number=0,
    stem="task0_warm_up",
    title="Warm-up",
    goal="Train a bigram model on Shakespeare, and see its limits.",
    writes=(),
)

TASKS = (
    Task(
        number=1,
        stem="task1_embedding",
        title="Embedding",
        goal="Turn each token into a vector that encodes the token and its position.",
        writes=("TokenAndPositionEmbedding",),
    ),
    Task(
        number=2,
        stem="task2_attention",
        title="Attention",
        goal="Let each position look back, and take what it needs.",
        writes=("SelfAttention", "MultiHeadAttention"),
    ),
    Task(
        number=3,
        stem="task3_einsum_attention",
        title="Einsum attention",
        goal="Compute all heads at once, with a name for every axis.",
        writes=("EinsumMultiHeadAttention",),
    ),
    Task(
        number=4,
        stem="task4_blocks",
        title="Blocks",
        goal="Stack attention and feed-forward networks into a GPT.",
        writes=("DecoderBlock", "MiniGPT"),
    ),
    Task(
        number=5,
        stem="task5_training_step",
        title="Training step",
        goal="Measure how wrong the model is, and update every weight to reduce the loss.",
        writes=("loss_fn", "train_step", "eval_step"),
    ),
    Task(
        number=6,
        stem="task6_kv_cache",
        title="Key-value cache",
        goal="Read each token only once, and generate text many times faster.",
        writes=("sample_token", "CachedAttention", "generate_fast"),
        beyond=True,
    ),
    Task(
        number=7,
        stem="task7_data_parallel",
        title="Data parallel",
        goal="Split one training step across many devices, and get the same result.",
        writes=("make_data_mesh", "place", "jit_train_step", "shard_map_train_step"),
        beyond=True,
        cpu_devices=8,
    ),
    Task(
        number=8,
        stem="task8_nnx",
        title="The same model in NNX",
        goal="Port the GPT to Flax NNX, load its weights, and train it there.",
        writes=(
            "NNXEmbedding",
            "NNXDecoderBlock",
            "NNXMiniGPT",
            "load_linen_params",
            "nnx_loss_fn",
            "nnx_train_step",
            "nnx_eval_step",
        ),
        beyond=True,
    ),
)

ROAD = (WARM_UP, *TASKS)
GPT_TASKS = tuple(task for task in TASKS if not task.beyond)  # the milestone needs these


def task_by_number(number: int) -> Task:
    """The task with this number; the warm-up has no checks and does not count.

    Raises:
        UnknownTask: there is none; the message lists the valid numbers.
    """
    for task in TASKS:
        if task.number == number:
            return task
    known = f"the tasks are {TASKS[0].number} to {TASKS[-1].number}"
    if number == WARM_UP.number:
        raise UnknownTask(f"Task 0 is a warm-up with nothing to check; {known}.")
    raise UnknownTask(f"There is no task {number}; {known}.")


def task_by_stem(stem: str) -> Task | None:
    """The task with this stem, or None."""
    return next((task for task in TASKS if task.stem == stem), None)


def repository_url() -> str:
    """The URL of the repository, from pyproject.toml, the only place that names it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"]
