"""For authors: all files that are built from others, and which of them are out of date.

solutions/taskN_….py         → minigpt_challenge/tasks/taskN_….py
notebooks/source/taskN_….md  → notebooks/taskN_….ipynb
curriculum, given/bigram.py, notebooks/source/where_to_go.md
                             → what stands between markers in README.md
"""

from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS
from minigpt_challenge.coach.course.notebooks import WHERE_TO_GO, build_notebook, colab_badge
from minigpt_challenge.coach.course.stubs import BadSource, cut_stub
from minigpt_challenge.coach.records.history import overwrite

README = ROOT / "README.md"
BIGRAM = ROOT / "minigpt_challenge" / "given" / "bigram.py"


def built_texts() -> dict[Path, str]:
    """The text that each built file should have.

    Raises:
        BadSource: a file cannot be built; the message says which and why.
    """
    texts = {task.stub: cut_stub(task) for task in TASKS}
    texts |= {task.notebook: build_notebook(task) for task in ROAD}
    texts[README] = fill_sections(README.read_text(encoding="utf-8"))
    return texts


def fill_sections(readme: str) -> str:
    """The README with the current text between each pair of markers.

    Raises:
        BadSource: a pair of markers is missing.
    """
    sections = {
        "TASKS": task_table(),
        "BIGRAM": bigram_code(),
        "WHERE TO GO": WHERE_TO_GO.read_text(encoding="utf-8"),
    }
    for name, text in sections.items():
        begin, end = f"<!-- BEGIN {name} -->\n", f"<!-- END {name} -->"
        if begin not in readme or end not in readme.partition(begin)[2]:
            raise BadSource(f"README.md has no {begin.strip()} … {end}")
        before, _, rest = readme.partition(begin)
        readme = before + begin + text + end + rest.partition(end)[2]
    return readme


def outdated() -> list[Path]:
    """The built files that differ from what their sources give."""
    return [
        path
        for path, text in built_texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def build() -> list[tuple[Path, Path | None]]:
    """Write the outdated files; return each path, and where its previous text is saved."""
    texts = built_texts()
    return [(path, overwrite(path, texts[path])) for path in outdated()]


def task_table() -> str:
    """The README's table of tasks, in Markdown."""
    rows = ["| | task | what you write | notebook |", "| --- | --- | --- | --- |"]
    beyond = "| | *Beyond the milestone: what you meet next in real JAX code.* | | |"
    for task in ROAD:
        if task.beyond and beyond not in rows:
            rows.append(beyond)
        writes = ", ".join(f"`{name}`" for name in task.writes) or "nothing: run it"
        title = f"**{task.title}.** {task.goal}"
        rows.append(f"| {task.number} | {title} | {writes} | {colab_badge(task)} |")
    return "\n".join(rows) + "\n"


def bigram_code() -> str:
    """The model of the warm-up, without the docstring of its file, as a Markdown code block."""
    code = BIGRAM.read_text(encoding="utf-8").partition('"""\n\n')[2]
    return f"```python\n{code}```\n"
