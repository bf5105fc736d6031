"""Lines that things snap to while they are dragged: guides, edges, centres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from editor.layers.state import DocumentState
from editor.pixels.raster import Area

REACH_PX = 8.0  # of the screen


@dataclass(frozen=True)
class Snapped:
    """By how much something is moved to lie on a line, and that line, if any, of either direction."""

    dx: float = 0.0
    dy: float = 0.0
    vertical: float | None = None  # x of the vertical line
    horizontal: float | None = None  # y of the horizontal line


class Snapper:
    """Finds the nearest line; positions in pixels of the document."""

    def __init__(self, vertical: Iterable[float], horizontal: Iterable[float]) -> None:
        self._vertical = sorted(set(vertical))
        self._horizontal = sorted(set(horizontal))

    @classmethod
    def of_state(cls, state: DocumentState, without: Iterable[str] = ()) -> Snapper:
        """Guides, the document's edges and centre, and those of visible nodes but the ones of `without`."""
        boxes: list[Area] = [state.area]
        gone = set(without)
        gone |= {node.id for node in state.nodes() for parent in state.parents(node.id) if parent.id in gone}
        for node in state.nodes():
            area = node.area
            if node.visible and node.id not in gone and area is not None and not area.is_empty:
                boxes.append(area)
        vertical = [guide.position for guide in state.guides if guide.vertical]
        horizontal = [guide.position for guide in state.guides if not guide.vertical]
        for box in boxes:
            vertical += [box.x, box.x + box.width / 2, box.right]
            horizontal += [box.y, box.y + box.height / 2, box.bottom]
        return cls(vertical, horizontal)

    def point(self, x: float, y: float, reach: float) -> Snapped:
        """How to move a point onto lines that are at most `reach` away."""
        return self._snapped([x], [y], reach)

    def box(self, x: float, y: float, width: float, height: float, reach: float) -> Snapped:
        """The same for the edges and the centre of a rectangle; the nearest of them decides."""
        return self._snapped([x, x + width / 2, x + width], [y, y + height / 2, y + height], reach)

    def _snapped(self, xs: Sequence[float], ys: Sequence[float], reach: float) -> Snapped:
        across, down = _nearest(self._vertical, xs, reach), _nearest(self._horizontal, ys, reach)
        return Snapped(
            across[0] if across else 0.0,
            down[0] if down else 0.0,
            across[1] if across else None,
            down[1] if down else None,
        )


def _nearest(lines: Sequence[float], values: Sequence[float], reach: float) -> tuple[float, float] | None:
    """(way to go, line) of the nearest line to any of the values."""
    best: tuple[float, float] | None = None
    for value in values:
        for line in lines:
            way = line - value
            if abs(way) <= reach and (best is None or abs(way) < abs(best[0])):
                best = (way, line)
    return best
