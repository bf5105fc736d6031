"""Pictures to other programs and back, and our own as they were."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QByteArray, QMimeData, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from editor.colour import conversion as colour
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.pixels.qimages import from_qimage, to_qimage
from editor.rendering.compositing import composite
from tests.editor.controllers.receivers import Bench
from tests.editor.edits.trees import mask, tree
from tests.editor.samples import noise


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    QGuiApplication.clipboard().clear()
    made = Bench(tree(selection=mask(5)), tmp_path, qtbot)
    yield made
    made.close()


def active(bench: Bench) -> Layer:
    bench.settle()
    return bench.document.state.layer(bench.state.active)


def put(**data: object) -> None:
    mime = QMimeData()
    if "png" in data:
        mime.setData("image/png", QByteArray(data["png"]))  # type: ignore[arg-type]
    if "image" in data:
        mime.setImageData(data["image"])
    if "urls" in data:
        mime.setUrls(data["urls"])  # type: ignore[arg-type]
    QGuiApplication.clipboard().setMimeData(mime)


def test_another_program_gets_what_is_selected_as_png(bench: Bench) -> None:
    bench.document.set_active("bottom")
    bench.application.clipboard.copy()
    bench.settle()
    mime = QGuiApplication.clipboard().mimeData()
    pixels = from_qimage(QImage.fromData(mime.data("image/png")))
    bottom, share = bench.state.layer("bottom").pixels, mask(5).read(bench.state.area)
    area = mask(5).area.within(bench.state.area)
    assert np.array_equal(pixels[..., :3], bottom[area][..., :3])
    assert np.abs(pixels[..., 3] - bottom[area][..., 3] * (share[area] / 255)).max() <= 1
    assert np.array_equal(from_qimage(QGuiApplication.clipboard().image()), pixels)


def test_our_own_comes_back_in_its_place(bench: Bench) -> None:
    bench.document.set_active("bottom")
    bench.application.clipboard.cut()
    bench.settle()
    bench.application.clipboard.paste()
    part = active(bench)
    assert part.area == mask(5).area
    assert bench.steps() == ["Cut", "Paste"]
    total = bench.state.layer("bottom").pixels[..., 3].astype(int)
    total += composite([part], bench.state.area)[..., 3]
    assert np.abs(total - tree().layer("bottom").pixels[..., 3]).max() <= 1


def test_all_that_shows_can_be_copied(bench: Bench) -> None:
    bench.application.selection.clear()
    bench.application.clipboard.copy_merged()
    bench.settle()
    assert np.array_equal(from_qimage(QGuiApplication.clipboard().image()), bench.document.composite())
    bench.document.set_active("group")
    bench.application.clipboard.copy()
    bench.settle()
    bench.application.clipboard.paste()
    assert active(bench).name == "group"


@pytest.mark.parametrize("kind", ["image", "png"])
def test_another_programs_picture_lands_in_the_middle_of_the_selection(bench: Bench, kind: str) -> None:
    picture = noise(1, 3, 2)
    image = to_qimage(picture)
    if kind == "image":
        put(image=image)
    else:
        from PySide6.QtCore import QBuffer

        buffer = QBuffer()
        image.save(buffer, "PNG")  # type: ignore[call-overload]
        put(png=buffer.data())
    bench.application.clipboard.paste()
    layer = active(bench)
    assert np.array_equal(layer.pixels, picture)
    assert (layer.x, layer.y) == (1 + (6 - 3) // 2, 2 + (5 - 2) // 2)


def test_colours_are_converted_and_depth_is_the_documents(bench: Bench) -> None:
    put(image=to_qimage(noise(1, 3, 2)))
    profile = colour.built_in_profile("display-p3")
    bench.document.swap_state(replace(bench.state, icc_profile=profile))
    bench.application.clipboard.paste()
    assert np.array_equal(active(bench).pixels, colour.from_srgb(noise(1, 3, 2), profile))


def test_a_picture_s_own_profile_counts(bench: Bench) -> None:
    profile = colour.built_in_profile("adobe-rgb")
    buffer = io.BytesIO()
    Image.fromarray(noise(1, 3, 2)).save(buffer, "PNG", icc_profile=profile)
    put(png=buffer.getvalue())
    bench.application.clipboard.paste()
    expected = colour.to_srgb(noise(1, 3, 2), profile)
    assert np.abs(active(bench).pixels.astype(int) - expected).max() <= 2  # Qt writes the profile anew


def test_sixteen_bits_survive_a_copy(tmp_path: Path, qtbot: QtBot) -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (4, 5, 4), np.uint16)
    deep = DocumentState.of_layer(Layer.of_pixels(name="deep", pixels=samples))
    bench = Bench(deep, tmp_path, qtbot)
    bench.application.clipboard.copy()
    bench.settle()
    bench.application.clipboard.paste()
    assert np.array_equal(active(bench).raster.array(), samples)
    bench.close()


def test_a_picture_becomes_a_document(bench: Bench) -> None:
    put(image=to_qimage(noise(1, 3, 2)))
    bench.application.clipboard.paste_as_document()
    bench.settle()
    made = bench.application.documents[-1]
    assert made is not bench.document
    assert (made.width, made.height, made.modified) == (3, 2, True)


def test_files_in_the_clipboard_are_opened_as_layers(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "sky.png"
    to_qimage(noise(1, 3, 2)).save(str(path))
    put(urls=[QUrl.fromLocalFile(str(path))])
    bench.application.clipboard.paste()
    bench.qtbot.wait_until(lambda: bench.state.node(bench.state.active).name == "sky", timeout=5000)


def test_no_picture_is_said(bench: Bench) -> None:
    QGuiApplication.clipboard().setText("words")
    bench.application.clipboard.paste()
    put(png=b"broken")
    bench.application.clipboard.paste()
    bench.settle()
    bench.document.set_active("invert")
    bench.application.clipboard.copy()
    bench.settle()
    assert bench.told == [
        "There is no picture in the clipboard.",
        "The clipboard's picture cannot be read.",
        "“invert” has no pixels of its own.",
    ]
