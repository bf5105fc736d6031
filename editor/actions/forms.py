"""Commands that first ask for numbers: one declared form each, shown by one dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from editor.edits.geometry import ANCHORS
from editor.edits.resampling import METHODS
from editor.layers.limits import LARGEST_SIDE_PX
from editor.layers.state import DocumentState
from inference.parameters import N_, Parameters, param

if TYPE_CHECKING:
    from editor.application import Application


@dataclass(frozen=True, kw_only=True)
class ImageSize(Parameters):
    """Another number of pixels."""

    width: int = param(1, N_("Forms", "Width (pixels)"), min=1, max=LARGEST_SIDE_PX)
    height: int = param(1, N_("Forms", "Height (pixels)"), min=1, max=LARGEST_SIDE_PX)
    linked: bool = param(True, N_("Forms", "Keep proportions"))
    method: str = param("lanczos", N_("Forms", "New pixels"), choices=tuple(METHODS))
    dpi: float = param(72.0, N_("Forms", "Resolution (pixels per inch)"), min=1, max=10_000, step=1)


@dataclass(frozen=True, kw_only=True)
class CanvasSize(Parameters):
    """More or less room around the picture."""

    width: int = param(1, N_("Forms", "Width (pixels)"), min=1, max=LARGEST_SIDE_PX)
    height: int = param(1, N_("Forms", "Height (pixels)"), min=1, max=LARGEST_SIDE_PX)
    anchor: str = param("centre", N_("Forms", "The picture stays"), choices=tuple(ANCHORS))


@dataclass(frozen=True, kw_only=True)
class Rotation(Parameters):
    """Turning by any angle."""

    degrees: float = param(0.0, N_("Forms", "Angle (degrees, clockwise)"), min=-360, max=360, step=0.5)
    crop: bool = param(True, N_("Forms", "Cut off the empty corners"))


@dataclass(frozen=True, kw_only=True)
class Distance(Parameters):
    """A number of pixels."""

    radius: float = param(5.0, N_("Forms", "Pixels"), min=0.1, max=1000, step=1)


LABELS: Mapping[str, str] = {
    "nearest": N_("Forms", "Nearest neighbour (hard edges)"),
    "bilinear": N_("Forms", "Bilinear"),
    "bicubic": N_("Forms", "Bicubic"),
    "lanczos": N_("Forms", "Lanczos (sharpest)"),
    "top-left": N_("Forms", "At the top left"),
    "top": N_("Forms", "At the top"),
    "top-right": N_("Forms", "At the top right"),
    "left": N_("Forms", "At the left"),
    "centre": N_("Forms", "In the middle"),
    "right": N_("Forms", "At the right"),
    "bottom-left": N_("Forms", "At the bottom left"),
    "bottom": N_("Forms", "At the bottom"),
    "bottom-right": N_("Forms", "At the bottom right"),
}
"""Words for choices, translation context "Forms"."""


def _kept(state: DocumentState, old: Any, new: Any) -> Any:
    del state, old
    return new


@dataclass(frozen=True, kw_only=True)
class Form:
    """One command that asks.

    Args:
        initial: what the form shows at first.
        apply: does it; checked values come in.
        follow: (state, old, new) -> new: values that depend on another one that was changed.
    """

    title: str
    button: str
    initial: Callable[[DocumentState], Any]
    apply: Callable[[Application, Any], None]
    follow: Callable[[DocumentState, Any, Any], Any] = field(default=_kept)


def _image_size(state: DocumentState) -> ImageSize:
    dpi = state.dpi[0] if state.dpi is not None else 72.0
    return ImageSize(width=state.width, height=state.height, dpi=min(max(dpi, 1.0), 10_000.0))


def _proportional(state: DocumentState, old: ImageSize, new: ImageSize) -> ImageSize:
    if not new.linked:
        return new
    if new.height != old.height:
        width = round(new.height * state.width / state.height)
        return replace(new, width=min(max(width, 1), LARGEST_SIDE_PX))
    height = round(new.width * state.height / state.width)
    return replace(new, height=min(max(height, 1), LARGEST_SIDE_PX))


def _resize(application: Application, values: ImageSize) -> None:
    application.image.resize(values.width, values.height, values.method, values.dpi)


def _resize_canvas(application: Application, values: CanvasSize) -> None:
    application.image.resize_canvas(values.width, values.height, values.anchor)


def _rotate(application: Application, values: Rotation) -> None:
    application.image.straighten(values.degrees, crop=values.crop)


def _of_selection(title: str, method: str) -> Form:
    """A form for one of the ways to change a selection by a distance."""

    def apply(application: Application, values: Distance) -> None:
        getattr(application.selection, method)(values.radius)

    return Form(title=title, button=N_("Forms", "Change"), initial=lambda _: Distance(), apply=apply)


FORMS: dict[str, Form] = {
    "image-size": Form(
        title=N_("Forms", "Picture size"),
        button=N_("Forms", "Resize"),
        initial=_image_size,
        apply=_resize,
        follow=_proportional,
    ),
    "canvas-size": Form(
        title=N_("Forms", "Canvas size"),
        button=N_("Forms", "Resize"),
        initial=lambda state: CanvasSize(width=state.width, height=state.height),
        apply=_resize_canvas,
    ),
    "rotation": Form(
        title=N_("Forms", "Rotate by an angle"),
        button=N_("Forms", "Rotate"),
        initial=lambda _: Rotation(),
        apply=_rotate,
    ),
    "grow": _of_selection(N_("Forms", "Grow selection"), "grow"),
    "shrink": _of_selection(N_("Forms", "Shrink selection"), "shrink"),
    "feather": _of_selection(N_("Forms", "Feather selection"), "feather"),
    "border": _of_selection(N_("Forms", "Border of the selection"), "border"),
    "smooth": _of_selection(N_("Forms", "Smooth selection"), "smooth"),
}
