"""Load a task's file as a new module, with the earlier tasks from any folder.

A check judges one file alone: while task 4 is checked, its
`from minigpt_challenge.tasks.task1_embedding import …` imports the reference.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType

import minigpt_challenge.tasks
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, TASKS, Task, task_by_number
from minigpt_challenge.coach.course.stubs import is_as_given
from minigpt_challenge.coach.runtime.reference_cache import cached


def compile_source(source: bytes | str, name: str) -> CodeType:
    """Compile a program. Any failure is raised as SyntaxError.

    Args:
        source: the program's text, or the bytes of its file.
        name: the name of the file.

    Raises:
        SyntaxError: Python cannot read the program.
    """
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        if error.filename:
            error.text = _line(source, error.lineno) or error.text
            raise
        message = error.msg
    except (MemoryError, RecursionError):
        message = "it is nested too deeply"
    except ValueError as error:
        message = str(error)
    if b"\0" in (source.encode(errors="replace") if isinstance(source, str) else source):
        message = "it contains NUL characters. Was it saved as UTF-16? Save it as UTF-8"
    raise SyntaxError(message, (name, None, None, None))


def _line(source: bytes | str, number: int | None) -> str:
    """A line of the program. Python takes it from the file of that name, which may be older."""
    text = source if isinstance(source, str) else source.decode("utf-8", errors="replace")
    lines = text.split("\n")
    return lines[number - 1] if number and number <= len(lines) else ""


def load_file(path: Path, name: str) -> ModuleType:
    """Run the file as the new module `name`, which replaces any module of that name.

    The module stays in `sys.modules`, where dataclasses (and so Flax modules) look it up.

    Raises:
        SyntaxError: Python cannot read the file.
        Exception: any error that the file raises.
    """
    module = ModuleType(name)
    module.__file__ = str(path)
    code = compile_source(path.read_bytes(), str(path))
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


@contextmanager
def tasks_from(folder: Path, tasks: tuple[Task, ...] = TASKS) -> Iterator[dict[str, ModuleType]]:
    """Inside, `import minigpt_challenge.tasks.…` imports the given tasks from `folder`.

    Yields:
        their modules by stem. On exit, all modules are as they were before.
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
def task_module(task: Task, path: Path, reference_folder: Path) -> Iterator[ModuleType]:
    """Load `path` as the task's module, and all earlier tasks from `reference_folder`."""
    with (
        tasks_from(reference_folder, _up_to(task.number - 1)),
        _cleared_on_exit(load_file(path, task.module)) as module,
    ):
        yield module


@contextmanager
def _cleared_on_exit(module: ModuleType) -> Iterator[ModuleType]:
    """Free what JAX compiled for the module's functions, since a kernel may run many checks.

    JAX keeps a program as long as its function lives. A static argument whose class comes from the
    same file, or any NNX class, would keep the function alive forever, through the file's globals.
    """
    try:
        yield module
    finally:
        vars(module).clear()


def solution(number: int) -> ModuleType:
    """The solution of the task with this number, which imports those of all earlier tasks.

    It stays loaded until a file changes, so the next check reuses what JAX has traced and compiled.
    """
    return _solution(number, *(task.solution.read_bytes() for task in _up_to(number)))


@cached
def _solution(number: int, *texts: bytes) -> ModuleType:
    with tasks_from(SOLUTIONS_FOLDER, _up_to(number)) as modules:
        return modules[task_by_number(number).stem]


def load_for_notebook(task: Task) -> tuple[dict[Task, ModuleType], list[Task]]:
    """Load this task and all earlier ones for use in the notebook.

    An earlier task whose file is still the stub is borrowed from the solutions.

    Returns:
        the modules, and the borrowed tasks.
    """
    modules, borrowed = {}, unwritten_before(task)
    for needed in _up_to(task.number):
        path = needed.solution if needed in borrowed else needed.stub
        modules[needed] = load_file(path, needed.module)
        setattr(minigpt_challenge.tasks, needed.stem, modules[needed])
    return modules, borrowed


def unwritten_before(task: Task) -> list[Task]:
    """The earlier tasks whose files are still the stub, or missing."""
    earlier = _up_to(task.number - 1)
    return [each for each in earlier if not each.stub.exists() or is_as_given(each)]


def _up_to(number: int) -> tuple[Task, ...]:
    return tuple(task for task in TASKS if task.number <= number)
