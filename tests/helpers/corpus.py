"""Small valid files of every format that Attune reads: what fuzzing starts from."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import OpenEXR
import tifffile
from PIL import Image, ImageCms

from editor.adjustments.curves import Curves
from editor.adjustments.invert import Invert
from editor.colour import conversion as colour
from editor.formats import ExportOptions
from editor.formats.files import export_picture, save_project
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask
from editor.layers.state import DocumentState, SourceMetadata
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from tests.helpers.raw_pictures import dng

WIDTH, HEIGHT = 40, 30


def corpus() -> dict[str, tuple[bytes, ...]]:
    """Files by format."""
    return {name: tuple(make()) for name, make in _MAKERS.items()}


def _pixels(seed: int = 0, channels: int = 4, kind: Any = np.uint8) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, np.iinfo(kind).max + 1, (HEIGHT, WIDTH, channels), kind)


def _image(mode: str = "RGB") -> Image.Image:
    smooth = Image.fromarray(_pixels(1, 3)).resize((8, 6)).resize((WIDTH, HEIGHT))
    return smooth.convert(mode)


def _saved(image: Image.Image, kind: str, **keywords: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **keywords)
    return buffer.getvalue()


def _exported(name: str, samples: np.ndarray, **options: Any) -> bytes:
    layer = Layer(name="a", raster=Raster.of(samples))
    state = DocumentState.of_layer(layer)
    return _through_a_file(f"a.{name}", lambda path: export_picture(
        state, SourceMetadata(text={"parameters": "a cat\nSteps: 20"}), path, ExportOptions(**options)
    ))  # fmt: skip


def _through_a_file(name: str, write: Callable[[Path], object]) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0a cat, Steps: 20"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def _png() -> list[bytes]:
    profile = colour.built_in_profile("display-p3")
    return [
        _saved(_image(), "PNG", icc_profile=profile, exif=_exif(), dpi=(300, 300)),
        _saved(_image("P"), "PNG", transparency=3),
        _saved(_image("L"), "PNG"),
        _saved(_image("1"), "PNG"),
        _exported("png", _pixels(2)),
        _exported("png", _pixels(3, kind=np.uint16)),
        _saved(Image.fromarray(_pixels(4, 1, np.uint16)[..., 0]), "PNG"),
        _saved(_image("RGBA"), "PNG", save_all=True, append_images=[_image("RGBA").rotate(90)]),
    ]


def _camera() -> bytes:
    """A JPEG with all that travels beside pixels: maker's notes, thumbnail, captions, XMP, comment."""
    from tests.editor.formats.metadata.test_exif_block import sample
    from tests.editor.formats.metadata.test_location import captions, packet
    from tests.helpers.exif_notes import with_note

    block, _ = with_note(sample("<"), "Panasonic", b"a place", b"a name")
    resources = b"8BIM\x04\x04\0\0" + len(captions()).to_bytes(4, "big") + captions()
    body = b"Photoshop 3.0\0" + resources
    extra = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    exif = b"Exif\0\0" + bytes(block.data)
    return _saved(_image(), "JPEG", exif=exif, extra=extra, xmp=packet(), comment=b"hello")


def _jpeg() -> list[bytes]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return [
        _saved(_image(), "JPEG", exif=_exif(), icc_profile=profile, comment=b"hello"),
        _saved(_image(), "JPEG", progressive=True, subsampling=0),
        _saved(_image("L"), "JPEG"),
        _saved(_image("CMYK"), "JPEG"),
        _saved(_image(), "MPO", save_all=True, append_images=[_image()]),
        _camera(),
    ]


def _webp() -> list[bytes]:
    return [
        _saved(_image(), "WEBP", exif=_exif()),
        _saved(_image("RGBA"), "WEBP", lossless=True),
        _saved(_image(), "WEBP", save_all=True, append_images=[_image().rotate(90)]),
    ]


def _tiff() -> list[bytes]:
    grey = Image.fromarray(_pixels(5, 1, np.uint16)[..., 0])
    return [
        *(_saved(_image(), "TIFF", compression=name) for name in ("raw", "tiff_lzw", "packbits", "jpeg")),
        _saved(_image("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
        _saved(grey, "TIFF", compression="tiff_lzw"),
        _saved(_image("F"), "TIFF"),
        _saved(_image("1"), "TIFF", compression="group4"),
        _saved(_image("P"), "TIFF", save_all=True, append_images=[_image("P")]),
        _exported("tif", _pixels(6, kind=np.uint16)),
        _exported("tif", _pixels(7), tiff_compression="none"),
        _tiff_of(_pixels(13, 3, np.uint16), photometric="rgb", compression="zlib", tile=(16, 16)),
        _tiff_of(_pixels(14, 3, np.uint16) & 4095, photometric="rgb", bitspersample=12),
        _tiff_of(
            _pixels(15, 3).astype(np.float32) / 255, photometric="rgb", compression="zlib", predictor=True
        ),
        _tiff_of(
            np.moveaxis(_pixels(16, 3), -1, 0), photometric="rgb", planarconfig="separate", bigtiff=True
        ),
        _tiff_of(_pixels(17, 1)[..., 0], photometric="miniswhite", compression="zstd"),
    ]


def _tiff_of(samples: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, metadata=None, **options)
    return buffer.getvalue()


def _raw() -> list[bytes]:
    return [_through_a_file("a.dng", dng)]


def _light() -> list[bytes]:
    light = _pixels(19, 4).astype(np.float32) / 99
    names = ("PIZ", "ZIP", "RLE", "B44A", "DWAA", "PXR24")
    return [imagecodecs.rgbe_encode(light[..., :3]), *(exr(light, compression=name) for name in names)]


def _jxl() -> list[bytes]:
    return [
        imagecodecs.jpegxl_encode(_pixels(21, 3), lossless=True),
        imagecodecs.jpegxl_encode(_pixels(22), level=80, usecontainer=True),
        imagecodecs.jpegxl_encode(_pixels(23, 3, np.uint16) & 1023, lossless=True, bitspersample=10),
        imagecodecs.jpegxl_encode(_pixels(24, 3).astype(np.float32) / 255, lossless=True),
        imagecodecs.jpegxl_encode_jpeg(_camera(), usecontainer=True),
    ]


def exr(light: np.ndarray, names: str = "RGBA", *, compression: str = "ZIP", **header: Any) -> bytes:
    """An OpenEXR file of planes [H, W, len(names)]."""
    planes = {name: np.ascontiguousarray(light[..., place]) for place, name in enumerate(names)}
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    whole = {"compression": kind, "type": OpenEXR.scanlineimage, **header}

    def write(path: Path) -> None:
        with OpenEXR.File(whole, planes) as file:
            file.write(str(path))

    return _through_a_file("a.exr", write)


def _other() -> list[bytes]:
    return [
        _saved(_image(), "BMP"),
        _saved(_image("P"), "BMP"),
        _saved(_image("P"), "GIF", transparency=2),
        _saved(_image("P"), "GIF", save_all=True, append_images=[_image("P").rotate(90)]),
        _saved(_image(), "PPM"),
        _saved(_image(), "QOI"),
        _saved(_image(), "ICO", sizes=[(16, 16)]),
        _saved(_image(), "JPEG2000"),
        imagecodecs.jpeg2k_encode(_pixels(18, 3, np.uint16), codecformat="jp2", reversible=True, level=0),
        b"P6 %d %d 65535\n" % (WIDTH, HEIGHT) + _pixels(20, 3, np.uint16).tobytes(),
    ]


def _avif() -> list[bytes]:
    return [
        _saved(_image(), "AVIF", exif=_exif()),
        _saved(_image("RGBA"), "AVIF", quality=100),
        imagecodecs.avif_encode(_pixels(21, 4, np.uint16) & 1023, level=90, bitspersample=10),
    ]


def _heif() -> list[bytes]:
    try:
        import pillow_heif
    except ImportError:
        return []
    pillow_heif.register_heif_opener()
    return [_saved(_image(), "HEIF"), _saved(_image("RGBA"), "HEIF")]


def _openraster() -> list[bytes]:
    mask = Mask(raster=Raster.of(_pixels(8)[..., 0].copy()), x=2, outside=255)
    below = Layer(name="below", raster=Raster.of(_pixels(9)), mask=mask)
    text = Layer(name="text", raster=Raster.of(_pixels(10)), text=TextContent(text="Hello"), clipped=True)
    group = Group(name="group", children=(below, text), blend_mode=BlendMode.SCREEN)
    curves = Adjustment(name="curves", settings=Curves(red=((0.0, 0.1), (1.0, 0.9))), mask=mask)
    passing = Group(name="passing", children=(Adjustment(name="i", settings=Invert()),), isolated=False)
    rich = DocumentState(
        width=WIDTH, height=HEIGHT, layers=(group, curves, passing), active=below.id, selection=mask,
        icc_profile=colour.built_in_profile("adobe-rgb"), dpi=(150, 150),
    )  # fmt: skip
    deep = DocumentState.of_layer(Layer(name="deep", raster=Raster.of(_pixels(11, kind=np.uint16))))
    source = SourceMetadata(exif=_exif().tobytes(), text={"parameters": "a cat"})
    return [
        _through_a_file("a.ora", lambda path, state=state: save_project(state, source, path))
        for state in (rich, deep)
    ]


def _psd() -> list[bytes]:
    from psd_tools import PSDImage

    files: list[bytes] = []
    for depth in (8, 16):
        document: Any = PSDImage.new("RGB", (WIDTH, HEIGHT), depth=depth)
        floats = _pixels(12).astype(np.float32) / 255
        group = document.create_group(name="group")
        layer = group.create_pixel_layer_from_array(floats, name="inside")
        if depth == 8:
            layer.create_mask(_image("L"))
        document.create_pixel_layer_from_array(floats, name="clipped").clipping = True
        files.append(_through_a_file("a.psd", document.save))
    files += [_through_a_file("a.psd", PSDImage.frompil(_image(mode)).save) for mode in ("L", "CMYK", "RGB")]
    return files


_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "tiff": _tiff,
    "raw": _raw,
    "jxl": _jxl,
    "light": _light,
    "other": _other,
    "avif": _avif,
    "heif": _heif,
    "openraster": _openraster,
    "psd": _psd,
}
