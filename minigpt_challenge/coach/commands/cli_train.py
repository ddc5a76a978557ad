"""The commands for the whole GPT: `train`, `sample` and `report`."""

from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.reports import terminal

app = typer.Typer()

CoordinatorOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Meet the others at the address of process 0.",
    ),
]
NumProcessesOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Train together with N - 1 others (docs/many_hosts.md)."),
]
ProcessIdOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Be number N of them, counted from 0."),
]


@app.command()
def train(
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Train the reference, not your own files.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Train for at most N steps (default 4000; 550 with --fast)."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train on this text file instead of Shakespeare."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Choose the initial weights and the batches by N.")
    ] = 0,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Use another optimiser, Muon, and a quarter of the steps. Its learning rates "
            "decay to 0 at --steps.",
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
    """Train your own GPT.

    It is trained until its evaluation loss is below 1.9, and prints a sample. An interrupted run is
    resumed.

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
    from minigpt_challenge.coach.training import learners_gpt, multi_process

    console = terminal.console()
    if several:
        processes = multi_process.Processes(*several)
        reached = multi_process.train(console, processes, solutions, steps, data, seed)
    else:
        reached = learners_gpt.train(console, solutions, steps, data, seed, fast, fresh)
    raise typer.Exit(0 if reached else 1)


@app.command()
def sample(
    prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Continue this text (default ROMEO:)."),
    ] = None,
    length: Annotated[
        int, typer.Option(metavar="N", min=1, help="Write this many characters.")
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="X",
            min=0,
            help="Divide the logits by this: below 1 for likelier text, above 1 for wilder, 0 for "
            "the most probable.",
        ),
    ] = 1.0,
    top_k: Annotated[
        int | None,
        typer.Option(metavar="K", min=1, help="Draw from the K most probable characters only."),
    ] = None,
    num_samples: Annotated[
        int, typer.Option(metavar="N", min=1, help="Write this many texts.")
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Write the text of seed N; without it another each time."),
    ] = None,
) -> None:
    """Write text with your trained GPT.

    Once task 6 has passed, your own cache writes it, and before that the given loop.
    """
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import sample

    options = sample.Options(prompt, length, temperature, top_k, num_samples, seed)
    sample.sample(options)


@app.command()
def report(
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to FILE (default my_gpt/report.html)."),
    ] = None,
) -> None:
    """Write a page about what you have built.

    It is an HTML file, to keep and to show.
    """
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
