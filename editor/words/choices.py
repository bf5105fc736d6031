"""Words for the values that settings of tools and operations choose from."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from inference.parameters import N_

CHOICES: Mapping[str, str] = {
    "replace": N_("Choices", "Replace"),
    "add": N_("Choices", "Add"),
    "subtract": N_("Choices", "Subtract"),
    "intersect": N_("Choices", "Intersect"),
    "free": N_("Choices", "Free"),
    "ratio": N_("Choices", "Fixed ratio"),
    "size": N_("Choices", "Fixed size"),
    "original": N_("Choices", "Original"),
    "custom": N_("Choices", "Custom"),
    "skew": N_("Choices", "Skew"),
    "perspective": N_("Choices", "Perspective"),
    "nearby": N_("Choices", "What lies nearby"),
    "chosen": N_("Choices", "A chosen place"),
    "foreground": N_("Choices", "Foreground colour"),
    "background": N_("Choices", "Background colour"),
    "transparent": N_("Choices", "Transparent"),
    "linear": N_("Choices", "Linear"),
    "radial": N_("Choices", "Radial"),
    "conical": N_("Choices", "Conical"),
    "reflected": N_("Choices", "Reflected"),
    "left": N_("Choices", "Left"),
    "centre": N_("Choices", "Centre"),
    "right": N_("Choices", "Right"),
    "neglect": N_("Choices", "Neglect"),
    "neglect+overlap": N_("Choices", "Neglect and overlap"),
    "divide-and-bind": N_("Choices", "Divide & Bind"),
    "syngen": N_("Choices", "SynGen"),
    "initno": N_("Choices", "InitNO"),
    "none": N_("Choices", "None"),
    "ddim": N_("Choices", "DDIM"),
    "ddpm": N_("Choices", "DDPM"),
    "lcm": N_("Choices", "LCM (few steps)"),
    "euler": N_("Choices", "Euler"),
    "euler-a": N_("Choices", "Euler a (draws noise)"),
    "dpm++2m": N_("Choices", "DPM++ 2M"),
    "dpm++2m-karras": N_("Choices", "DPM++ 2M Karras"),
    "text+latents": N_("Choices", "Words and picture"),
    "text": N_("Choices", "Words"),
    "latents": N_("Choices", "Picture"),
    "plug-and-play": N_("Choices", "Plug-and-Play"),
    "no-inversion": N_("Choices", "Without inversion"),
    "one-copy": N_("Choices", "One noised copy"),
    "redraw": N_("Choices", "Redraw only"),
    "naive": N_("Choices", "From words, in moments"),
    "learned": N_("Choices", "From pictures, takes long"),
    "picture": N_("Choices", "From a picture of yours"),
    "pair": N_("Choices", "From two pictures, before and after"),
    "object": N_("Choices", "A thing"),
    "person": N_("Choices", "A person"),
    "style": N_("Choices", "A style"),
    "directional": N_("Choices", "Directional, easier to put elsewhere"),
    "plain": N_("Choices", "Plain, as first published"),
    "constant": N_("Choices", "Constant"),
    "cosine": N_("Choices", "Cosine"),
    "constant-1000x10": N_("Choices", "Constant, 1000 × 10"),
    "constant-1000x8": N_("Choices", "Constant, 1000 × 8"),
    "constant-2000x8": N_("Choices", "Constant, 2000 × 8"),
    "cosine-1000x5": N_("Choices", "Cosine, 1000 × 5"),
    "cosine-500x8": N_("Choices", "Cosine, 500 × 8"),
    "full": N_("Choices", "All of it"),
    "model": N_("Choices", "One network at a time"),
    "eight-bit": N_("Choices", "One network at a time, in 8 bits"),
    "group": N_("Choices", "One block at a time"),
    "sequential": N_("Choices", "One layer at a time"),
    "exact": N_("Choices", "As they are"),
    "int8": N_("Choices", "In 8 bits (int8)"),
    "float8": N_("Choices", "In 8 bits (float8)"),
}
"""By value, under the context "Choices"; what is not here, such as "16:9", speaks for itself."""


def choice_text(choice: str) -> str:
    """A choice as the window says it."""
    return QCoreApplication.translate("Choices", CHOICES.get(choice, choice))
