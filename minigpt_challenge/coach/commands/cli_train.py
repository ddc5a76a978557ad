"""The commands for the whole GPT: `train`, `sample` and `report`."""

from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.reports import terminal

app = typer.Typer()

SEVERAL = "Several processes, on one host or many (docs/many_hosts.md)"
CoordinatorOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="The address of process 0, if several train together.",
        rich_help_panel=SEVERAL,
    ),
]
NumProcessesOption = Annotated[
    int | None, typer.Option(min=1, help="How many there are.", rich_help_panel=SEVERAL)
]
ProcessIdOption = Annotated[
    int | None,
    typer.Option(min=0, help="Which one this is, counted from 0.", rich_help_panel=SEVERAL),
]


@app.command()
def train(
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Train the reference, not your own files.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="At most this many steps; by default 4,000, or 550 with --fast."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Train on this text file instead of Shakespeare.")
    ] = None,
    seed: Annotated[int, typer.Option(help="For the initial weights and the batches.")] = 0,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Another optimiser (Muon) and a quarter of the steps. Its learning rates decay "
            "to 0 at --steps.",
        ),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start from the beginning, even if there is a saved run."),
    ] = False,
    coordinator: CoordinatorOption = None,
    num_processes: NumProcessesOption = None,
    process_id: ProcessIdOption = None,
) -> None:
    """Train your own GPT until its evaluation loss is below 1.9, and print a sample.

    An interrupted run is resumed.

    A run of several processes also uses task 7. It has no checkpoints.
    """
    several = _several_processes(coordinator, num_processes, process_id)
    if several and fresh:
        raise typer.BadParameter(
            "A run of several processes always starts from the beginning: leave out --fresh."
        )
    if several and fast:
        raise typer.BadParameter("A run of several processes uses Adam: leave out --fast.")
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import multi_process, train_and_sample

    console = terminal.console()
    if several:
        processes = multi_process.Processes(*several)
        reached = multi_process.train(console, processes, solutions, steps, data, seed)
    else:
        reached = train_and_sample.train(console, solutions, steps, data, seed, fast, fresh)
    raise typer.Exit(0 if reached else 1)


@app.command()
def sample(
    length: Annotated[int, typer.Option(min=1, help="The number of characters to write.")] = 500,
    prompt: Annotated[str | None, typer.Option(help="The text to continue.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another text.")] = 0,
) -> None:
    """Generate text with the weights that `minigpt train` saved."""
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import train_and_sample

    train_and_sample.sample(terminal.console(), prompt, length, seed)


@app.command()
def report(
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; by default my_gpt/report.html.")
    ] = None,
) -> None:
    """Write an HTML page about what you have built, to keep and to show."""
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.reports import personal_page

    console = terminal.console()
    path = output or personal_page.REPORT
    saved = personal_page.write(path)
    console.print(f"Written to {path}: open it in a browser.", markup=False, soft_wrap=True)
    if saved:
        console.print(f"The previous page is saved in {saved}.", markup=False, soft_wrap=True)


def _several_processes(
    coordinator: str | None, number: int | None, id: int | None
) -> tuple[str, int, int] | None:
    """The three options that belong together; None if none of them is given."""
    if coordinator is None and number is None and id is None:
        return None
    if coordinator is None or number is None or id is None:
        raise typer.BadParameter(
            "--coordinator, --num-processes and --process-id belong together: give all or none."
        )
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise typer.BadParameter(
            f"--coordinator is HOST:PORT, such as 10.0.0.1:1234, not {coordinator}."
        )
    if id >= number:
        raise typer.BadParameter(
            f"The ids of {number} processes are 0 to {number - 1}: there is no {id}."
        )
    return coordinator, number, id
