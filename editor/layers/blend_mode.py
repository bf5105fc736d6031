"""Blend modes: those that OpenRaster, Krita and Photoshop files share."""

from enum import Enum

from inference.parameters import N_


class BlendMode(Enum):
    """Blend modes; the value is OpenRaster's `composite-op` (Krita's own ones begin with "krita:")."""

    NORMAL = "svg:src-over"
    DARKEN = "svg:darken"
    MULTIPLY = "svg:multiply"
    COLOUR_BURN = "svg:color-burn"
    LINEAR_BURN = "krita:linear_burn"
    DARKER_COLOUR = "krita:darker color"
    LIGHTEN = "svg:lighten"
    SCREEN = "svg:screen"
    COLOUR_DODGE = "svg:color-dodge"
    PLUS = "svg:plus"
    LINEAR_DODGE = "krita:add"
    LIGHTER_COLOUR = "krita:lighter color"
    OVERLAY = "svg:overlay"
    SOFT_LIGHT = "svg:soft-light"
    HARD_LIGHT = "svg:hard-light"
    VIVID_LIGHT = "krita:vivid_light"
    LINEAR_LIGHT = "krita:linear light"
    PIN_LIGHT = "krita:pin_light"
    HARD_MIX = "krita:hard_mix_photoshop"
    DIFFERENCE = "svg:difference"
    EXCLUSION = "krita:exclusion"
    SUBTRACT = "krita:subtract"
    DIVIDE = "krita:divide"
    HUE = "svg:hue"
    SATURATION = "svg:saturation"
    COLOUR = "svg:color"
    LUMINOSITY = "svg:luminosity"
    SOURCE_ATOP = "svg:src-atop"
    DESTINATION_IN = "svg:dst-in"
    DESTINATION_OUT = "svg:dst-out"
    DESTINATION_ATOP = "svg:dst-atop"

    @property
    def label(self) -> str:
        """English name under the translation context "BlendMode"."""
        return _LABELS[self]


_LABELS = {
    BlendMode.NORMAL: N_("BlendMode", "Normal"),
    BlendMode.DARKEN: N_("BlendMode", "Darken"),
    BlendMode.MULTIPLY: N_("BlendMode", "Multiply"),
    BlendMode.COLOUR_BURN: N_("BlendMode", "Colour burn"),
    BlendMode.LINEAR_BURN: N_("BlendMode", "Linear burn"),
    BlendMode.DARKER_COLOUR: N_("BlendMode", "Darker colour"),
    BlendMode.LIGHTEN: N_("BlendMode", "Lighten"),
    BlendMode.SCREEN: N_("BlendMode", "Screen"),
    BlendMode.COLOUR_DODGE: N_("BlendMode", "Colour dodge"),
    BlendMode.PLUS: N_("BlendMode", "Plus"),
    BlendMode.LINEAR_DODGE: N_("BlendMode", "Linear dodge (add)"),
    BlendMode.LIGHTER_COLOUR: N_("BlendMode", "Lighter colour"),
    BlendMode.OVERLAY: N_("BlendMode", "Overlay"),
    BlendMode.SOFT_LIGHT: N_("BlendMode", "Soft light"),
    BlendMode.HARD_LIGHT: N_("BlendMode", "Hard light"),
    BlendMode.VIVID_LIGHT: N_("BlendMode", "Vivid light"),
    BlendMode.LINEAR_LIGHT: N_("BlendMode", "Linear light"),
    BlendMode.PIN_LIGHT: N_("BlendMode", "Pin light"),
    BlendMode.HARD_MIX: N_("BlendMode", "Hard mix"),
    BlendMode.DIFFERENCE: N_("BlendMode", "Difference"),
    BlendMode.EXCLUSION: N_("BlendMode", "Exclusion"),
    BlendMode.SUBTRACT: N_("BlendMode", "Subtract"),
    BlendMode.DIVIDE: N_("BlendMode", "Divide"),
    BlendMode.HUE: N_("BlendMode", "Hue"),
    BlendMode.SATURATION: N_("BlendMode", "Saturation"),
    BlendMode.COLOUR: N_("BlendMode", "Colour"),
    BlendMode.LUMINOSITY: N_("BlendMode", "Luminosity"),
    BlendMode.SOURCE_ATOP: N_("BlendMode", "Source atop"),
    BlendMode.DESTINATION_IN: N_("BlendMode", "Destination in"),
    BlendMode.DESTINATION_OUT: N_("BlendMode", "Destination out"),
    BlendMode.DESTINATION_ATOP: N_("BlendMode", "Destination atop"),
}
