"""`minigpt train`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.commands.cli_common import finite
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
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Use another optimizer, Muon, and a quarter of the steps. Its learning rates "
            "decay to 0 at --steps.",
        ),
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Train for at most N steps (default 4000; 550 with --fast, 5000 with the preset "
            "nanogpt).",
        ),
    ] = None,
    until: Annotated[
        float | None,
        typer.Option(
            metavar="LOSS",
            min=0,
            callback=finite,
            help="Stop below this evaluation loss, in nats per character (default: the "
            "milestone's; at another setting or text, train all steps).",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start from the beginning, even if there is a saved run."),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Save it in my_gpt/NAME (default: by the options)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save it in this folder instead.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train on this text file instead of Shakespeare."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Choose the initial weights and the batches by N.")
    ] = 0,
    layers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Stack N blocks (default 4).")
    ] = None,
    heads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Give each block N heads (default 4).")
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(metavar="C", min=1, help="Make each vector C numbers long (default 128)."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(metavar="T", min=1, help="Read at most T characters (default 32)."),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(metavar="B", min=1, help="Train on B pieces of text a step (default 16)."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X", min=0, callback=finite, help="Set Adam's learning rate (default 0.001)."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Begin from these sizes: nanogpt, 6 layers of 384 with context 256, for one GPU.",
        ),
    ] = None,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Train the reference, not your own files.")
    ] = False,
    coordinator: CoordinatorOption = None,
    num_processes: NumProcessesOption = None,
    process_id: ProcessIdOption = None,
) -> None:
    """Train your own GPT.

    At its own setting it is trained until its evaluation loss is below 1.9, at another all steps;
    then it prints a sample. An interrupted run is resumed. `minigpt runs` lists all runs.

    A run of several processes also uses task 7. It has no checkpoints.
    """
    several = _several_processes(coordinator, num_processes, process_id)
    if several and fresh:
        raise typer.BadParameter(
            "A run of several processes always starts from the beginning: leave out --fresh."
        )
    if several and fast:
        raise typer.BadParameter("A run of several processes uses Adam: leave out --fast.")
    if fast and learning_rate is not None:
        raise typer.BadParameter("--fast has learning rates of its own: leave out --learning-rate.")
    if name is not None and output:
        raise typer.BadParameter("Give either --name or --output, not both.")
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import learners_gpt, multi_process
    from minigpt_challenge.coach.training.plan import Plan, valid_name
    from minigpt_challenge.coach.training.setting import setting_of

    setting = setting_of(
        preset,
        num_layers=layers,
        num_heads=heads,
        hidden_dim=width,
        block_size=context,
        batch_size=batch,
        learning_rate=learning_rate,
    )
    plan = Plan(
        setting=setting,
        steps=steps,
        until=until,
        seed=seed,
        fast=fast,
        fresh=fresh,
        solutions=solutions,
        data=data,
        name=None if name is None else valid_name(name),
        output=output,
    )
    console = terminal.console()
    if several:
        processes = multi_process.Processes(*several)
        plan = replace(plan, processes=processes.number)
        reached = multi_process.train(console, processes, plan)
    else:
        reached = learners_gpt.train(console, plan)
    raise typer.Exit(0 if reached else 1)


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
