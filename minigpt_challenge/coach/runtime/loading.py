"""Loading a task's file, afresh, with the earlier tasks taken from a folder of our choice.

The learner's file alone is on trial: while task 4 is checked, its
`from minigpt_challenge.tasks.task1_embedding import …` finds the reference.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType

import minigpt_challenge.tasks
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, TASKS, Task, task_by_number
from minigpt_challenge.coach.course.stubs import is_as_given
from minigpt_challenge.coach.runtime.reference_cache import kept


def readable(source: bytes | str, name: str) -> CodeType:
    """Compile a program. Whatever keeps Python from reading it is told as an error of its syntax.

    Args:
        source: the program's text, or the bytes of its file.
        name: the file's.

    Raises:
        SyntaxError: Python cannot read it.
    """
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        if error.filename:
            raise
        said = error.msg
    except (MemoryError, RecursionError):
        said = "it is nested too deeply"
    except ValueError as error:
        said = str(error)
    if ("\0" if isinstance(source, str) else b"\0") in source:
        said = "it holds NUL characters. Was it saved as UTF-16? Save it as UTF-8"
    raise SyntaxError(said, (name, None, None, None))


def load_file(path: Path, name: str) -> ModuleType:
    """Run the file as the module `name`, whatever ran under that name before.

    The module stays in `sys.modules`, where dataclasses (and so Flax modules) look it up.

    Raises:
        SyntaxError, or whatever the file itself raises.
    """
    module = ModuleType(name)
    module.__file__ = str(path)
    code = readable(path.read_bytes(), str(path))
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


@contextmanager
def tasks_from(folder: Path, tasks: tuple[Task, ...] = TASKS) -> Iterator[dict[str, ModuleType]]:
    """While open, `import minigpt_challenge.tasks.…` finds the given tasks' files in `folder`.

    Yields their modules by stem. Afterwards every name is bound as it was before.
    """
    package = minigpt_challenge.tasks
    names = [task.module for task in TASKS]
    modules_before = {name: sys.modules.pop(name, None) for name in names}
    attributes_before = {task.stem: package.__dict__.pop(task.stem, None) for task in TASKS}
    loaded = {}
    try:
        for task in tasks:
            loaded[task.stem] = load_file(folder / f"{task.stem}.py", task.module)
            setattr(package, task.stem, loaded[task.stem])
        yield loaded
    finally:
        for name, module in modules_before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
        for stem, module in attributes_before.items():
            package.__dict__.pop(stem, None)
            if module is not None:
                setattr(package, stem, module)


@contextmanager
def on_trial(task: Task, path: Path, reference_folder: Path) -> Iterator[ModuleType]:
    """While open, `path` stands for `task`, every earlier task comes from `reference_folder`."""
    with (
        tasks_from(reference_folder, _up_to(task.number - 1)),
        forgotten_afterwards(load_file(path, task.module)) as module,
    ):
        yield module


@contextmanager
def forgotten_afterwards(module: ModuleType) -> Iterator[ModuleType]:
    """Let go of all that JAX compiled for the module's functions; a kernel may run many checks.

    JAX keeps a program as long as its function lives. A static argument whose class comes from the
    same file, or any class of NNX, would keep that alive for ever, by way of the file's names.
    """
    try:
        yield module
    finally:
        vars(module).clear()


def solution(number: int) -> ModuleType:
    """The solution of the task with this number, with those of all earlier ones beneath it.

    It stays loaded as long as the files are the same: what JAX has traced and compiled of it
    serves the next check, too.
    """
    return _solution(number, *(task.solution.read_bytes() for task in _up_to(number)))


@kept
def _solution(number: int, *texts: bytes) -> ModuleType:
    with tasks_from(SOLUTIONS_FOLDER, _up_to(number)) as modules:
        return modules[task_by_number(number).stem]


def load_for_notebook(task: Task) -> tuple[dict[Task, ModuleType], list[Task]]:
    """Load this task and all earlier ones, for the notebook to use and to keep.

    An earlier task whose file is still the stub is borrowed from the solutions.

    Returns:
        the modules, and the tasks that were borrowed.
    """
    modules, borrowed = {}, unwritten_before(task)
    for other in _up_to(task.number):
        path = other.solution if other in borrowed else other.stub
        modules[other] = load_file(path, other.module)
        setattr(minigpt_challenge.tasks, other.stem, modules[other])
    return modules, borrowed


def unwritten_before(task: Task) -> list[Task]:
    """The earlier tasks whose files are still the stub."""
    return [other for other in _up_to(task.number - 1) if is_as_given(other)]


def _up_to(number: int) -> tuple[Task, ...]:
    return tuple(task for task in TASKS if task.number <= number)
