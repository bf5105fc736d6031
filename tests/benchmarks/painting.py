"""What painting costs on a picture of 24 megapixels.

Run with `python -m tests.benchmarks.painting`. The rivals: a dab composed by Pillow, a flood fill by OpenCV,
and OpenCV's seamless cloning of the same area from a given place.
"""

import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from editor import selection
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.pixels.raster import Area, Raster
from editor.tools.painting.dabs import Dabs, Tip
from editor.tools.painting.paint import Source
from editor.tools.painting.patches import Blemish, best_way, healed
from editor.tools.painting.stroke import Stroke, Touch
from editor.tools.painting.target import target_of

WIDTH, HEIGHT = 6000, 4000


def median_ms(action: Callable[[], object], times: int) -> float:
    action()
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def photo(dtype: type = np.uint8) -> np.ndarray:
    """A smooth picture with grain."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 210, (HEIGHT // 100, WIDTH // 100, 3), np.uint8)
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[..., :3] = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return pixels if dtype is np.uint8 else pixels.astype(np.uint16) * 257


def dab_ms(pixels: np.ndarray, size: float) -> float:
    """One dab with its composition and preview, moved along from dab to dab."""
    document = Document.from_layer(Layer(name="photo", raster=Raster.of(pixels)))
    source = Source.of_colour((200, 30, 30, 255))
    stroke = Stroke(document, target_of(document), lambda area: source, Dabs())
    places = iter(range(10_000))

    def dab() -> None:
        step = next(places)
        stroke.touch(Touch(500 + step * size / 10, 500 + step * 3.3, Tip(size, hardness=0.0)))
        stroke.show()

    return median_ms(dab, 100)


def pillow_dab_ms(pixels: np.ndarray, size: int) -> float:
    picture = Image.fromarray(pixels)
    round_tip = np.hypot(*np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]) < 1
    soft = Image.fromarray(round_tip.astype(np.uint8) * 128)
    colour = Image.new("RGBA", (size, size), (200, 30, 30, 255))

    def dab() -> None:
        part = picture.crop((500, 500, 500 + size, 500 + size))
        layer = colour.copy()
        layer.putalpha(soft)
        picture.paste(Image.alpha_composite(part, layer), (500, 500))

    return median_ms(dab, 50)


def wand_ms(pixels: np.ndarray) -> float:
    read = selection.layer_reader(Layer(name="photo", raster=Raster.of(pixels)))
    within = Area(0, 0, WIDTH, HEIGHT)
    return median_ms(lambda: selection.wand(read, within, (10, 10), 255 - 40), 3)


def opencv_fill_ms(pixels: np.ndarray) -> float:
    """The same flood on the colours at once, without alpha, 16 bits or a limit on memory."""
    picture = np.ascontiguousarray(pixels[..., :3])
    far = (255 - 40,) * 3

    def fill() -> None:
        mask = np.zeros((HEIGHT + 2, WIDTH + 2), np.uint8)
        flags = 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
        cv2.floodFill(picture, mask, (10, 10), (0, 0, 0), far, far, flags)

    return median_ms(fill, 3)


def heal_ms(pixels: np.ndarray) -> tuple[float, float]:
    """(ours with the search for a source, OpenCV's clone from a given one) of a stroke of 60 × 600 pixels."""
    read = selection.layer_reader(Layer(name="photo", raster=Raster.of(pixels)))
    area = Area(2000, 2000, 624, 84)
    share = np.zeros((84, 624), np.float32)
    share[12:-12, 12:-12] = 1
    blemish = Blemish(area, share, 60)

    def ours() -> None:
        healed(read, blemish, best_way(read, blemish, Area(0, 0, WIDTH, HEIGHT)))

    patch = np.ascontiguousarray(pixels[2200:2284, 2000:2624, :3])
    mask = (share * 255).astype(np.uint8)
    target = np.ascontiguousarray(pixels[1900:2300, 1900:2800, :3])

    def theirs() -> None:
        cv2.seamlessClone(patch, target, mask, (412, 142), cv2.NORMAL_CLONE)

    return median_ms(ours, 3), median_ms(theirs, 3)


def main() -> None:
    pixels = photo()
    rival = pillow_dab_ms(pixels, 200)
    for size in (200, 500):
        ours = dab_ms(pixels, size)
        print(
            f"soft dab {size} px, 8 bits: {ours:.2f} ms ({ours / rival:.2f} × Pillow, 200 px: {rival:.2f} ms)"
        )
    ours = dab_ms(photo(np.uint16), 200)
    print(f"soft dab 200 px, 16 bits: {ours:.2f} ms ({ours / rival:.2f} ×)")
    ours, rival = wand_ms(pixels), opencv_fill_ms(pixels)
    print(f"wand, contiguous, 24 MP: {ours:.0f} ms ({ours / rival:.2f} × OpenCV's flood of the colours)")
    ours, rival = heal_ms(pixels)
    print(
        f"healing 600 × 60 px: {ours:.0f} ms ({ours / rival:.2f} × OpenCV's seamless clone, {rival:.0f} ms)"
    )


if __name__ == "__main__":
    main()
