"""How a picture is exported: one value that dialogs, the command line and "export again" share."""

from __future__ import annotations

from dataclasses import dataclass

from editor.layers.limits import LARGEST_SIDE_PX
from inference.parameters import N_, Parameters, param

SUBSAMPLINGS = ("auto", "4:4:4", "4:2:2", "4:2:0")
EFFORTS = ("fast", "normal", "small")
RESAMPLINGS = ("nearest", "bilinear", "bicubic", "lanczos")
PROFILES = ("keep", "srgb")
TIFF_COMPRESSIONS = ("deflate", "none")
DEPTHS = ("keep", "8", "16")
_SIDE = N_("Export", "Pixels; 0 follows the other side, so that nothing is stretched")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Parameters):
    """How a picture is written.

    Args:
        format: a key of `FORMATS`; "" goes by the file's ending.
        quality: 1..100, for JPEG, lossy WebP and lossy AVIF.
        like_original: JPEG with the tables and colour resolution of the JPEG that was opened, if it was one.
        subsampling: JPEG's resolution of colour; "auto" is full from quality 90 on, else a quarter.
        effort: how long PNG, lossless WebP and AVIF look for a smaller file.
        metadata: whether EXIF, XMP, text and how the picture was made are written; `location`: GPS among it.
        depth: bits a channel; formats without 16 bits write 8.
        width, height: pixels; 0 follows the other one, or `percent` if both are 0.
        profile: "keep" the document's, or convert to "srgb".
    """

    format: str = param(
        "",
        N_("Export", "Format"),
        help=N_("Export", "png, jpeg, webp, tiff or avif; else the file's ending says it"),
    )
    quality: int = param(92, N_("Export", "Quality"), min=1, max=100)
    like_original: bool = param(False, N_("Export", "Like the original"))
    lossless: bool = param(False, N_("Export", "Lossless"))
    subsampling: str = param("auto", N_("Export", "Colour resolution"), choices=SUBSAMPLINGS)
    progressive: bool = param(False, N_("Export", "Progressive"))
    effort: str = param("normal", N_("Export", "Effort"), choices=EFFORTS)
    tiff_compression: str = param("deflate", N_("Export", "Compression"), choices=TIFF_COMPRESSIONS)
    metadata: bool = param(True, N_("Export", "Metadata"))
    location: bool = param(True, N_("Export", "Location"))
    depth: str = param("keep", N_("Export", "Bits per channel"), choices=DEPTHS)
    width: int = param(0, N_("Export", "Width"), min=0, max=LARGEST_SIDE_PX, help=_SIDE)
    height: int = param(0, N_("Export", "Height"), min=0, max=LARGEST_SIDE_PX, help=_SIDE)
    percent: float = param(100.0, N_("Export", "Scale"), min=1, max=1000)
    resampling: str = param("lanczos", N_("Export", "Resampling"), choices=RESAMPLINGS)
    profile: str = param("keep", N_("Export", "Colour profile"), choices=PROFILES)

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """The exported (width, height) of a document of that size; at least 1 × 1."""
        if self.width and self.height:
            return self.width, self.height
        if self.width:
            return self.width, max(1, round(height * self.width / width))
        if self.height:
            return max(1, round(width * self.height / height)), self.height
        return max(1, round(width * self.percent / 100)), max(1, round(height * self.percent / 100))
