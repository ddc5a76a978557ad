"""The last look at a picture before it is written: nothing collides, and the file is small."""

from itertools import combinations, product

import numpy as np
from matplotlib.path import Path
from PIL import Image


def refuse_collisions(canvas):
    """Raise a `ValueError` that names each text that overlaps, is crossed or does not fit."""
    renderer = canvas.surface.get_renderer()
    spans = {text: text.get_window_extent(renderer).padded(3) for text in canvas.texts}
    faults = [
        f"{a.get_text()!r} lies on {b.get_text()!r}"
        for a, b in combinations(spans, 2)
        if spans[a].overlaps(spans[b])
    ]
    faults += [
        f"{text.get_text()!r} does not fit its box"
        for text, box in canvas.boxed
        if spans[text].width > box.w - 12
    ]
    for text, line in product(spans, canvas.lines):
        if text in canvas.badges:  # these sit on the edge of their boxes
            continue
        if Path([(x, canvas.height - y) for x, y in line]).intersects_bbox(spans[text], False):
            faults.append(f"{text.get_text()!r} is crossed by a line")
    if faults:
        raise ValueError("; ".join(faults))


def few_colours(pixels, most=256):
    """The image in its commonest colours: a third of the bytes, and the eye sees no difference."""
    pixels = np.asarray(pixels)
    colours, index, count = np.unique(
        pixels.reshape(-1, 4), axis=0, return_inverse=True, return_counts=True
    )
    kept = colours[np.argsort(-count, kind="stable")[:most]]
    nearest = np.linalg.norm(colours[:, None] - kept[None].astype(float), axis=-1).argmin(1)
    image = Image.fromarray(nearest[index].reshape(pixels.shape[:2]).astype(np.uint8))
    image.putpalette(kept.tobytes(), "RGBA")
    return image
