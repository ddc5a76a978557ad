"""Parsing what is typed after a magic, such as `2 --show` in `%solution 2 --show`."""

from typing import Any

from minigpt_challenge.coach.course.curriculum import WARM_UP, Task, task_by_number
from minigpt_challenge.errors import UserError


def parse_task(number: str, example: str, *, with_warm_up: bool = False) -> Task:
    """The task with this number.

    Args:
        number: what the learner typed.
        example: a correct call, for the message of an error.
        with_warm_up: whether 0 stands for the warm-up.

    Raises:
        UserError: it is not the number of a task.
    """
    if with_warm_up and number.strip() == str(WARM_UP.number):
        return WARM_UP
    try:
        parsed = int(number)
    except ValueError:
        raise UserError(f"Which task? Write its number: {example}") from None
    return task_by_number(parsed)


def parse_task_and_option(line: str, example: str, known: tuple[str, ...]) -> tuple[Task, str]:
    """The task in the line, and the option after it; empty if there is none.

    Raises:
        UserError: there is no such task or option.
    """
    number, *options = line.split() or [""]
    if options and (len(options) > 1 or options[0] not in known):
        raise UserError(f"What is {' '.join(options)}? There is {example} {' or '.join(known)}.")
    return parse_task(number, example), "".join(options)


def parse_ladder_options(words: list[str]) -> dict[str, Any]:
    """`--fast`, `--fresh` and `--steps N` as keyword arguments of `Plan`.

    Raises:
        UserError: there is no such option, or N is not a positive number.
    """
    match words:
        case []:
            return {}
        case ["--fast" | "--fresh" as name, *rest]:
            return {name[2:]: True} | parse_ladder_options(rest)
        case ["--steps", number, *rest] if number.isdecimal() and int(number):
            return {"steps": int(number)} | parse_ladder_options(rest)
        case ["--steps", *_]:
            raise UserError("How many steps? For example --steps 1000.")
    raise UserError(
        f"What is {words[0]}? There are --fast (another optimizer, a quarter of the steps), "
        "--fresh (start from the beginning) and --steps 1000 (at most that many)."
    )
