"""What may go wrong and what the image engine says, in the window's language.

Errors and notes are made with their values in place, on any thread and without Qt. The window finds the text
that one was made from in this list and translates that. What is not in the list is shown as it is.
"""

from __future__ import annotations

import re
from functools import cache

from PySide6.QtCore import QCoreApplication

from inference.errors import EditorError
from inference.parameters import N_

_ANY = r"(.*?)"


def translated(text: str) -> str:
    """An error's message or hint in the window's language, line by line."""
    return "\n".join(_line(line) for line in text.split("\n"))


def shown(error: EditorError) -> str:
    """An error in one line: what is wrong and what to do."""
    return f"{translated(error.message)} {translated(error.hint)}".strip()


def _line(text: str) -> str:
    for source, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return QCoreApplication.translate("Errors", source).format(*found.groups())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Texts and what finds them; those with the fewest gaps come first, so that the closest one is taken."""
    ordered = sorted(TEXTS, key=lambda text: (text.count("{"), -len(text)))
    return tuple((text, re.compile(_expression(text))) for text in ordered)


def _expression(text: str) -> str:
    return _ANY.join(re.escape(part) for part in re.split(r"\{\d\}", text))


TEXTS = (
    N_("Errors", "“{0}” could not be written: {1}."),
    N_("Errors", "Free some space, or choose another place."),
    N_("Errors", "You may not write there: choose another folder."),
    N_("Errors", "Is the drive connected, and the folder there? Choose another place."),
    N_("Errors", "There is no file “{0}”."),
    N_("Errors", "Check the name."),
    N_("Errors", "“{0}” is a folder."),
    N_("Errors", "Choose a picture in it."),
    N_("Errors", "“{0}” cannot be read: {1}."),
    N_("Errors", "“{0}” is empty."),
    N_("Errors", "“{0}” is no picture that Attune reads."),
    N_("Errors", "It opens PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIF, OpenRaster and Photoshop files."),
    N_("Errors", "“{0}” is too large to be opened: {1}."),
    N_("Errors", "“{0}” does not fit into memory."),
    N_("Errors", "Close other programs, or make it smaller."),
    N_("Errors", "“{0}” is damaged or incomplete: {1}."),
    N_("Errors", "Get the file again."),
    N_("Errors", "“{0}” has {1} × {2} pixels; that is no picture."),
    N_("Errors", "“{0}” has {1} × {2} pixels; Attune opens up to {3} megapixels and {4} pixels on a side."),
    N_("Errors", "Make it smaller with another program first."),
    N_("Errors", "“{0}” is a HEIF picture, which needs the library pillow-heif."),
    N_("Errors", "Install pillow-heif, or convert the picture to JPEG or PNG."),
    N_("Errors", "AVIF is not supported by this installation's Pillow."),
    N_("Errors", "Choose WebP or JPEG."),
    N_("Errors", "The picture has {0} × {1} pixels; JPEG holds up to {2} on a side."),
    N_("Errors", "Export it as PNG or TIFF, or smaller."),
    N_("Errors", "The picture has {0} × {1} pixels; WebP holds up to {2} on a side."),
    N_("Errors", "Export it as PNG or JPEG."),
    N_("Errors", "The picture has {0} GB; TIFF holds up to 4 GB."),
    N_("Errors", "Export it as PNG, or smaller."),
    N_("Errors", "“{0}” is a damaged OpenRaster file: {1}."),
    N_("Errors", "“{0}” is damaged or incomplete."),
    N_("Errors", "The document holds no flattened picture."),
    N_("Errors", "Save it in RGB with Photoshop."),
    N_("Errors", "A project is saved as .ora, not “{0}”."),
    N_("Errors", "Use Export for other formats."),
    N_("Errors", "Something went wrong inside Attune."),
    N_("Errors", "The colour profile is damaged."),
    N_("Errors", "Choose another one."),
    N_("Errors", "The colour profile cannot be used for RGB pixels."),
    N_("Errors", "That colour profile cannot be used."),
    N_("Errors", "It is damaged, or not for RGB pictures."),
    N_("Errors", "This layer has no prompt, so it has no subjects."),
    N_("Errors", "Choose a generated layer."),
    N_("Errors", "“{0}” is not in the prompt."),
    N_("Errors", "That area lies outside the picture."),
    N_("Errors", "Choose a part of the picture."),
    N_("Errors", "Nothing is selected."),
    N_("Errors", "Select the part to keep."),
    N_("Errors", "The selection lies outside the picture."),
    N_("Errors", "Select a part of the picture."),
    N_("Errors", "The picture is empty."),
    N_("Errors", "There is nothing to trim it to."),
    N_("Errors", "A picture cannot be {0} × {1} pixels."),
    N_("Errors", "Each side is 1 to {0}."),
    N_("Errors", "A picture of {0} × {1} pixels is too large."),
    N_("Errors", "At most {0} megapixels are possible."),
    N_("Errors", "The chosen layers have no pixels."),
    N_("Errors", "Choose a layer with pixels."),
    N_("Errors", "“{0}” has a mask already."),
    N_("Errors", "Delete or apply it first."),
    N_("Errors", "The transparency of “{0}” is locked."),
    N_("Errors", "Unlock it first."),
    N_("Errors", "“{0}” has no mask."),
    N_("Errors", "Add one first."),
    N_("Errors", "Select what the mask shall show."),
    N_("Errors", "There is nothing below to merge with."),
    N_("Errors", "Choose a layer that lies above another."),
    N_("Errors", "“{0}” is an adjustment and has no pixels to merge into."),
    N_("Errors", "Only one layer is chosen."),
    N_("Errors", "Choose two or more in the Layers panel."),
    N_("Errors", "None of the chosen layers has pixels that show."),
    N_("Errors", "“{0}” is no group."),
    N_("Errors", "Choose a group in the Layers panel."),
    N_("Errors", "“{0}” has no pixels that show."),
    N_("Errors", "Nothing is visible."),
    N_("Errors", "Show a layer first."),
    N_("Errors", "These layers have no pixels that show."),
    N_("Errors", "“{0}” is hidden."),
    N_("Errors", "Show it first: what is hidden is not merged."),
    N_("Errors", "Layer “{0}” is locked."),
    N_("Errors", "Unlock it in the Layers panel first."),
    N_("Errors", "The position of “{0}” is locked."),
    N_("Errors", "Nothing of “{0}” is selected."),
    N_("Errors", "Select a part of it."),
    N_("Errors", "Select what shall be cut out."),
    N_("Errors", "Select something inside it."),
    N_("Errors", "The angle is {0}°: allowed is -360 to 360."),
    N_("Errors", "A group cannot be put into itself."),
    N_("Errors", "A document needs at least one layer."),
    N_("Errors", "Add another layer before deleting this one."),
    N_("Errors", "A document has at most {0} guides."),
    N_("Errors", "Remove some first."),
    N_("Errors", "The prompt is empty."),
    N_("Errors", "Say in words what the picture shows."),
    N_("Errors", "A layer made by {0} has no attribute sliders."),
    N_("Errors", "This layer has no prompt to refine."),
    N_("Errors", "No subject is chosen."),
    N_("Errors", "Click the words of the prompt that have to be seen, or use Suggest."),
    N_("Errors", "Where the model looks is not known for this subject."),
    N_("Errors", "The distance is {0} px: allowed is more than 0 and up to {1}."),
    N_("Errors", "The radius is {0} px: allowed is more than 0 and up to {1}."),
    N_("Errors", "There is no attention map of this subject."),
    N_("Errors", "Generate the picture again, then select the subject."),
    N_("Errors", "Select a part of the picture first."),
    N_("Errors", "Nothing would be selected."),
    N_("Errors", "The selection stays as it was."),
    N_("Errors", "This layer has no subjects."),
    N_("Errors", "Choose a generated layer and click on words."),
    N_("Errors", "This layer has no prompt and seed, so it has no sliders."),
    N_("Errors", "There is no attribute “{0}” for “{1}” on {2}."),
    N_("Errors", "This layer has no seed, so it has no variations."),
    N_("Errors", "A canvas cannot be {0} × {1} pixels."),
    N_("Errors", "Use 1 to {0} for each side."),
    N_("Errors", "A canvas of {0} × {1} pixels is too large."),
    N_("Errors", "Use up to {0} megapixels."),
    N_("Errors", "That layer is no longer in the document."),
    N_("Errors", "“{0}” has no pixels of its own."),
    N_("Errors", "There is nothing to paint from yet."),
    N_("Errors", "Hold Alt and click on the part to copy."),
    N_("Errors", "The chosen layer has no pixels of its own."),
    N_("Errors", "Sample all layers instead."),
    N_("Errors", "No layer is chosen."),
    N_("Errors", "Choose a layer in the Layers panel."),
    N_("Errors", "Choose a layer with pixels, or a mask."),
    N_("Errors", "“{0}” is a text."),
    N_("Errors", "Turn it into pixels first, in the Layer menu."),
    N_("Errors", "Layer “{0}” is hidden."),
    N_("Errors", "Show it in the Layers panel first."),
    N_("Errors", "The layer changed in the meantime, so nothing was painted."),
    N_("Errors", "Try it again."),
    N_("Errors", "This point is too dark to tell the colour of the light."),
    N_("Errors", "Pick a lighter grey."),
    N_("Errors", "The unsaved work takes more room than recovery may use."),
    N_("Errors", "Save it as a project, or allow more in the settings."),
    N_("Errors", "There is no model “{0}”."),
    N_("Errors", "There are: {0}. A path or a hub id (owner/name) works as well."),
    N_("Errors", "“{0}” is not on this machine."),
    N_("Errors", "“{0}” could not be downloaded: {1}."),
    N_("Errors", "Check the name and the network."),
    N_("Errors", "“{0}” is built in and cannot be removed."),
    N_("Errors", "“{0}” is damaged."),
    N_("Errors", "The prompt is too long for this model; these words fell off: “{0}”."),
    N_("Errors", "The model reads {0} tokens and the prompt has {1}: shorten it."),
    N_("Errors", "There is not enough memory{0} with {1}."),
    N_("Errors", "Choose a smaller size or a smaller model, or close other programs."),
    N_("Errors", "The image engine stopped unexpectedly ({0})."),
    N_("Errors", "It starts again with the next job. If this repeats, try a smaller picture or model."),
    N_("Errors", "The device “{0}” is not available."),
    N_("Errors", "{0} is {1}: {2}."),
    N_("Errors", "The settings could not be read ({0}); the defaults are used. The old file is {1}."),
    N_("Errors", "A setting was out of range and is back at its default: {0}"),
    N_("Errors", "Starting the image engine…"),
    N_("Errors", "Loading {0}… {1} %"),
    N_("Errors", "Loading {0}…"),
    N_("Errors", "{0} could not be loaded: {1}"),
    N_(
        "Errors",
        "Another program changed the file: its layers were opened as they are there, "
        "without the masks, adjustments, texts and recipes that only Attune knows.",
    ),
    N_("Errors", "Layers in another colour profile were converted to that of the lowest one."),
    N_("Errors", "None of the document's layers could be opened; it was opened flattened."),
    N_("Errors", "Some long EXIF entries were left out: EXIF in a JPEG holds 64 KB."),
    N_("Errors", "The XMP of the opened file was left out: it is too long for this format."),
    N_("Errors", "The camera maker's own notes were left out: EXIF in a JPEG holds 64 KB."),
    N_("Errors", "The document has 32 bits a channel; it was opened with 16, brighter values cut off."),
    N_("Errors", "The file holds more than one picture; the first was opened."),
    N_("Errors", "The picture has 16 bits a channel; it was opened with 8."),
    N_("Errors", "The picture has more than 8 bits a channel; it was opened with 8."),
    N_("Errors", "The picture was converted from its colour profile for grey to sRGB."),
    N_("Errors", "The picture's colour profile for grey cannot be read and was left out."),
    N_("Errors", "The picture's colour profile is damaged and was left out."),
    N_("Errors", "The picture was converted from {0} to sRGB."),
    N_("Errors", "The document is in {0}; it was opened flattened, in sRGB."),
    N_("Errors", "“{0}” was opened as pixels."),
    N_("Errors", "“{0}” uses the blend mode “{1}”, which is shown as normal."),
    N_("Errors", "The weights of {0} are not those this was first made with."),
    N_("Errors", "Memory ran out; repeated with less of the model in memory ({0} offload)."),
)
"""With {0}, {1} … in place of values."""
