"""PNG: 8 bit RGB or RGBA, with our chunk, `parameters` and XMP as text."""

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor import metadata
from editor.atomic import atomic_write
from editor.formats import ExportOptions, Opened, Picture, raster


def read(path: Path) -> Opened:
    return raster.read(path, ("PNG",))


def write(picture: Picture, path: Path, options: ExportOptions) -> None:
    info = _text(picture) if options.metadata else PngInfo()
    exif = raster.exif_bytes(picture, "") if options.metadata else b""
    keywords = raster.extras(picture) | ({"exif": exif} if exif else {})
    image = Image.fromarray(raster.opaque_or_rgba(picture))
    with atomic_write(path) as file:
        image.save(file, "PNG", pnginfo=info, compress_level=6, **keywords)


def _text(picture: Picture) -> PngInfo:
    info = PngInfo()
    provenance = metadata.provenance_of(picture.state, picture.source)
    for key, value in picture.source.text.items():
        if key != metadata.PARAMETERS_KEY or not provenance.parameters:
            info.add_itxt(key, value)
    if not provenance.source_type:
        if picture.source.xmp:
            info.add_itxt(metadata.XMP_KEY, picture.source.xmp.decode("utf-8", errors="replace"))
        return info
    info.add_itxt(metadata.KEY, provenance.payload)
    _add_parameters(info, provenance.parameters)
    packet = metadata.xmp_packet(provenance, picture.source.xmp)
    info.add_itxt(metadata.XMP_KEY, packet.decode())
    return info


def _add_parameters(info: PngInfo, text: str) -> None:
    """Other tools look for a tEXt chunk; what Latin-1 cannot say goes into an iTXt one."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        info.add_itxt(metadata.PARAMETERS_KEY, text)
    else:
        info.add_text(metadata.PARAMETERS_KEY, text)
