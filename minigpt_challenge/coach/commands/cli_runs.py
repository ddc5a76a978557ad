"""The commands for trained GPTs: `runs`, `sample` and `report`."""

from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.commands.cli_common import finite
from minigpt_challenge.coach.reports import terminal

app = typer.Typer()


@app.command()
def runs() -> None:
    """List the GPTs that you have trained, the last one first."""
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.records import saved_run
    from minigpt_challenge.coach.reports.run_table import run_table

    console, found = terminal.console(), saved_run.runs()
    if not found:
        console.print("There is none yet: `minigpt train` trains one.", markup=False)
        return
    terminal.print_table(console, run_table(found))
    console.print(
        "✓ marks what has reached the milestone. "
        f"`minigpt sample --run {found[0].name}` writes with the first.",
        markup=False,
    )


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
            callback=finite,
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
    run: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Use this run, or the one in this folder (default: the last)."
        ),
    ] = None,
) -> None:
    """Write text with your trained GPT.

    Once task 6 has passed, your own cache writes it, and before that the given loop.
    """
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import sample

    options = sample.Options(prompt, length, temperature, top_k, num_samples, seed, run)
    sample.sample(options)


@app.command()
def report(
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to FILE (default my_gpt/report.html)."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Show this run (default: the last that reached the milestone)."
        ),
    ] = None,
) -> None:
    """Write a page about what you have built.

    It is an HTML file, to keep and to show.
    """
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.reports import personal_page

    console = terminal.console()
    path = output or personal_page.REPORT
    saved = personal_page.write(path, run)
    console.print(f"Written to {path}: open it in a browser.", markup=False, soft_wrap=True)
    if saved:
        console.print(f"The previous page is saved in {saved}.", markup=False, soft_wrap=True)
