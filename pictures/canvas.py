"""A canvas with boxes, arrows, grids and text, in pixels, with y pointing down."""

from dataclasses import dataclass
from itertools import pairwise
from math import dist

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from proof import check_collisions, reduce_colors

DPI = 100
TITLE, BODY, SMALL = 42, 26, 23  # SMALL is 11 px where GitHub scales 1600 to 800
CARD, RULE, LINE, MUTED, INK = "#FCFBF7", "#DDD9CF", "#6C727D", "#626874", "#2A2D34"

GLOSSARY = {
    "B": "batch",
    "T": "query time (tokens)",
    "S": "key time",
    "C": "hidden_dim",
    "N": "heads",
    "H": "head_dim",
    "V": "vocabulary",
}


@dataclass(frozen=True)
class Tone:
    """Three shades of one hue."""

    fill: str
    edge: str
    ink: str


PLAIN = Tone("#FFFFFF", "#B4B2AB", INK)
TASK = {
    0: Tone("#ECECEA", "#8B8F96", "#484D56"),
    1: Tone("#DBF0E5", "#3F9B73", "#1D6046"),
    2: Tone("#DCE9F8", "#4A86C5", "#23548A"),
    3: Tone("#E9E2F7", "#8467BD", "#533A8A"),
    4: Tone("#FBEACD", "#CC8B2A", "#7C4F0E"),
    5: Tone("#F9DEDD", "#C75D5C", "#8A3231"),
    6: Tone("#D5EEF0", "#3E98A0", "#1F5F66"),
    7: Tone("#E9ECCD", "#8B9440", "#545B1E"),
    8: Tone("#F2D3E1", "#BC6A92", "#7D3259"),
}
HUES = [  # to distinguish parts of a picture, such as heads
    Tone("#CDE8EA", "#3E98A0", "#1F5F66"),
    Tone("#FADFB4", "#CC8B2A", "#7C4F0E"),
    Tone("#F2D3E1", "#BC6A92", "#7D3259"),
]


@dataclass(frozen=True)
class Box:
    """A rectangle, given by its centre, with the four points where arrows end."""

    x: float
    y: float
    w: float
    h: float

    @property
    def top(self):
        return self.x, self.y - self.h / 2

    @property
    def bottom(self):
        return self.x, self.y + self.h / 2

    @property
    def left(self):
        return self.x - self.w / 2, self.y

    @property
    def right(self):
        return self.x + self.w / 2, self.y


class Canvas:
    """One picture: a rounded, opaque card, readable on light and dark pages."""

    def __init__(self, height, title, subtitle, width=1600):
        matplotlib.rcdefaults()
        self.width, self.height = width, height
        self.figure = Figure((width / DPI, height / DPI), dpi=DPI)
        self.surface = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis("off")
        self.texts, self.lines, self.boxed, self.badges = [], [], [], []
        self._round(Box(width / 2, height / 2, width - 8, height - 8), CARD, RULE, 28, 2, 0)
        self.text(70, 82, title, size=TITLE, bold=True)
        self.text(70, 140, subtitle, color=MUTED)

    def text(self, x, y, lines, size=BODY, color=INK, bold=False, align="left"):
        """Write `lines`, with their capital letters centred on `y`."""
        lines = lines.split("\n")
        for number, line in enumerate(lines):
            offset = (number - (len(lines) - 1) / 2) * size * 1.42
            artist = self.axes.text(
                x,
                y + offset + size * 0.365,
                line,
                fontsize=size * 72 / DPI,
                color=color,
                weight="bold" if bold else "normal",
                ha=align,
                va="baseline",
                zorder=6,
                parse_math=False,
            )
            self.texts.append(artist)

    def box(self, x, y, w, h, label, tone=PLAIN, note="", badge=(), size=BODY, bold=True):
        """A rounded box with a label, a smaller note below it, and the tasks that build it."""
        box = Box(x, y, w, h)
        self._round(box, tone.fill, tone.edge, 12, 2.2, 3)
        rows = label.count("\n") + 1 if label else 0
        notes = note.count("\n") + 1 if note else 0
        height = rows * size * 1.42 + notes * SMALL * 1.42
        before = len(self.texts)
        if label:
            middle = y - height / 2 + rows * size * 0.71
            self.text(x, middle, label, size, tone.ink, bold, "center")
        if note:
            middle = y + height / 2 - notes * SMALL * 0.71
            self.text(x, middle, note, SMALL, tone.ink, align="center")
        self.boxed += [(artist, box) for artist in self.texts[before:]]
        for number, task in enumerate(badge):
            self.badge(x - w / 2 + 46 * number, y - h / 2, task)
        return box

    def stack(self, x, y, w, h, label, tone, note="", badge=()):
        """A box with two more boxes behind it."""
        for shift in (24, 12):
            self._round(Box(x + shift, y - shift, w, h), tone.fill, tone.edge, 12, 2.2, 2)
            del self.lines[-4:]  # mostly hidden
        return self.box(x, y, w, h, label, tone, note, badge)

    def frame(self, left, top, right, bottom, label="", tone=PLAIN, badge=(), note=""):
        """A dashed box around others, with its label at the top left."""
        box = Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        self._round(box, tone.fill + "48", tone.edge, 18, 2.2, 1, dashed=True)
        indent = 28 if badge else 22
        if label:
            self.text(left + indent, top + 38, label, BODY, tone.ink, bold=True)
        if note:
            self.text(left + indent, top + 76, note, SMALL, tone.ink)
        for number, task in enumerate(badge):
            self.badge(left + 46 * number, top, task)
        return box

    def badge(self, x, y, task):
        """The number of a task, in its color."""
        self.axes.add_patch(Circle((x, y), 20, fc=TASK[task].edge, ec=CARD, lw=2.5, zorder=7))
        self.text(x, y, str(task), SMALL, "#FFFFFF", bold=True, align="center")
        self.texts[-1].set_zorder(8)
        self.badges.append(self.texts[-1])

    def arrow(self, *points, label="", side=1, segment=None, at=0.5, color=LINE):
        """An arrow through `points` with round corners, and its label right of it or above it.

        `side=-1` puts the label left or below. It is on the `segment` with that index, by default
        the longest, at the fraction `at` of its length.
        """
        self.lines += pairwise(points)
        (px, py), (x, y) = points[-2:]
        length = dist(*points[-2:])
        dx, dy = (x - px) / length, (y - py) / length
        wings = [(x - 19 * dx + s * 10 * dy, y - 19 * dy - s * 10 * dx) for s in (1, -1)]
        self.axes.add_patch(Polygon([(x, y), *wings], fc=color, ec="none", zorder=5))
        path, codes = [points[0]], [Path.MOVETO]
        for before, corner, after in zip(points, points[1:-1], points[2:], strict=False):
            path += [_toward(corner, before), corner, _toward(corner, after)]
            codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
        path, codes = [*path, (x - 12 * dx, y - 12 * dy)], [*codes, Path.LINETO]
        self.axes.add_patch(PathPatch(Path(path, codes), fc="none", ec=color, lw=2.4))
        if label:
            segments = list(pairwise(points))
            longest = max(segments, key=lambda ends: dist(*ends))
            (ax, ay), (bx, by) = longest if segment is None else segments[segment]
            x, y, rows = ax + (bx - ax) * at, ay + (by - ay) * at, label.count("\n") + 1
            if abs(ax - bx) > abs(ay - by):
                self.text(x, y - side * (8 + 15 * rows), label, SMALL, align="center")
            else:
                self.text(x + side * 16, y, label, SMALL, align="left" if side > 0 else "right")

    def plus(self, x, y, tone=PLAIN, sign="+"):
        """A small circle with a sign, for sums."""
        self.axes.add_patch(Circle((x, y), 22, fc=tone.fill, ec=tone.edge, lw=2.2, zorder=3))
        self.text(x, y, sign, 30, tone.ink, bold=True, align="center")
        return Box(x, y, 44, 44)

    def grid(self, left, top, cells, size=(60, 60), fill=lambda r, c: PLAIN, font=SMALL):
        """A table of short strings; `fill(row, column)` gives the tone of each cell."""
        w, h = size
        for r, row in enumerate(cells):
            for c, value in enumerate(row):
                corner, tone = (left + c * w, top + r * h), fill(r, c)
                self.axes.add_patch(Rectangle(corner, w, h, fc=tone.fill, ec=CARD, lw=2, zorder=3))
                if value:
                    middle = corner[0] + w / 2, corner[1] + h / 2
                    self.text(*middle, value, font, tone.ink, align="center")
        width, height = w * len(cells[0]), h * len(cells)
        return Box(left + width / 2, top + height / 2, width, height)

    def chips(self, x, y, letters, tone=PLAIN, cell=50, down=False, highlighted=None):
        """Characters as tiles, centred on (x, y); those not `highlighted` stay plain."""
        first = -cell * (len(letters) - 1) / 2
        for number, letter in enumerate(letters):
            offset = first + cell * number
            centre = (x, y + offset) if down else (x + offset, y)
            tile_tone = tone if highlighted is None or number in highlighted else PLAIN
            self.box(*centre, cell - 8, cell - 8, letter, tile_tone)
        length = cell * len(letters) - 8
        return Box(x, y, cell - 8, length) if down else Box(x, y, length, cell - 8)

    def bar(self, x, y, w, h, tone):
        """A flat bar that starts at `x`, centred on `y`."""
        self.axes.add_patch(Rectangle((x, y - h / 2), w, h, fc=tone.edge, ec="none", zorder=3))

    def wedge(self, points, tone):
        """A faint polygon without an edge, from a part to its enlarged view."""
        self.axes.add_patch(Polygon(points, fc=tone.fill, ec="none", alpha=0.45, zorder=0.5))

    def glossary(self, letters):
        """The meaning of these letters, at the foot of the card."""
        y = self.height - 52
        self.axes.plot([70, self.width - 70], [y - 36] * 2, color=RULE, lw=1.6)
        line = "     ".join(f"{letter}  {GLOSSARY[letter]}" for letter in letters)
        self.text(70, y, line, SMALL, MUTED)

    def save(self, path):
        """Check for collisions and write the PNG."""
        check_collisions(self)
        self.figure.patch.set_alpha(0)
        self.surface.draw()
        reduce_colors(self.surface.buffer_rgba()).save(path, "PNG", optimize=True)

    def _round(self, box, fill, edge, radius, width, layer, dashed=False):
        (_, top), (right, _), (_, bottom), (left, _) = box.top, box.right, box.bottom, box.left
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        self.lines += pairwise(corners)
        patch = FancyBboxPatch(
            (box.x - box.w / 2, box.y - box.h / 2),
            box.w,
            box.h,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            fc=fill,
            ec=edge,
            lw=width,
            zorder=layer,
        )
        if dashed:
            patch.set_linestyle((0, (5, 3)))
        self.axes.add_patch(patch)


def _toward(corner, other, radius=18):
    """The point `radius` away from `corner` in the direction of `other`."""
    (x, y), (ox, oy) = corner, other
    share = min(radius / dist(corner, other), 0.5)
    return x + (ox - x) * share, y + (oy - y) * share
