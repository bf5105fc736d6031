"""Density and feather of Photoshop's masks, worked into their pixels."""

from __future__ import annotations

import cv2
import numpy as np

from editor.layers.layer import Mask
from editor.pixels.raster import Area, Raster, frozen

_LARGEST_FEATHER_PX = 1000.0
_REACH = 3  # standard deviations that a blur reaches


def softened(mask: Mask, density: int, feather: float, document: Area) -> Mask:
    """The mask blurred by `feather` (a standard deviation in pixels), then weakened to `density` of 255.

    `document` bounds what is kept of a blur's margin.
    """
    if density == 255 and not feather > 0:
        return mask
    area, values = mask.area, mask.raster.array()[..., 0]
    if feather > 0:
        sigma = min(feather, _LARGEST_FEATHER_PX)
        area = mask.area.grown(int(_REACH * sigma) + 1).intersected(document.united(mask.area))
        values = cv2.GaussianBlur(mask.read(area), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    weak = 255 - (255 - values.astype(np.uint16)) * density // 255
    outside = 255 - (255 - mask.outside) * density // 255
    raster = Raster.of(frozen(weak.astype(np.uint8)))
    return mask.changed(raster=raster, x=area.x, y=area.y, outside=outside)
