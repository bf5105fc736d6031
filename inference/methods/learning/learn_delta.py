"""The operation `learn-delta`: an attribute's direction, compared ("naive") or optimised ("learned", or from
pictures: "picture", "pair").

An optimised run is a chain of small units: a step of a trajectory, or a micro-step of the loss. Before each
it can be parked, and its state is all that the rest depends on. AdamW (arXiv:1711.05101) has the published
β = (0.5, 0.8); weight decay draws back to where the run began. The mean gradient of an accumulation
is followed, not the sum: AdamW makes no difference between them.

Exactness. The state is exact everywhere. On the CPU a run that went on from it gives the same bytes as an
undisturbed one; some kernels of GPUs add in no fixed order, and two undisturbed runs may differ there too.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from inference.backbones.base import Backbone
from inference.concepts.names import words_in
from inference.definitions import Definition, definition_from_bytes, sentence
from inference.deltas import Delta, delta_file, metadata_of
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.messages import Message
from inference.methods.learning.cost import evaluations_of
from inference.methods.learning.examples import Examples
from inference.methods.learning.objective import Objective
from inference.methods.learning.pictures import SIGNS, NoisedPool, Reconstruction, example_of, latents_of
from inference.methods.learning.pool import Pool
from inference.methods.learning.presets import COSINE
from inference.methods.learning.state import LearningState, Point, Walk
from inference.methods.naive_delta import info_of, learn_naive
from inference.operations import LearnDelta
from inference.progress import Progress
from inference.prompts.words import find_subject
from inference.request import Output, Pixels

BETAS = (0.5, 0.8)
EPSILON = 1e-8
NAIVE, LEARNED = "naive", "learned"
_LATE = 0.1  # share of the run whose mean loss is told
# A direction so many times as long as the words that it is added to leaves nothing of them. Published runs
# end at less than ten times; a loss is finite however long it is, as the networks normalise what they read.
_TOO_LONG = 100.0


def learn_delta(backbone: Backbone, parameters: LearnDelta, inputs: Inputs, progress: Progress) -> Output:
    """No pictures; the artifact "delta" is a delta's file, "report" the loss of each update as JSON.

    Raises:
        EditorError: the definition is not right, the model cannot be learnt with in this memory mode, the
            checkpoint to go on from is none of this run, or the run diverged at once.
    """
    definition = definition_from_bytes(inputs.contents[parameters.definition.hash])
    if parameters.method in (NAIVE, LEARNED) and definition.lacks_ends:
        raise EditorError(
            "The definition has a pair whose ends are the same.",
            "Say what “positive” and “negative” are, or learn from pictures.",
        )
    _refuse_concepts(parameters, definition)
    with progress.phase("learn"):
        if parameters.method == NAIVE:
            progress.step(0, 1)
            return Output(
                images=(), artifacts={"delta": delta_file(learn_naive(backbone, definition, progress))}
            )
        pictures = [inputs.pixels(image) for image in parameters.images]
        return _learned(backbone, parameters, definition, pictures, inputs.resume, progress)


def _refuse_concepts(parameters: LearnDelta, definition: Definition) -> None:
    """A concept's word would be read as signs, and the direction be learnt on a bracket.

    Raises:
        EditorError: there is one.
    """
    phrases = (one for pair in definition.pairs for one in (pair.target, pair.positive, pair.negative))
    texts = (*phrases, *definition.prefixes, *definition.beside, parameters.picture_prompt)
    word = next((word for text in texts for word in words_in(text)), None)
    if word is not None:
        raise EditorError(
            "Attributes are learnt from words of the language, and “{word}” is written as a concept is.",
            "Write what it is a kind of, such as “{example}”: its attributes are the concept's, too.",
            word=word,
            example="cat",
        )


def _learned(
    backbone: Backbone,
    parameters: LearnDelta,
    definition: Definition,
    pictures: Sequence[Pixels],
    resume: bytes | None,
    progress: Progress,
) -> Output:
    if not backbone.allows_gradients:
        raise EditorError(
            "There is not enough memory for learning with {model}.",
            "Switch “Low memory” on, close other programs, or choose a smaller model.",
            model=backbone.name,
        )
    run = _Run(backbone, parameters, definition, progress, pictures)
    state = run.state(resume)
    steps = parameters.steps or 1
    diverged = False
    while state.step < steps and not diverged:
        progress.checkpoint(state.to_bytes)
        diverged = not run.unit(state)
    if not diverged:
        return _output(run, state.vectors, state, ())
    if not state.good_step:
        raise EditorError(
            "Learning diverged at once: what was learnt is of no use.",
            "Choose a lower learning rate.",
        )
    note = Message(
        "Learning diverged at step {step} of {steps}; kept is what was learnt until step {good}. A lower "
        "learning rate may help.",
        step=state.step + 1,
        steps=steps,
        good=state.good_step,
    )
    return _output(run, state.good, state, (note,))


class _Run:
    """What is fixed for the whole run."""

    def __init__(
        self,
        backbone: Backbone,
        parameters: LearnDelta,
        definition: Definition,
        progress: Progress,
        pictures: Sequence[Pixels] = (),
    ) -> None:
        self.backbone = backbone
        self.parameters = parameters
        self.definition = definition
        self.progress = progress
        self.steps = parameters.steps or 1
        self.accumulation = parameters.accumulation or 1
        defaults = backbone.defaults
        levels = backbone.levels(parameters.sampling_steps, defaults.width, defaults.height)
        shape = backbone.latent_shape(defaults.width, defaults.height)
        if parameters.method == LEARNED:
            self._batch = parameters.batch
            examples = Examples(backbone, definition)
            self._examples, first = len(examples), examples[0]
            self._pool: Pool | NoisedPool = Pool(
                backbone=backbone,
                parameters=parameters,
                examples=examples,
                levels=levels,
                unconditional=backbone.negative_prompt(""),
            )
            self._objective: Objective | Reconstruction = Objective(
                backbone=backbone,
                parameters=parameters,
                examples=examples,
                levels=levels,
                unit=definition.scale,
                range=definition.range,
            )
        else:
            latents = latents_of(backbone, pictures)
            first = example_of(backbone, *_shown(parameters, definition), whole=parameters.whole_prompt)
            self._batch, self._examples = len(pictures), 1
            self._pool = NoisedPool(latents=latents, levels=levels)
            self._objective = Reconstruction(
                backbone=backbone,
                parameters=parameters,
                example=first,
                latents=latents,
                signs=SIGNS[parameters.method],
                levels=levels,
            )
        self._shape = (self._batch, *shape)
        self._lengths = {
            encoder: float(_lengths(first.target.embeddings[encoder][0, list(tokens)]).mean())
            for encoder, tokens in first.tokens.items()
        }
        self.widths = {
            encoder: width
            for encoder, width in backbone.token_widths.items()
            if encoder in first.tokens and (parameters.t5 or encoder != "t5")
        }

    def state(self, resume: bytes | None) -> LearningState:
        if resume is None:
            return LearningState.new(self._begin(), self.parameters.seed, self._name, self._about)
        state = LearningState.from_bytes(resume, self.widths, self._shape, self.backbone.device, self._name)
        outside = [one for one in (state.walk, *state.points) if one is not None and not self._knows(one)]
        if outside or state.micro >= self.accumulation:
            raise EditorError("The checkpoint does not fit the run.", "Begin again.")
        return state

    def _begin(self) -> dict[str, torch.Tensor]:
        """Where the direction begins: at the naive one, or at nothing, as published."""
        nothing = {encoder: torch.zeros(width) for encoder, width in self.widths.items()}
        if self.parameters.method != LEARNED:
            return nothing
        vectors = learn_naive(self.backbone, self.definition).vectors  # refuses words that are read alike
        if not self.parameters.warm_start:
            return nothing
        return {encoder: torch.tensor(vectors[encoder]) for encoder in self.widths}

    @property
    def _about(self) -> str:
        nothing = {encoder: np.zeros(width, np.float32) for encoder, width in self.widths.items()}
        info = info_of(self.backbone, self.definition, nothing, self.parameters.method)
        return json.dumps(metadata_of(info), ensure_ascii=False)

    @property
    def _name(self) -> str:
        """All that decides the result."""
        return json.dumps([self.backbone.model_hash, self.parameters.to_json()], sort_keys=True)

    def _knows(self, place: Point | Walk) -> bool:
        wanted = place.wanted if isinstance(place, Walk) else (place.index,)
        return (
            bool(wanted)
            and len(place.examples) == self._batch
            and max(place.examples) < self._examples
            and max(place.index, *wanted) < self._pool.last
            and place.index <= wanted[-1]
        )

    def unit(self, state: LearningState) -> bool:
        """One step of a trajectory, or one micro-step; False if it diverged."""
        shown = None
        if state.walk is not None or state.to_come or not state.points:
            left = (self.steps - state.step) * self.accumulation - state.micro
            self._pool.fill(state, left)
        else:
            point = state.points.pop(0)
            shown = self._objective.add(state, point, look=self.progress.wants_preview)
            # at once, as what is not finite cannot be gone on from
            if not math.isfinite(state.loss) or not _are_finite(state.gradient):
                return False
            if state.micro == self.accumulation and not self._updated(state):
                return False
        self.progress.step(state.step, self.steps, shown)
        return True

    def _updated(self, state: LearningState) -> bool:
        """Follow the mean gradient; False if it leads to what is of no use."""
        gradients = {encoder: total / self.accumulation for encoder, total in state.gradient.items()}
        state.good = {encoder: vector.clone() for encoder, vector in state.vectors.items()}
        state.good_step = state.step
        rate = learning_rate(self.parameters, state.step)
        for encoder, gradient in gradients.items():
            self._adamw(state, encoder, gradient, rate)
            state.gradient[encoder].zero_()
        if not all(self._is_of_use(encoder, vector) for encoder, vector in state.vectors.items()):
            return False
        state.losses.append(state.loss / self.accumulation)
        state.loss, state.micro = 0.0, 0
        state.step += 1
        return True

    def _is_of_use(self, encoder: str, vector: torch.Tensor) -> bool:
        """Whether a direction is finite, and leaves something of the words."""
        length = float(_lengths(vector))
        return math.isfinite(length) and length <= _TOO_LONG * max(self._lengths[encoder], 1.0)

    def _adamw(self, state: LearningState, encoder: str, gradient: torch.Tensor, rate: float) -> None:
        """θ ← θ - rate·(decay·(θ - θ₀) + m̂/(√v̂ + ε)) (arXiv:1711.05101, alg. 2).

        θ₀ is where the run began: with zeros this is AdamW.
        """
        first, second = BETAS
        count = state.step + 1
        average, square = state.average[encoder], state.square[encoder]
        average.mul_(first).add_(gradient, alpha=1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = (square / (1 - second**count)).sqrt().add_(EPSILON)
        vector = state.vectors[encoder]
        vector.lerp_(state.start[encoder], min(1.0, rate * self.parameters.weight_decay))
        vector.addcdiv_(average / (1 - first**count), size, value=-rate)


def _are_finite(tensors: Mapping[str, torch.Tensor]) -> bool:
    return all(bool(one.isfinite().all()) for one in tensors.values())


def _lengths(vectors: torch.Tensor) -> torch.Tensor:
    """Of each of [..., D]."""
    return vectors.float().square().sum(-1).sqrt()


def _shown(parameters: LearnDelta, definition: Definition) -> tuple[str, tuple[int, int]]:
    """What the pictures show in words, and the characters of the subject in it.

    Raises:
        EditorError: the prompt does not have the definition's noun.
    """
    pair = definition.pairs[0]
    text = parameters.picture_prompt.strip() or sentence(definition.prefixes[0], pair.target)
    return text, find_subject(text, pair.noun)


def learning_rate(parameters: LearnDelta, step: int) -> float:
    """The rate of update number `step` (from 0): constant, or annealed along half a cosine.

    Cosine: low + ½·(high - low)·(1 + cos(π·step/steps)) (arXiv:1608.03983, eq. 5, without restarts).
    """
    high, low = parameters.learning_rate, parameters.final_learning_rate
    if parameters.schedule != COSINE:
        return high
    return low + (high - low) * (1 + math.cos(math.pi * step / (parameters.steps or 1))) / 2


def _output(
    run: _Run, vectors: Mapping[str, torch.Tensor], state: LearningState, notes: tuple[Message, ...]
) -> Output:
    arrays = {encoder: vector.numpy() for encoder, vector in vectors.items()}
    info = info_of(run.backbone, run.definition, arrays, run.parameters.method)
    share = state.step / run.steps
    info = replace(info, evaluations=round(share * evaluations_of(run.parameters)))
    late = state.losses[-max(1, round(_LATE * len(state.losses))) :]
    scores = {"loss": sum(late) / len(late)} if late else {}
    return Output(
        images=(),
        notes=notes,
        scores=scores,
        artifacts={
            "delta": delta_file(Delta(info=info, vectors=arrays)),
            "report": json.dumps({"losses": state.losses}).encode(),
        },
    )
