"""The loss ladder and the loss curve: what is drawn, and in which style."""

import io
from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib.font_manager import findfont
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.records.ladder import PLACES, UNIFORM, Rung
from minigpt_challenge.coach.reports import charts
from minigpt_challenge.coach.reports.attention_on_text import maps_figure
from minigpt_challenge.coach.reports.character_vectors import vectors_figure
from minigpt_challenge.coach.reports.chart_style import course_style
from minigpt_challenge.coach.reports.charts import (
    draw_ladder,
    draw_loss_curve,
    ladder_figure,
    loss_curve_figure,
    training_note,
)
from minigpt_challenge.given.milestone import TARGET_LOSS
from minigpt_challenge.given.training_run import Measurement

BIGRAM = Rung("bigram", 2.48, "\nThe th $ouk\nwhe")
MANY = Rung("+ many heads", 2.17, "QUEEN:\nThe wher")
START = Measurement(0, 4.6, 4.6)
ABOVE, BELOW = Measurement(250, 2.7, 2.4), Measurement(500, 1.7, 1.8)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def bars(figure):
    """The outlined and the filled bars."""
    both = figure.findobj(FancyBboxPatch)
    outlined = [bar for bar in both if bar.get_facecolor()[3] == 0]
    return outlined, [bar for bar in both if bar not in outlined]


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))


def test_the_ladder_is_opaque_and_shows_every_loss_reached():
    seen = texts(ladder_figure((UNIFORM, BIGRAM, MANY)))
    assert {"4.17", "2.48", "2.17", "65 characters", "12 characters", "8.8 characters"} <= set(seen)
    assert "The th $ouk\nwhe" in seen and seen.count("not trained here") == 2
    image = pixels(draw_ladder((UNIFORM, BIGRAM, MANY)))
    assert image.shape[0] > 500 and (image[..., 3] == 1).all()  # its own background


def test_rungs_not_reached_tell_nothing_about_their_losses():
    figure = ladder_figure((UNIFORM, MANY))
    outlined, filled = bars(figure)
    assert len(outlined) == len(PLACES) - 2 and len(filled) == 2
    assert len({bar.get_width() for bar in outlined}) == 1
    numbers = {text for text in texts(figure) if text.replace(".", "").isdecimal()}
    assert numbers == {"4.17", "2.17"}


def test_the_line_of_the_milestone_separates_the_bars_below_it():
    figure = ladder_figure(
        (UNIFORM, Rung(PLACES[-2].name, 1.91, "x"), Rung(PLACES[-1].name, 1.8, "y"))
    )
    (line,) = figure.axes[0].collections
    at = line.get_segments()[0][0][0]
    ends = [bar.get_x() + bar.get_width() for bar in bars(figure)[1]]
    assert [end < at for end in ends] == [False, False, True]
    (number,) = (text for text in figure.findobj(Text) if text.get_text() == "1.80")
    assert number.get_position()[0] > at  # the line does not cross it
    assert f"below {TARGET_LOSS}" in " ".join(texts(figure))


def test_the_excerpt_has_the_fullest_lines_and_a_long_one_is_cut():
    long = "x" * 60
    rung = Rung("bigram", 2.5, f"a\n\nb\nWhat then\n{long}\nc")
    assert "What then\n" + "x" * 45 + "…" in texts(ladder_figure((UNIFORM, rung)))
    ladder_figure((UNIFORM, Rung("bigram", 2.5, "\n \n")))  # a model may generate nothing else


def test_borrowed_tasks_are_named():
    figure = ladder_figure((UNIFORM, Rung("+ attention", 2.3, "thou", (1,))))
    assert "task 1 borrowed" in texts(figure)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (UNIFORM.loss, "65 characters"),
        (2.48, "12 characters"),
        (2.3, "10 characters"),
        (1.87, "6.5 characters"),
        (0.0, "1.0 characters"),
        (1e9, "more than 1,000 characters"),
    ],
)
def test_a_loss_in_words(loss, words):
    assert ladder.perplexity(loss) == words


def test_a_point_for_each_measurement_and_a_label_at_each_line():
    history = [START, ABOVE, BELOW]
    axes = loss_curve_figure(history, 1.9).axes[0]
    for line, losses in zip(axes.lines[1:], zip(*history, strict=True), strict=False):
        assert line.get_marker() == "o" and len(line.get_xdata()) == len(losses) == 3
    labels = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert labels["evaluation 1.80"] > labels["training 1.70"]
    assert labels["target 1.9"] == 1.9 and axes.get_legend() is None
    assert "target" not in "".join(texts(loss_curve_figure(history)))


@pytest.mark.parametrize("apart", [0.0, 0.01])
def test_the_labels_of_equal_losses_are_apart(apart):
    axes = loss_curve_figure([START, Measurement(250, 2.4 + apart, 2.4)]).axes[0]
    (low, high), (bottom, top) = (
        sorted(text.get_position()[1] for text in axes.texts),
        axes.get_ylim(),
    )
    assert high - low > (top - bottom) / 20


def test_the_note_says_why_the_losses_differ():
    assert "improved during these steps" in training_note([START, ABOVE])
    assert "above the evaluation loss" in training_note([START, ABOVE])
    assert "below the evaluation loss" in training_note([START, ABOVE, BELOW])
    worse = Measurement(750, 3.0, 2.9)
    assert "improved" not in training_note([START, ABOVE, worse])
    assert "untrained" in training_note([START])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "history",
    [[START], [START, Measurement(1, 4.6, 4.6)], [START, Measurement(250, float("nan"), 2.0)]],
    ids=["one point", "no progress", "NaN"],
)
def test_an_unusual_run_is_drawn(history):
    assert (pixels(draw_loss_curve(history, 1.9))[..., 3] == 1).all()


def test_the_style_is_ours_whatever_the_user_has_set():
    expected = draw_loss_curve([START, ABOVE]), draw_ladder((UNIFORM, BIGRAM))
    mine = {"font.family": "serif", "figure.dpi": 30, "text.color": "red", "axes.grid": True}
    with matplotlib.rc_context(mine):
        assert (draw_loss_curve([START, ABOVE]), draw_ladder((UNIFORM, BIGRAM))) == expected
        assert matplotlib.rcParams["axes.grid"]


def test_all_fonts_are_dejavu():
    maps = np.tri(4)[None]
    with course_style():
        figures = (
            ladder_figure((UNIFORM, BIGRAM)),
            loss_curve_figure([START, ABOVE], 1.9),
            maps_figure(maps, ["head 0"], "to b", "black"),
            vectors_figure(np.eye(4, 2), np.ones(2), "to b"),
        )
        used = {
            Path(findfont(text.get_fontproperties())).stem
            for figure in figures
            for text in figure.findobj(Text)
        }
    assert used == {"DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"}


def test_a_note_fits_under_the_chart():
    for history in ([START, ABOVE], [START, ABOVE, BELOW]):
        figure = loss_curve_figure(history)
        charts.png(figure)  # lays the text out
        (note,) = figure.texts
        box = note.get_window_extent()
        assert box.y0 > 0 and box.x1 < figure.bbox.x1
        assert box.y1 < figure.axes[0].xaxis.label.get_window_extent().y0
