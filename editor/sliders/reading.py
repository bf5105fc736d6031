"""What the sliders of one generated layer show: values, ranges, pictures, maps. Nothing here changes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from editor.document.document import Document
from editor.layers.recipes import Recipe, Subject
from editor.pixels.raster import Raster
from editor.sliders.draft import Slider, SliderDraft
from editor.sliders.pictures import SliderPictures
from editor.sliders.requests import pose_of
from editor.sliders.spacing import Track


class SliderReading(QObject):
    """The reading half of an `AttributeSession`."""

    def __init__(
        self,
        document: Document,
        layer_id: str,
        draft: SliderDraft,
        pictures: SliderPictures,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._layer_id = layer_id
        self._draft = draft
        self._pictures = pictures

    @property
    def document(self) -> Document:
        return self._document

    @property
    def layer_id(self) -> str:
        return self._layer_id

    @property
    def model(self) -> str:
        return self._draft.model

    @property
    def prompt(self) -> str:
        return self._draft.recipe.prompt

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self._draft.subjects

    @property
    def recipe(self) -> Recipe:
        """The recipe as the sliders stand now, computed or not."""
        return self._draft.recipe

    @property
    def delay(self) -> float:
        return self._draft.delay

    @property
    def only_subject(self) -> bool:
        """Whether everything outside of the edited subjects stays as it is."""
        return self._draft.only_subject

    @property
    def has_seed(self) -> bool:
        """Whether another seed gives another picture."""
        return self._draft.recipe.has_seed

    @property
    def lacks_picture(self) -> bool:
        """Whether the photo that the layer was made from has another form now: it has to be made again."""
        return self._draft.recipe.lacks_picture

    @property
    def origin(self) -> tuple[str, int | None, str]:
        """Prompt, seed and picture: what gives another picture before any slider is moved."""
        return self._draft.recipe.origin

    @property
    def seed(self) -> int:
        return self._draft.seed

    @property
    def sliders(self) -> tuple[Slider, ...]:
        """The sliders, by subject and then in the order in which they were added."""
        return self._draft.sliders()

    def available_attributes(self, subject_index: int) -> tuple[tuple[str, str], ...]:
        """(attribute, label) of what the library has for this subject and that has no slider yet."""
        return tuple((info.attribute, info.label) for info in self._draft.available(subject_index))

    def value(self, subject_index: int, attribute: str) -> float:
        return self._draft.value(self._draft.key(subject_index, attribute))

    def track(self, subject_index: int, attribute: str) -> Track:
        """From the slider's values to places along it, and where the picture breaks."""
        return self._draft.track(self._draft.key(subject_index, attribute))

    def keyframes(self, subject_index: int, attribute: str) -> tuple[tuple[float, Raster | None], ...]:
        """The slider's positions along its track and their pictures as far as they are known."""
        key, pose = self._draft.key(subject_index, attribute), pose_of(self._draft.recipe)
        return tuple(
            (value, self._pictures.cache.get(pose.moved({key: value}, self.delay)))
            for value in self._draft.positions(key)
        )

    def heat(self, subject_index: int) -> NDArray[np.float32] | None:
        """Where the model sees a subject: [h, w] in 0..1 over the layer's area; None while unknown."""
        return self._pictures.heat(self._draft.recipe, self.subjects[subject_index].span)
