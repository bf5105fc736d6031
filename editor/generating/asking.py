"""From the values of a form to a request, and from what comes of it to a layer; no signals.

A picture is taken from what shows below the place that the new layer gets (`pictures_below`), the layer's
samples are those of the document wherever the method changed nothing (`ground`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np

from editor.edits.tree import added
from editor.generating.contents import mask_of, read_content
from editor.generating.ground import Ground, brought, ground_of
from editor.generating.pictures_below import (
    has_alpha_of,
    nodes_below,
    picture_at,
    place_above,
    place_after,
)
from editor.generating.region import region_of, selected
from editor.layers.layer import Layer
from editor.layers.layer import Mask as LayerMask
from editor.layers.limits import check_size
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, Frame, Nodes
from editor.layers.subject_masks import automatic_mask, nothing_of
from editor.pixels.raster import Area, Raster
from inference.content import Content, Mask, Picture, content_hash, contents_in, named
from inference.errors import EditorError
from inference.kinds import content_type
from inference.operations import Operation
from inference.parameters import ParameterField
from inference.request import Pixels, Request, Result
from inference.sizes import enlarged_size


class Given(Enum):
    """Where a form takes a picture or mask from, beside a file."""

    DOCUMENT = "document"  # what is visible
    LAYER = "layer"  # the active layer's own pixels
    SELECTION = "selection"
    NOTHING = "nothing"


Source: TypeAlias = Given | Path


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a job is for; `layer_id` is the layer that it makes again, or "" for a new one.

    `selection`, `frame` and `profile` are those of the moment of asking: what is selected later is for
    something else, and a canvas that is cropped later has the same place elsewhere.
    """

    operation: Operation
    contents: Mapping[str, Any]
    area: Area
    layer_id: str = ""
    selection: LayerMask | None = None
    frame: Frame = field(default_factory=Frame)
    profile: bytes = b""
    above: str = ""  # the node of the top level that the new layer lies right above
    from_below: bool = False
    ground: Ground | None = None
    dpi: tuple[float, float] | None = None  # of a document of its own
    clipped: bool = False


def picture_from(source: Source, state: DocumentState | None) -> Pixels:
    """A whole picture by itself, for what is learnt from pictures; reads files, so beside the GUI thread.

    Raises:
        EditorError: there is none, or a file that cannot be read.
    """
    if isinstance(source, Path):
        return cast("Pixels", read_content(Picture, source))
    if state is None or source not in (Given.DOCUMENT, Given.LAYER):
        raise EditorError("A picture is missing.", "Open one, or choose a file.")
    if source is Given.DOCUMENT:
        return _visible(state.layers[: place_above(state)], state.area, state)
    alone = _alone(state)
    return _visible((alone,), alone.area, state)


def _alone(state: DocumentState) -> Layer:
    """The active layer as if nothing else were there.

    Raises:
        EditorError: it has no pixels.
    """
    node = state.find(state.active)
    if not isinstance(node, Layer):
        raise EditorError("The active layer has no pixels of its own.", "Choose a layer with pixels.")
    return node.changed(visible=True, opacity=1.0, mask=None, clipped=False)


def plain_values(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are neither pictures nor files."""
    declared = {item.name: item for item in operation.parameters.declared()}
    return {name: value for name, value in values.items() if content_type(declared[name]) is None}


def asked_anew(
    state: DocumentState, operation: Operation, values: Mapping[str, Any], model: str
) -> tuple[Request, Asked]:
    """A new layer."""
    if operation.enlarges:
        return _asked_larger(state, operation, values, model)
    index = place_above(state)
    nodes = state.layers[:index]
    given, contents, area = _read(operation, values, state, nodes)
    request = Request(operation=operation.name, parameters=operation.parameters(**given), model=model)
    declared = operation.picture
    below = declared is not None and _source(declared, values) is Given.DOCUMENT
    asked = Asked(
        operation=operation,
        contents=contents,
        area=area,
        selection=state.selection if selected(state) is not None else None,
        frame=state.frame,
        profile=state.icc_profile,
        above=nodes[-1].id if nodes else "",
        from_below=below,
    )
    if not below or declared is None:
        return request, asked
    picture = contents[getattr(request.parameters, declared.name).hash]
    return request, replace(
        asked,
        ground=ground_of(state, nodes, area, picture),
        clipped=has_alpha_of(nodes, area, picture),
    )


def _asked_larger(
    state: DocumentState, operation: Operation, values: Mapping[str, Any], model: str
) -> tuple[Request, Asked]:
    """A document of its own, of all that is visible, or of the active layer alone."""
    declared = operation.picture
    assert declared is not None, "it enlarges a picture"
    state = replace(state, selection=None)  # not of a part of it
    given, contents, _ = _read(operation, values, state, state.layers)
    request = Request(operation=operation.name, parameters=operation.parameters(**given), model=model)
    picture = contents[getattr(request.parameters, declared.name).hash]
    source = _source(declared, values)
    area = _area_of(source, state)
    asked = Asked(
        operation=operation,
        contents=contents,
        area=area,
        frame=state.frame,
        profile=state.icc_profile,
        dpi=state.dpi,
    )
    if isinstance(source, Path):
        return request, asked
    nodes = (_alone(state),) if source is Given.LAYER else state.layers
    check_size(*enlarged_size(picture, getattr(request.parameters, "factor", 1.0)))
    return request, replace(asked, ground=ground_of(state, nodes, area, picture))


def asked_again(
    state: DocumentState, layer: Layer, values: Mapping[str, Any], *, anew: bool
) -> tuple[Request, Asked]:
    """The same layer with other values."""
    recipe = layer.recipe
    if recipe is None or (anew and not recipe.from_below):
        raise EditorError("This layer was not made from the picture below it.", "Choose one that was.")
    operation = recipe.request.declared
    parameters = replace(recipe.request.parameters, **values)
    request = replace(recipe.request, parameters=parameters, model_hash="")
    asked = Asked(
        operation=operation,
        contents=dict(recipe.contents),
        area=layer.area,
        layer_id=layer.id,
        frame=state.frame,
        profile=state.icc_profile,
        from_below=recipe.from_below,
    )
    nodes, declared = nodes_below(state, layer.id), operation.picture
    if declared is None or not recipe.from_below:
        return request, asked
    if not anew and not recipe.lacks_picture:
        known = cast("Pixels", recipe.contents[recipe.picture])
        return request, replace(asked, ground=ground_of(state, nodes, layer.area, known))
    area = layer.area.intersected(state.area)
    picture = _visible(nodes, area, state)
    content = Picture(content_hash(picture))
    masks = [item for item in contents_in(parameters) if isinstance(item, Mask)]
    if any(np.shape(recipe.contents.get(mask.hash, ())) != (area.height, area.width) for mask in masks):
        raise EditorError(
            "The part of the picture that “{name}” may change no longer fits it.",
            "Make a new layer instead.",
            name=layer.name,
        )
    sized = {item.name: None for item in parameters.declared() if item.name in ("width", "height")}
    request = replace(request, parameters=replace(parameters, **{declared.name: content}, **sized))
    contents = {**recipe.contents, content.hash: picture}
    return request, replace(
        asked,
        area=area,
        contents=named(contents, request.parameters),
        ground=ground_of(state, nodes, area, picture),
    )


def asked_beside(
    state: DocumentState, layer: Layer, operation: Operation, values: Mapping[str, Any]
) -> tuple[Request, Asked]:
    """A new layer above the active one, from the picture that a layer of a translation was made from."""
    request, asked = asked_again(state, layer, {}, anew=False)
    plain, made = plain_values(operation, values), request.parameters
    if isinstance(made, operation.parameters):
        parameters = replace(made, **plain)
    else:
        declared = operation.picture
        assert declared is not None, "it looks at a picture"
        parameters = operation.parameters(**{**plain, declared.name: _picture_of(request)})
    nodes = state.layers[: place_above(state)]
    request = Request(operation=operation.name, parameters=parameters, model=request.model)
    return request, replace(
        asked,
        operation=operation,
        contents=named(asked.contents, parameters),
        layer_id="",
        above=nodes[-1].id if nodes else "",
    )


def _picture_of(request: Request) -> Content:
    """The picture that a request works on."""
    declared = request.declared.picture
    assert declared is not None, "it works on a picture"
    return cast("Content", getattr(request.parameters, declared.name))


def _read(
    operation: Operation, values: Mapping[str, Any], state: DocumentState, nodes: Nodes
) -> tuple[dict[str, Any], dict[str, Any], Area]:
    """Parameters, contents by hash, and where in the document the result lies."""
    given, contents, place = plain_values(operation, values), dict[str, Any](), state.area
    area = state.area
    for item in operation.parameters.declared():
        if item.declaration.hidden or (wanted := content_type(item)) is None:
            continue
        source = _source(item, values)
        if wanted is Mask and operation.takes_selection and source is Given.NOTHING:
            source = Given.SELECTION if selected(state) is not None else source
        if item == operation.picture:
            area = _area_of(source, state)
            place = area
        blob = _blob(item, wanted, source, state, nodes, area)
        if blob is not None:
            name = content_hash(blob)
            contents[name], given[item.name] = blob, wanted(name)
    return given, contents, place


def _source(item: ParameterField, values: Mapping[str, Any]) -> Source:
    return cast("Source", values.get(item.name, Given.DOCUMENT if item.required else Given.NOTHING))


def _area_of(source: Source, state: DocumentState) -> Area:
    if source is Given.DOCUMENT:
        return region_of(state)
    node = state.find(state.active)
    return node.area if source is Given.LAYER and isinstance(node, Layer) else state.area


def _blob(
    item: ParameterField,
    wanted: type[Content],
    source: Source,
    state: DocumentState,
    nodes: Nodes,
    area: Area,
) -> Any:
    if isinstance(source, Path):
        return read_content(wanted, source)
    if source is Given.NOTHING:
        if item.required:
            raise EditorError("“{what}” is missing.", "Choose one.", what=item.declaration.label)
        return None
    if source is Given.SELECTION:
        return _selected(state, area)
    if source is Given.LAYER:
        nodes = (_alone(state),)
    found = _visible(nodes, area, state)
    return mask_of(found) if issubclass(wanted, Mask) else found


def _selected(state: DocumentState, area: Area) -> Pixels:
    if state.selection is None:
        raise EditorError("Nothing is selected.", "Select the part that may change.")
    found = np.array(state.selection.read(area)).reshape(area.height, area.width)
    found.setflags(write=False)
    return found


def _visible(nodes: Nodes, area: Area, state: DocumentState) -> Pixels:
    """What nodes show there.

    Raises:
        EditorError: nothing.
    """
    found = picture_at(nodes, area, state.icc_profile, state.area) if not area.is_empty else None
    if found is None or (found.shape[2] == 4 and not found[..., 3].any()):
        raise EditorError("There is nothing to be seen there.", "Choose a layer that shows something.")
    return found


def raster_for(asked: Asked, result: Result) -> Raster:
    """The result in the document's colours and depth; another thread."""
    if asked.layer_id and result.maps:  # what its mask costs is known then
        automatic_mask(Layer(name="", raster=Raster.filled(asked.area.width, asked.area.height)), result.maps)
    ground, factor = asked.ground, getattr(result.request.parameters, "factor", 1.0)
    if ground is not None and asked.operation.enlarges:
        ground = ground.enlarged(factor)
    return brought(ground, result.images[0], asked.profile)


def larger_document(asked: Asked, result: Result, raster: Raster, recipe: Recipe, text: str) -> DocumentState:
    """What an enlarged picture becomes: a document of one layer with its recipe, in the colours it had."""
    state = DocumentState.of_layer(Layer(name=text, raster=raster, made=recipe, maps=result.maps))
    factor = getattr(result.request.parameters, "factor", 1.0)
    # as large on paper as it was
    dpi = None if asked.dpi is None else (asked.dpi[0] * factor, asked.dpi[1] * factor)
    return replace(state, icc_profile=asked.profile, dpi=dpi)


def _same_alpha(image: Pixels, picture: Pixels) -> bool:
    return image.shape == picture.shape and np.array_equal(image[..., 3], picture[..., 3])


def is_as_made(state: DocumentState, layer_id: str) -> bool:
    """Whether a layer is there and still what its recipe makes: a result may take its place.

    What somebody painted on meanwhile stays; the result is a layer of its own then.
    """
    node = state.find(layer_id)
    return isinstance(node, Layer) and node.recipe is not None


def place_now(asked: Asked, state: DocumentState) -> tuple[int, int]:
    """Where the place that was asked for lies since the canvas was cropped."""
    return _as_cropped(asked.area, asked.frame, state)


def place_again(layer: Layer, area: Area, frame: Frame, state: DocumentState) -> tuple[int, int]:
    """Where a picture of a layer lies that was asked for while that lay in `area` of the canvas `frame`.

    It is where the layer is, which may have been moved since; of one that a crop has cut since, where all of
    it would lie.
    """
    if layer.shape == (area.height, area.width) or frame.canvas != state.frame.canvas:
        return layer.x, layer.y
    return _as_cropped(area, frame, state)


def _as_cropped(area: Area, frame: Frame, state: DocumentState) -> tuple[int, int]:
    return area.x + frame.x - state.frame.x, area.y + frame.y - state.frame.y


def with_layer(
    state: DocumentState, asked: Asked, result: Result, raster: Raster, recipe: Recipe, text: str
) -> DocumentState:
    """The document with the result as a layer above what it was made from; what was selected is its mask."""
    x, y = place_now(asked, state)
    mask = asked.selection
    if mask is not None:
        mask = mask.changed(x=mask.x + x - asked.area.x, y=mask.y + y - asked.area.y)
    picture, image = recipe.contents.get(recipe.picture), result.images[0]
    see_through = isinstance(picture, np.ndarray) and picture.shape[2] == 4
    # what fills transparent parts must show there
    clipped = asked.clipped and see_through and _same_alpha(image, cast("Pixels", picture))
    layer = Layer(name=text, raster=raster, made=recipe, maps=result.maps, x=x, y=y, clipped=clipped)
    if mask is None and see_through and not clipped and np.array_equal(image, cast("Pixels", picture)):
        mask = nothing_of(layer.area)  # over itself it would be less transparent
    layer = layer.changed(mask=mask)
    if not asked.from_below or state.find(asked.above) is None:
        return added(state, layer, state.active)
    placed = state.inserted([layer], index=place_after(state, asked.above))
    return replace(placed, active=layer.id, chosen=frozenset())
