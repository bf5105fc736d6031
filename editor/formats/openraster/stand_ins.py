"""`stack.xml`: nodes as OpenRaster can say them, and pictures that look the same for what it cannot.

* A layer with a mask or with clipped layers, and a group with a mask, become one raster layer.
* A pass-through group becomes an ordinary one where that looks the same (all inside is normal), else its
  children stand in its place.
* An adjustment, or a pass-through group that is neither, becomes the composite of all up to it; what is
  below stays, hidden if it could shine through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from editor.formats.openraster.archive import Writer
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Adjustment, Group, Layer, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster, frozen
from editor.rendering.compositing import composite_samples
from inference.values import in_xml

VERSION = "0.0.5"


@dataclass(frozen=True)
class _Run:
    """An unclipped node with the clipped ones above it."""

    base: Node
    clipped: tuple[Node, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.base, *self.clipped)


def stack_xml(state: DocumentState, writer: Writer) -> bytes:
    """The whole document, its pictures written by the way."""
    attributes = {"version": VERSION, "w": str(state.width), "h": str(state.height)}
    if state.dpi is not None:
        attributes["xres"], attributes["yres"] = (str(max(1, round(value))) for value in state.dpi)
    image = ElementTree.Element("image", attributes)
    stack = ElementTree.SubElement(image, "stack")
    _StandIns(state, writer).fill(stack, state.layers)
    return ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)


class _StandIns:
    def __init__(self, state: DocumentState, writer: Writer) -> None:
        self._state = state
        self._writer = writer

    def fill(self, stack: ElementTree.Element, nodes: Sequence[Node]) -> None:
        """Put the elements of one level into `stack`; OpenRaster lists the topmost first."""
        runs = _runs(_inlined(nodes))
        last = max((place for place, run in enumerate(runs) if _needs_what_is_below(run)), default=-1)
        elements: list[ElementTree.Element] = []
        for place, run in enumerate(runs):
            if place == last:
                self._cover(elements, runs[: last + 1])
            elif not _needs_what_is_below(run, hidden_too=True):
                elements.append(self._element(run))
        stack.extend(reversed(elements))

    def _cover(self, below: list[ElementTree.Element], runs: Sequence[_Run]) -> None:
        """The composite of the first runs, above their elements."""
        nodes = [node for run in runs for node in run.nodes]
        raster = self._composed(nodes, self._state.area)
        opaque = bool((raster.array()[..., 3] == raster.top).all())
        for element in below if not opaque else ():
            element.set("visibility", "hidden")
        base = runs[-1].base
        below.append(self._layer(Layer(name=base.name, raster=raster), raster, base.id == self._state.active))

    def _element(self, run: _Run) -> ElementTree.Element:
        base = run.base
        chosen = self._state.active in {node.id for node in run.nodes}
        bare = not run.clipped and (base.mask is None or not base.mask.enabled)
        if isinstance(base, Layer) and bare:
            return self._layer(base, base.raster, chosen)
        if isinstance(base, Group) and bare:
            element = ElementTree.Element("stack", _attributes(base, chosen) | {"isolation": "isolate"})
            self.fill(element, base.children)
            return element
        area = (base.area or self._state.area).intersected(_bounds(self._state.area))
        if area.is_empty:
            area = Area(0, 0, 1, 1)
        whole = base.changed(visible=True, opacity=1.0, blend_mode=BlendMode.NORMAL)
        raster = self._composed((whole, *run.clipped), area)
        return self._layer(base, raster, chosen, area)

    def _composed(self, nodes: Sequence[Node], area: Area) -> Raster:
        return Raster.of(frozen(composite_samples(nodes, area, self._state.depth)))

    def _layer(
        self, node: Node, raster: Raster, chosen: bool, area: Area | None = None
    ) -> ElementTree.Element:
        place = area or node.area or self._state.area
        attributes = _attributes(node, chosen)
        attributes |= {"src": self._writer.raster(raster, "data"), "x": str(place.x), "y": str(place.y)}
        return ElementTree.Element("layer", attributes)


def _attributes(node: Node, chosen: bool) -> dict[str, str]:
    found = {
        "name": in_xml(node.name),
        "opacity": f"{node.opacity:.6g}",
        "visibility": "visible" if node.visible else "hidden",
        "composite-op": node.blend_mode.value,
    }
    if node.locked:
        found["edit-locked"] = "true"
    if chosen:
        found["selected"] = "true"
    return found


def _inlined(nodes: Sequence[Node]) -> list[Node]:
    """Pass-through groups that do nothing by themselves replaced by their children."""
    found: list[Node] = []
    for index, node in enumerate(nodes):
        is_base = index + 1 < len(nodes) and nodes[index + 1].clipped
        if not _passes_through(node) or _only_normal(node) or node.clipped or is_base:
            found.append(node)
        elif node.opacity == 1 and node.mask is None and isinstance(node, Group):
            children = _inlined(node.children)
            found += children if node.visible else [child.changed(visible=False) for child in children]
        else:
            found.append(node)
    return found


def _runs(nodes: Sequence[Node]) -> list[_Run]:
    runs: list[_Run] = []
    for node in nodes:
        if node.clipped and runs and not isinstance(runs[-1].base, Adjustment):
            runs[-1] = _Run(runs[-1].base, (*runs[-1].clipped, node))
        else:
            runs.append(_Run(node))
    return runs


def _needs_what_is_below(run: _Run, hidden_too: bool = False) -> bool:
    if not hidden_too and (not run.base.visible or run.base.opacity == 0):
        return False
    if isinstance(run.base, Adjustment):
        return True
    return _passes_through(run.base) and not (_only_normal(run.base) and not run.clipped)


def _passes_through(node: Node) -> bool:
    return isinstance(node, Group) and not node.isolated


def _only_normal(node: Node) -> bool:
    """Whether a pass-through group looks the same as an isolated one: all inside is laid over."""
    return isinstance(node, Group) and all(
        not isinstance(child, Adjustment)
        and child.blend_mode is BlendMode.NORMAL
        and (not _passes_through(child) or _only_normal(child))
        for child in node.children
    )


def _bounds(area: Area) -> Area:
    """What may matter of a layer beyond the document: as much again on each side."""
    return Area(area.x - area.width, area.y - area.height, 3 * area.width, 3 * area.height)
