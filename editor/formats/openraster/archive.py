"""The zip file: entries by name, with limits; nothing is ever extracted to a path."""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats.decoding import BrokenFileError, decoded, opened, reopener
from editor.formats.picture import Picture
from editor.formats.png_writer import SIGNATURE, Chunk, Layout, write_png
from editor.layers.limits import (
    LARGEST_PROFILE_BYTES,
    LARGEST_TEXT_BYTES,
    check_file_size,
    check_total,
)
from editor.pixels.raster import Area, Raster, Samples, to_eight_bits
from inference.errors import EditorError
from inference.messages import Message

MOST_ENTRIES = 100_000
_HEAD_BYTES = 64
_SPARE_BYTES = 2 * LARGEST_PROFILE_BYTES  # what a PNG may hold beside its pixels: profile, texts


class Archive:
    """Reads; every picture once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        if len(archive.infolist()) > MOST_ENTRIES:
            raise EditorError("The file has {count} parts; that is too many.", count=len(archive.infolist()))
        self._archive = archive
        self._pictures: dict[str, tuple[Samples, bytes]] = {}
        self._rasters: dict[tuple[str, int], Raster] = {}
        self._pixels = 0

    def has(self, name: str) -> bool:
        return name in self._archive.NameToInfo

    def checksums(self) -> dict[str, int]:
        return {info.filename: info.CRC for info in self._archive.infolist()}

    def text(self, name: str) -> bytes:
        info = self._info(name)
        if info.file_size > LARGEST_TEXT_BYTES:
            raise EditorError(
                "“{name}” in the file is too large ({size_mib} MiB).",
                name=name,
                size_mib=info.file_size // 2**20,
            )
        return self._archive.read(info)

    def picture(self, name: str, notes: list[Message]) -> tuple[Samples, bytes]:
        """RGBA samples and colour profile (b"" for none) of a PNG."""
        name = posixpath.normpath(name)
        if name not in self._pictures:
            info = self._info(name)
            self._check(info)
            data = BytesIO(self._archive.read(info))
            with opened(data, ("PNG",), name) as image:
                profile = bytes(image.info.get("icc_profile") or b"")
                samples = decoded(image, reopener(data, ("PNG",)), notes)
            usable = icc.is_rgb(profile) and colour.is_usable(profile)
            self._pictures[name] = (samples, profile if usable else b"")
        return self._pictures[name]

    def plain_picture(self, name: str) -> NDArray[np.uint8]:
        """A PNG of 8 bits as it is: grey [H, W], RGB or RGBA [H, W, C]."""
        info = self._info(name)
        self._check(info)
        with opened(BytesIO(self._archive.read(info)), ("PNG",), name) as image:
            if image.mode not in ("L", "RGB", "RGBA"):
                raise BrokenFileError("“{name}” in the file is no PNG picture.", name=name)
            return np.array(image)

    def raster(self, name: str, channels: int = 4) -> Raster:
        """A raster of 4 channels, or of 1: a mask; layers that share a picture share its raster."""
        key = (name, channels)
        if key not in self._rasters:
            samples, _ = self.picture(name, [])
            self._rasters[key] = Raster.of(samples if channels == 4 else samples[..., :1])
        return self._rasters[key]

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._archive.getinfo(name)
        except KeyError as error:
            raise BrokenFileError(
                "The file lacks “{name}”.", "It is incomplete; get it again.", name=name
            ) from error

    def _check(self, info: zipfile.ZipInfo) -> None:
        """Refuse a picture by its header, before it is decompressed."""
        with self._archive.open(info) as file:
            head = file.read(_HEAD_BYTES)
        if not head.startswith(SIGNATURE) or len(head) < 24:
            raise BrokenFileError("“{name}” in the file is no PNG picture.", name=info.filename)
        width, height = struct.unpack_from(">II", head, 16)
        check_file_size(info.filename, width, height)
        self._pixels += width * height
        check_total(self._pixels)
        if info.file_size > width * height * 8 * 1.01 + _SPARE_BYTES:
            raise EditorError(
                "“{filename}” in the file is too large ({size_mib} MiB).",
                filename=info.filename,
                size_mib=info.file_size // 2**20,
            )


class Writer:
    """Writes; layers over the same pixels share one picture."""

    def __init__(self, archive: zipfile.ZipFile, profile: bytes, whole: Raster | None = None) -> None:
        """`whole` is the layer that is the picture, if one is: it is encoded once for both."""
        self._archive = archive
        self._profile = profile
        self._whole = whole
        self._encoded: bytes | None = None
        self._names: dict[tuple[str, int], str] = {}
        self._kept: list[Raster] = []  # so that no identity is used twice

    def checksums(self) -> dict[str, int]:
        return {info.filename: info.CRC for info in self._archive.infolist()}

    def text(self, name: str, data: bytes) -> None:
        """Write XML or JSON.

        Raises:
            EditorError: longer than what is read again.
        """
        if len(data) > LARGEST_TEXT_BYTES:
            raise EditorError(
                "What the project says beside its pixels has {size} MiB; {most} are possible.",
                "Delete some layers with long texts or recipes.",
                size=len(data) // 2**20,
                most=LARGEST_TEXT_BYTES // 2**20,
            )
        self._archive.writestr(name, data, zipfile.ZIP_DEFLATED)

    def once(self, name: str, data: Callable[[], bytes]) -> None:
        """Write an entry, unless there is one of that name."""
        if name not in self._archive.NameToInfo:
            self._archive.writestr(name, data())

    def name_of(self, raster: Raster) -> str | None:
        """Where a raster was written already."""
        return self._names.get(("data", id(raster))) or self._names.get(("attune", id(raster)))

    def raster(self, raster: Raster, folder: str) -> str:
        """The name of the PNG that holds a raster, written now if need be."""
        key = (folder, id(raster))
        if key not in self._names:
            kind = "layer" if raster.channels == 4 else "mask"
            self._names[key] = f"{folder}/{kind}{len(self._names):03}.png"
            self._kept.append(raster)
            self._write(self._names[key], raster)
        return self._names[key]

    def picture(self, name: str, picture: Picture) -> None:
        if self._encoded is not None:
            self._archive.writestr(name, self._encoded)
            return
        layout = Layout(width=picture.width, height=picture.height, channels=4, depth=picture.depth)
        with self._archive.open(name, "w", force_zip64=True) as file:
            write_png(cast("BinaryIO", file), layout, picture.band, self._chunks(), "fast")

    def thumbnail(self, name: str, picture: Picture, size_px: int) -> None:
        step = max(1, min(picture.width, picture.height) // (2 * size_px))
        image = Image.fromarray(to_eight_bits(picture.samples[::step, ::step]).copy())
        image.thumbnail((size_px, size_px))
        buffer = BytesIO()
        image.save(buffer, "PNG")
        self._archive.writestr(name, buffer.getvalue())

    def _write(self, name: str, raster: Raster) -> None:
        depth = raster.dtype.itemsize * 8
        layout = Layout(width=raster.width, height=raster.height, channels=raster.channels, depth=depth)

        def band(top: int, rows: int) -> Samples:
            return raster.read(Area(0, top, raster.width, rows))

        if raster is self._whole:
            buffer = BytesIO()
            write_png(buffer, layout, band, self._chunks(), "fast")
            self._encoded = buffer.getvalue()
            self._archive.writestr(name, self._encoded)
            return
        with self._archive.open(name, "w", force_zip64=True) as file:
            write_png(cast("BinaryIO", file), layout, band, self._chunks(raster.channels), "fast")

    def _chunks(self, channels: int = 4) -> tuple[Chunk, ...]:
        if not self._profile or channels != 4:
            return ()
        return ((b"iCCP", b"ICC profile\0\0" + zlib.compress(self._profile)),)


def same_checksums(recorded: Mapping[str, object], present: Mapping[str, int]) -> bool:
    """Whether every recorded entry is there, unchanged."""
    return all(present.get(name) == value for name, value in recorded.items())
