"""The operation `learn-concept`: a word for what photos show, by textual inversion, directional or plain.

A run is a chain of small units: a look at a photo, a pass of the loss, a held-out loss. Before each it can be
parked, and its state is all that the rest depends on; on the CPU a run that went on from it gives the same
bytes as an undisturbed one. Only the word's own rows are learnt: neither the model nor its tables change.
They stay float32, and the encoders take them in their own numbers.

It stops when the loss on held-out noise has not fallen for a while, and gives the rows of the lowest one.
"""

import io
import json
import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.backbones.base import Backbone
from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.concepts.names import checked_word, words_in
from inference.errors import EditorError
from inference.guidance import guided
from inference.inputs import Inputs
from inference.messages import Message
from inference.methods.concepts.kept import about
from inference.methods.concepts.looking import look
from inference.methods.concepts.objective import Objective
from inference.methods.concepts.photos import (
    WHOLE,
    Crop,
    crop_of,
    crop_of_alpha,
    moments_of,
    part_of,
)
from inference.methods.concepts.sentences import known_sentences
from inference.methods.concepts.state import ConceptState
from inference.methods.concepts.steps import (
    cosine_rate,
    directional_step,
    empty_moments,
    first_rows,
    kept_of_kind,
    near_their_kind,
    plain_step,
    row_lengths,
)
from inference.operations import LearnConcept
from inference.progress import Progress
from inference.prompts.learnt_words import LearntWord
from inference.request import Output, Pixels
from inference.sampling import advance, begin

DIRECTIONAL = "directional"
_CHECKS = 12  # held-out losses of a whole run
_MOST_HELD_OUT = 16  # samples of one of them
_PATIENCE = 4  # checks without a lower loss after which learning stops
_LEAST_DROP = 1e-3  # of the loss, to count as lower
_NEUTRAL = ("beautiful", "nice", "good")  # adjectives that say little: the first that is one token
_SHOWN_STEPS = 12
_THUMBNAIL_PX = 128
_JPEG_QUALITY = 85


def learn_concept(backbone: Backbone, parameters: LearnConcept, inputs: Inputs, progress: Progress) -> Output:
    """No pictures; the artifact "concept" is a concept's file, "report" the losses and parts as JSON.

    Raises:
        EditorError: the name or the word cannot be used, the samples are too few for one change, the model
            cannot be learnt with in this memory mode, the checkpoint to go on from is none of this run, or it
            diverged at once.
    """
    if not backbone.allows_gradients_of_words:
        raise EditorError(
            "A word can only be learnt while the whole of {model} is in memory.",
            "Switch “Low memory” on, close other programs, or choose a smaller model.",
            model=backbone.name,
        )
    with progress.phase("learn"):
        run = _Run(backbone, parameters, [inputs.pixels(one) for one in parameters.images], progress)
        state = run.state(inputs.resume)
        diverged = False
        while not diverged and not run.is_over(state):
            progress.checkpoint(state.to_bytes)
            diverged = not run.unit(state)
    return _output(run, state, diverged=diverged)


class _Run:
    """What is fixed for the whole run."""

    def __init__(
        self, backbone: Backbone, parameters: LearnConcept, images: Sequence[Pixels], progress: Progress
    ) -> None:
        if not images:
            raise EditorError("There are no photos.", "Choose three to five of one subject.")
        if parameters.crops and len(parameters.crops) != len(images):
            raise ValueError(f"{len(parameters.crops)} parts of {len(images)} photos")
        self.backbone = backbone
        self.parameters = parameters
        self.progress = progress
        self.images = images
        self.word = checked_word(parameters.token)
        self.kind = " ".join(parameters.initialise_from.split())
        written = next(iter(words_in(self.kind)), None)
        if written is not None:  # it would be read as signs, and learning begin at a bracket
            raise EditorError(
                "What a concept is a kind of is a word of the language, and “{word}” is written as a "
                "concept is.",
                "Write one such as “{example}”.",
                word=written,
                example="cat",
            )
        self.width, self.height = backbone.defaults.width, backbone.defaults.height
        rows = backbone.token_vectors(self.kind) if self.kind else dict[str, Tensor]()
        # T5's part is read as the word's kind: it has no fixed place among its columns
        self.kind_rows = {name: value.cpu() for name, value in rows.items() if name != "t5" and len(value)}
        if not self.kind_rows:
            raise EditorError(
                "There is no word that the concept is a kind of.",
                "Name one, such as “{example}”: learning begins there.",
                example="cat",
            )
        self.neutral = _neutral_rows(backbone) if parameters.template != "style" else {}
        self.lengths = {name: float(row_lengths(rows).mean()) for name, rows in self.kind_rows.items()}
        self.a_change = parameters.batch * parameters.accumulation
        self.held_out = max(2, min(_MOST_HELD_OUT, parameters.samples // 16))
        self.every = max(1, math.ceil(parameters.samples / _CHECKS / self.a_change))
        needed = self.a_change + 2 * self.held_out
        if parameters.samples < needed:
            raise EditorError(
                "{samples} samples are too few to learn anything: one change and the losses around it take "
                "{needed}.",
                "Choose more samples, or a smaller batch or accumulation.",
                samples=parameters.samples,
                needed=needed,
            )

    def state(self, resume: bytes | None) -> ConceptState:
        count = self.parameters.vectors
        if resume is not None:
            shapes = {name: (count, int(rows.shape[1])) for name, rows in self.kind_rows.items()}
            state = ConceptState.from_bytes(resume, shapes, self._name)
            if len(state.crops) > len(self.images) or state.micro >= self.parameters.accumulation:
                raise EditorError("The checkpoint does not fit the run.", "Begin again.")
            return state
        generator = torch.Generator("cpu").manual_seed(self.parameters.seed)
        is_directional = self.parameters.method == DIRECTIONAL
        rows = {
            name: first_rows(
                kind, count, self.lengths[name] if is_directional else None, generator, self.neutral.get(name)
            )
            for name, kind in self.kind_rows.items()
        }
        average, square = empty_moments(rows)
        gradient, _ = empty_moments(rows)
        best = {name: value.clone() for name, value in rows.items()}
        return ConceptState(
            rows=rows,
            average=average,
            square=square,
            gradient=gradient,
            best=best,
            generator=generator,
            run=self._name,
            about=about(self.texts),
            crops=list(self.parameters.crops),
        )

    @property
    def texts(self) -> dict[str, str]:
        return {
            "word": self.word,
            "kind": self.kind,
            "template": self.parameters.template,
            "model": self.backbone.name,
            "model_hash": self.backbone.model_hash,
            "family": self.backbone.family.value,
        }

    @property
    def _name(self) -> str:
        """All that decides the result."""
        return json.dumps([self.backbone.model_hash, self.parameters.to_json()], sort_keys=True)

    # what a run does

    def is_over(self, state: ConceptState) -> bool:
        if len(state.crops) < len(self.images) or state.micro or self._is_check_due(state):
            return False
        return self._is_used_up(state) or self._has_settled(state)

    def unit(self, state: ConceptState) -> bool:
        """A look at a photo, a held-out loss, or one pass; False if it diverged."""
        shown = None
        if len(state.crops) < len(self.images):
            state.crops.append(self._suggested(self.images[len(state.crops)]))
        elif self._is_check_due(state):
            self._objective(state)  # so that a photo's picture is there before it is shown
            if not self._check(state):
                return False
            shown = self._picture(state) if self.progress.wants_preview else None
        elif not self._pass(state):
            return False
        self.progress.step(min(state.used, self.parameters.samples), self.parameters.samples, shown)
        return True

    def _is_check_due(self, state: ConceptState) -> bool:
        due = state.step % self.every == 0 or self._is_used_up(state)
        return due and not state.micro and (not state.checks or state.checks[-1][0] != state.step)

    def _is_used_up(self, state: ConceptState) -> bool:
        """Whether another change and the held-out loss after it would be more samples than there may be."""
        return state.used + self.a_change + self.held_out > self.parameters.samples

    def _has_settled(self, state: ConceptState) -> bool:
        late = [loss for _, loss in state.checks[-_PATIENCE:]]
        before = [loss for _, loss in state.checks[:-_PATIENCE]]
        if not self.parameters.stop_early or not before:
            return False
        return min(late) > min(before) * (1 - _LEAST_DROP)

    def _check(self, state: ConceptState) -> bool:
        loss = self._objective(state).held_out_loss(
            state.rows, self.held_out, self.parameters.batch, self.parameters.seed
        )
        if not math.isfinite(loss):
            return False
        if not state.checks or loss < min(before for _, before in state.checks):
            state.best = {name: rows.clone() for name, rows in state.rows.items()}
            state.best_step = state.step
        state.checks.append((state.step, loss))
        state.used += self.held_out
        return True

    def _pass(self, state: ConceptState) -> bool:
        parameters = self.parameters
        first = (state.step * parameters.accumulation + state.micro) * parameters.batch
        loss, gradients = self._objective(state).gradient(
            state.rows, first, parameters.batch, (state.micro, parameters.accumulation), state.generator
        )
        if not math.isfinite(loss) or not all(bool(one.isfinite().all()) for one in gradients.values()):
            return False
        for name, gradient in gradients.items():
            state.gradient[name] += gradient.cpu() / parameters.accumulation
        state.loss += loss / parameters.accumulation
        state.used += parameters.batch
        state.micro += 1
        return state.micro < parameters.accumulation or self._changed(state)

    def _changed(self, state: ConceptState) -> bool:
        """Follow the mean gradient; False if something is not finite then."""
        rate = cosine_rate(self.parameters.learning_rate or 0.0, state.used / self.parameters.samples)
        for name, rows in state.rows.items():
            gradient, length = state.gradient[name], self.lengths[name]
            if self.parameters.method == DIRECTIONAL:
                turned = directional_step(rows, gradient, self._priors[name], length, rate)
                kind = kept_of_kind(self.kind_rows[name], len(rows))
                state.rows[name] = near_their_kind(turned, kind)
            else:
                moments = state.average[name], state.square[name]
                state.rows[name] = plain_step(rows, gradient, *moments, state.step + 1, length, rate)
            gradient.zero_()
        state.losses.append(state.loss)
        state.loss, state.micro = 0.0, 0
        state.step += 1
        return all(bool(rows.isfinite().all()) for rows in state.rows.values())

    @cached_property
    def _priors(self) -> dict[str, Tensor]:
        """The direction of the word that the concept is a kind of; of several tokens their mean."""
        mean = {
            name: torch.nn.functional.normalize(rows, dim=1).mean(0) for name, rows in self.kind_rows.items()
        }
        return {name: torch.nn.functional.normalize(row, dim=0) for name, row in mean.items()}

    def _objective(self, state: ConceptState) -> Objective:
        """Made once the parts of the photos are known."""
        if self._made is None:
            photos = [
                part_of(image, crop, self.width, self.height)
                for image, crop in zip(self.images, state.crops, strict=True)
            ]
            state.picture = state.picture or _thumbnail(photos[0])
            self._made = Objective(
                backbone=self.backbone,
                photos=moments_of(self.backbone, photos, flip=self.parameters.flip),
                sentences=known_sentences(self.parameters.template, self._tokens),
                word=self.word,
                kind=self.kind,
                low_memory=self.parameters.low_memory,
            )
        return self._made

    _made: Objective | None = None

    def _tokens(self, text: str) -> int:
        return max(len(rows) for name, rows in self.backbone.token_vectors(text).items() if name != "t5")

    def _suggested(self, image: Pixels) -> Crop:
        return suggested_crop(self.backbone, image, self.kind, self.parameters.template)

    # what is seen of it

    @torch.no_grad()
    def _picture(self, state: ConceptState) -> NDArray[np.uint8]:
        """ "A photo of it" with the rows as they are now: always from the same noise."""
        backbone = self.backbone
        word = LearntWord(
            word=self.word,
            vectors={name: rows.clone() for name, rows in state.rows.items()},
            plain=self.kind,
        )
        sentence = self._objective(state).sentences[0].format(self.word)
        prompt, negative = backbone.encode_prompt(sentence, [word]), backbone.negative_prompt("")
        levels = backbone.levels(_SHOWN_STEPS, self.width, self.height)
        begun = begin(backbone.initial_noise(self.parameters.seed, self.width, self.height))
        denoise = guided(backbone, [prompt], negative, backbone.defaults.guidance_scale)
        for _ in range(_SHOWN_STEPS):
            self.progress.check()
            begun = advance(denoise, begun, levels, stop=begun.index + 1)
        return backbone.decode(begun.latents)[0]


def _neutral_rows(backbone: Backbone) -> dict[str, Tensor]:
    """By encoder the row [1, D] of an adjective that says little; none if the model knows no such word."""
    for word in _NEUTRAL:
        rows = {name: value.cpu() for name, value in backbone.token_vectors(word).items() if name != "t5"}
        if rows and all(len(value) == 1 for value in rows.values()):
            return rows
    return {}


def suggested_crop(backbone: Backbone, image: Pixels, kind: str, template: str) -> Crop:
    """The part of a photo that shows a kind of thing: what is not transparent, else where the model sees it.

    A style is in all of a photo.
    """
    width, height = backbone.defaults.width, backbone.defaults.height
    if template == "style":
        return WHOLE
    found = crop_of_alpha(image, width / height)
    if found is not None:
        return found
    sentence = f"a photo of a {kind}"
    span = (len(sentence) - len(kind), len(sentence))
    seen = look(backbone, image, backbone.encode_prompt(sentence), span, backbone.negative_prompt(""))
    return crop_of(seen.heat, image.shape[1], image.shape[0], width / height)


def _thumbnail(photo: Pixels) -> bytes:
    from PIL import Image

    small = Image.fromarray(photo)
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def _output(run: _Run, state: ConceptState, *, diverged: bool) -> Output:
    if diverged and not state.best_step:
        raise EditorError(
            "Learning diverged at once: the loss is not finite any more.", "Choose a lower learning rate."
        )
    concept = Concept(
        **run.texts,
        vectors={name: rows.numpy() for name, rows in state.best.items()},
        picture=state.picture,
    )
    notes: tuple[Message, ...] = ()
    if diverged:
        notes = (
            Message(
                "Learning diverged after {step} changes; kept is what was learnt until change {good}. A "
                "lower learning rate may help.",
                step=state.step,
                good=state.best_step,
            ),
        )
    elif not state.best_step:
        notes = (
            Message(
                "Nothing was gained: the word stands for no more than the “{kind}” that it began as. More "
                "samples or another learning rate may help.",
                kind=run.kind,
            ),
        )
    losses = [loss for _, loss in state.checks]
    report = {
        "losses": state.losses,
        "held_out": [{"step": step, "loss": loss} for step, loss in state.checks],
        "best_step": state.best_step,
        "samples": state.used,
        "crops": state.crops,
    }
    return Output(
        images=(),
        notes=notes,
        scores={"first_loss": losses[0], "loss": min(losses), "samples": float(state.used)} if losses else {},
        artifacts={"concept": concept_file(concept), "report": json.dumps(report).encode()},
    )
