"""The plot of the suite "translate": structure distance to the right, prompt fidelity upwards."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

_WIDTH, _HEIGHT, _MARGIN = 900, 600, 64
_OURS, _RIVAL, _INK, _FAINT = (38, 98, 196), (196, 82, 38), (30, 30, 30), (215, 215, 215)
_TICKS = 5


def plot_png(summary: Mapping[str, Any], title: str) -> bytes:
    """The summary's points with the intervals of their means, as PNG; nearer to the upper left is better."""
    from PIL import Image, ImageDraw

    from inference.evaluation.translate import RIVALS

    rows = {name: row for name, row in summary["points"].items() if row["pairs"]}
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, 14), title, fill=_INK)
    if not rows:
        return _encoded(image)
    right = 1.1 * max(row["structure_interval"][1] for row in rows.values()) or 1.0
    low = max(0.0, min(row["fidelity_interval"][0] for row in rows.values()) - 0.05)
    high = min(1.0, max(row["fidelity_interval"][1] for row in rows.values()) + 0.05)

    def at(structure: float, fidelity: float) -> tuple[float, float]:
        x = _MARGIN + structure / right * (_WIDTH - 2 * _MARGIN - 120)
        y = _HEIGHT - _MARGIN - (fidelity - low) / max(high - low, 1e-9) * (_HEIGHT - 2 * _MARGIN)
        return x, y

    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        across, up = right * share, low + (high - low) * share
        draw.line([at(across, low), at(across, high)], fill=_FAINT)
        draw.line([at(0, up), at(right, up)], fill=_FAINT)
        x, y = at(across, low)
        draw.text((x - 14, y + 8), f"{across:.3f}", fill=_INK)
        x, y = at(0, up)
        draw.text((x - 40, y - 6), f"{up:.2f}", fill=_INK)
    draw.text((_WIDTH // 2 - 60, _HEIGHT - 28), "structure distance", fill=_INK)
    draw.text((8, 36), "fidelity", fill=_INK)
    for name, row in rows.items():
        colour = _RIVAL if name in RIVALS else _INK if name == "nothing" else _OURS
        mean = row["structure"]["mean"], row["fidelity"]["mean"]
        x, y = at(*mean)
        low_x, high_x = row["structure_interval"]
        low_y, high_y = row["fidelity_interval"]
        draw.line([at(low_x, mean[1]), at(high_x, mean[1])], fill=colour)
        draw.line([at(mean[0], low_y), at(mean[0], high_y)], fill=colour)
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        draw.text((x + 7, y - 14), name, fill=colour)
    return _encoded(image)


def _encoded(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
