"""Colour spaces that files declare otherwise than by an ICC profile: code points, chromaticities, EXIF.

Code points are those of ITU-T H.273 (cICP in PNG, nclx in AVIF and HEIF). Where a profile of the matrix and
curve kind says the same, it is made; high dynamic range has none, and is said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats.boxes import Properties
from editor.formats.carried import profile_of
from inference.messages import Message

_D65, _DCI_WHITE, _C = (0.3127, 0.3290), (0.314, 0.351), (0.310, 0.316)
_SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_PRIMARIES: Mapping[int, tuple[str, tuple[tuple[float, float], ...], tuple[float, float]]] = {
    1: ("BT.709", _SRGB_PRIMARIES, _D65),
    4: ("BT.470 M", ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _C),
    5: ("BT.601 625", ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), _D65),
    6: ("BT.601 525", ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), _D65),
    7: ("SMPTE 240M", ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), _D65),
    9: ("Rec. 2020", ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), _D65),
    11: ("DCI-P3", ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), _DCI_WHITE),
    12: ("Display P3", ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), _D65),
}
_UNSPECIFIED = 2
_HDR = {16: "PQ", 18: "HLG"}
_SRGB_CURVE, _LINEAR = 13, 8
_BT_709_CURVES = (1, 6, 14, 15)
_GAMMAS = {4: 2.2, 5: 2.8, 17: 2.6}
_USUAL_GAMMA, _SAME_GAMMA = 2.2, 0.03  # so near to sRGB's that sRGB is meant
_SENSELESS = Message("The picture's gamma or chromaticities make no sense and were left out; sRGB was taken.")
_EXIF_FOLDER, _INTEROP_FOLDER, _COLOUR_SPACE, _INTEROP_INDEX = 0x8769, 0xA005, 0xA001, 1
_UNCALIBRATED, _ADOBE_BY_SOME = 65535, 2


def declared_profile(image: Image.Image, notes: list[Message]) -> bytes:
    """The ICC profile of an image, else what EXIF says; b"" is sRGB."""
    if image.info.get("icc_profile"):
        return profile_of(image, notes)
    return colour.built_in_profile("adobe-rgb") if _is_adobe_rgb(image) else b""


def of_code_points(primaries: int, transfer: int, notes: list[Message]) -> bytes:
    """A profile that says the same as code points of H.273; b"" for sRGB, and for what has none (noted)."""
    if transfer in _HDR:
        name = _PRIMARIES[primaries][0] if primaries in _PRIMARIES else "its own primaries"
        notes.append(
            Message(
                "The picture has a high dynamic range ({hdr}, {name}); its values were taken as "
                "sRGB, so it looks flat.",
                hdr=_HDR[transfer],
                name=name,
            )
        )
        return b""
    primaries = 1 if primaries == _UNSPECIFIED else primaries
    transfer = _SRGB_CURVE if transfer == _UNSPECIFIED else transfer
    if (primaries, transfer) == (1, _SRGB_CURVE):
        return b""
    curve = _curve_of(transfer)
    if primaries not in _PRIMARIES or curve is None:
        notes.append(
            Message(
                "The picture's colour space (code points {primaries}/{transfer}) is not known; sRGB "
                "was taken.",
                primaries=primaries,
                transfer=transfer,
            )
        )
        return b""
    name, chromaticities, white = _PRIMARIES[primaries]
    return icc.matrix_profile(name, chromaticities, white, curve)


def of_boxes(said: Properties, image: Image.Image, notes: list[Message]) -> bytes:
    """AVIF and HEIF: an ICC profile counts before code points."""
    if image.info.get("icc_profile") or said.code_points is None:
        return declared_profile(image, notes)
    return of_code_points(*said.code_points, notes)


def of_png(small: Mapping[bytes, bytes], image: Image.Image, notes: list[Message]) -> bytes:
    """By the order of the PNG specification: cICP, iCCP, sRGB, then gAMA and cHRM; else what EXIF says."""
    points = small.get(b"cICP", b"")
    if len(points) >= 4:
        return of_code_points(points[0], points[1], notes)
    if image.info.get("icc_profile") or b"sRGB" in small:
        return declared_profile(image, notes) if image.info.get("icc_profile") else b""
    if b"gAMA" in small or b"cHRM" in small:
        return _of_gamma(small, notes)
    return declared_profile(image, notes)


def _of_gamma(small: Mapping[bytes, bytes], notes: list[Message]) -> bytes:
    try:
        exponent = struct.unpack(">I", small[b"gAMA"])[0] / 100_000 if b"gAMA" in small else 1 / _USUAL_GAMMA
        corners = (
            [value / 100_000 for value in struct.unpack(">8i", small[b"cHRM"])] if b"cHRM" in small else []
        )
    except struct.error:
        return b""
    gamma = 1 / exponent if exponent > 0 else 0.0
    white = (corners[0], corners[1]) if corners else _D65
    primaries = tuple(zip(corners[2::2], corners[3::2])) if corners else _SRGB_PRIMARIES
    usual = abs(gamma - _USUAL_GAMMA) <= _SAME_GAMMA
    if usual and np.allclose((white, *primaries), (_D65, *_SRGB_PRIMARIES), atol=0.002):
        return b""
    curve = (
        icc.sampled_curve(_srgb_light) if usual and not corners else icc.gamma_curve(min(max(gamma, 0), 200))
    )
    if 0.1 <= gamma <= 10 and all(y > 0 for _, y in (white, *primaries)):
        profile = _made(primaries, white, curve)
        if profile:
            return profile
    notes.append(_SENSELESS)
    return b""


def of_chromaticities(
    primaries: tuple[tuple[float, float], ...], white: tuple[float, float], notes: list[Message]
) -> bytes:
    """A profile of primaries and white, (x, y) each, with the curve of sRGB; b"" for sRGB's own."""
    if np.allclose((white, *primaries), (_D65, *_SRGB_PRIMARIES), atol=0.002):
        return b""
    possible = np.isfinite((white, *primaries)).all() and all(y > 0 for _, y in (white, *primaries))
    profile = _made(primaries, white, icc.sampled_curve(_srgb_light)) if possible else b""
    if not profile:
        notes.append(_SENSELESS)
    return profile


def _made(primaries: tuple[tuple[float, float], ...], white: tuple[float, float], curve: bytes) -> bytes:
    """A profile that can be used; b"" if these chromaticities span no colours."""
    try:
        profile = icc.matrix_profile("Chromaticities of the file", primaries, white, curve)
    except (np.linalg.LinAlgError, struct.error, OverflowError, ValueError, ZeroDivisionError):
        return b""
    return profile if icc.shaper_of(profile) is not None and colour.is_usable(profile) else b""


def _curve_of(transfer: int) -> bytes | None:
    if transfer == _SRGB_CURVE:
        return icc.sampled_curve(_srgb_light)
    if transfer in _BT_709_CURVES:
        return icc.sampled_curve(_bt_709_light)
    if transfer == _LINEAR:
        return icc.gamma_curve(1.0)
    return icc.gamma_curve(_GAMMAS[transfer]) if transfer in _GAMMAS else None


def _srgb_light(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _bt_709_light(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.709-6, item 1.2, the other way round."""
    return np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Whether EXIF says Adobe RGB: R03 beside "uncalibrated" (DCF's way), or a number of some cameras."""
    try:
        exif = image.getexif()
        folder = exif.get_ifd(_EXIF_FOLDER) if _EXIF_FOLDER in exif else {}
        space = folder.get(_COLOUR_SPACE)
        index = exif.get_ifd(_INTEROP_FOLDER).get(_INTEROP_INDEX) if _INTEROP_FOLDER in folder else None
    except Exception:  # noqa: BLE001 - whatever is wrong with EXIF, it says nothing then
        return False
    text = index.decode("ascii", "replace") if isinstance(index, bytes) else str(index or "")
    return space == _ADOBE_BY_SOME or (space == _UNCALIBRATED and text.startswith("R03"))


Declared = Callable[[Image.Image, list[Message]], bytes]
"""How a format finds the profile of an image."""
