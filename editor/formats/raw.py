"""Camera raw (DNG and the makers' own), developed by LibRaw with the camera's white balance into sRGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.decoding import quiet, said_broken
from editor.formats.picture import Picture
from editor.layers.limits import check_file_size
from editor.pixels.raster import Samples, frozen
from inference.errors import EditorError
from inference.messages import Message

_SRGB_GAMMA = (2.4, 12.92)  # LibRaw's power and slope at black


def read(path: Path) -> Opened:
    """The developed picture of a file, upright; see `Codec.read`."""
    notes = [
        Message("The raw picture was developed with the camera's white balance; exposure was set by itself.")
    ]
    with said_broken(path.name), quiet():
        samples = _developed(path)
        with _carrier(path) as image:
            image.info.pop("icc_profile", None)  # of the preview
            image.info.pop("dpi", None)
            return raster.as_opened(path, samples, image, notes, lambda image, notes: b"")


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose TIFF, PNG or JPEG.", suffix=path.suffix
    )


def _developed(path: Path) -> Samples:
    import rawpy

    library: Any = rawpy
    with path.open("rb") as file, library.imread(file) as raw:
        check_file_size(path.name, int(raw.sizes.raw_width), int(raw.sizes.raw_height))
        values = raw.postprocess(use_camera_wb=True, output_bps=16, gamma=_SRGB_GAMMA)
    result = np.empty((*values.shape[:2], 4), np.uint16)
    result[..., :3] = values
    result[..., 3] = 65535
    return frozen(result)


def _carrier(path: Path) -> Image.Image:
    """What the file says beside its pixels, where it is a TIFF, as most raw files are."""
    from editor.formats.tiff import carrier_of

    try:
        with said_broken(path.name):
            return carrier_of(path)
    except EditorError:
        return Image.new("RGB", (1, 1))
