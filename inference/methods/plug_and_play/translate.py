"""A picture re-rendered from a new text, its structure kept: the operation "translate" (arXiv:2211.12572).

    x_T = the picture's own noise                              (its inversion, or noise of the seed)
    at each step: ε̂ = ε̂(∅) + w·(ε̂(P) - ε̂(∅)), with f* and Q*, K* of the picture put in (`injection`)

One pass a step: [picture, ∅, P] in one batch, the picture only as long as its features are needed and not
known. What it showed is kept (`Inputs.features`), so that another text or another strength asks for two
samples a step alone.

On the path of an inversion each step is also given what DDIM's step misses the path by (u_t of Direct
Inversion, arXiv:2310.01506), as far as the picture is run along.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.attention import AttentionStore
from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.messages import Message, short
from inference.methods.generate import Run, decoded, maps, prepare, start, watched
from inference.methods.inversion.looking import LEAST_FIT, fit_of
from inference.methods.inversion.paths import guidance_of, step_noise
from inference.methods.plug_and_play.expected import ToldSteps
from inference.methods.plug_and_play.injection import Injection, Places, Seen, places_of
from inference.methods.plug_and_play.masks import Masks, seen_so_far
from inference.methods.plug_and_play.source import Source, keep, one_copy, source_prompt, sourced
from inference.methods.redraw import at_latents, begun_from, encoded, untouched
from inference.operations import Translate
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.prompts.words import find_subject
from inference.request import Output, Pixels
from inference.sampling import Denoise, advance, move
from inference.schedule import Level, Prediction
from inference.sizes import working_size

Spans: TypeAlias = "tuple[tuple[int, int] | None, tuple[int, int] | None]"

# Colours this far apart, of 255, are one: what a picture saved with losses shows of a plain area.
ONE_COLOUR = 3

# One copy's restart: from the end of this stretch of the run back to its beginning, once, and down again in
# larger steps, as many as this share of the run's (Restart, too, takes fewer there than in the main run).
RESTART = (0.2, 0.44)
RESTART_STEPS = 0.06


def translate(backbone: Backbone, parameters: Translate, inputs: Inputs, progress: Progress) -> Output:
    """The picture from a new text; with `appearance` 0 it is returned untouched.

    Raises:
        EditorError: the model lacks the places that hold structure; a subject is not in its prompt.
    """
    picture = inputs.pixels(parameters.image)
    run = prepare(backbone, parameters, inputs, progress)
    plan = Plan.of(backbone, parameters, run.steps)
    if plan.first == run.steps:
        return untouched(run, picture)
    inputs.features.limit(parameters.kept_bytes)
    name = parameters.image.hash
    spans = spans_of(parameters, run.prompt, source_prompt(run, parameters))
    source = sourced(run, parameters, name, encoded(run, name, picture))
    fit = float("nan")
    if parameters.source_prompt.strip() and parameters.way != "redraw":
        with progress.phase("encode"):
            fit = fit_of(run, source.prompt, parameters.source_prompt.strip(), name, source.picture)
    work = _Work(run=run, parameters=parameters, plan=plan, source=source, spans=spans)
    mask = None if parameters.mask is None else inputs.pixels(parameters.mask)
    try:
        with progress.phase("sample"):
            latents = work.carried_out(None if mask is None else at_latents(mask, source.picture))
    finally:  # of a cancelled run, too: what was kept before has grown, and the cache has to know
        keep(run, parameters, name, source)
    return Output(
        images=decoded(run, latents),
        maps=maps(work.heat),
        notes=(*work.notes, *notes_of_picture(parameters, picture, fit), *notes_of_unused(parameters)),
        scores={
            **({} if math.isnan(fit) else {"fit": fit}),
            "feature_bytes": source.feature_bytes,
            "expected_feature_bytes": plan.needed_bytes(backbone, *_size(run)),
        },
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is told at which step, known before anything is computed.

    Args:
        steps: of the run.
        first: the first of them that is taken.
        features, attention: the steps before which features and attention are told.
        both: whether the unconditional half takes it as well.
    """

    places: Places
    steps: int
    first: int
    features: int
    attention: int
    both: bool
    shares_one: bool

    @classmethod
    def of(cls, backbone: Backbone, parameters: Translate, steps: int) -> "Plan":
        told = ToldSteps.of(backbone.structure, parameters, steps)
        is_told = parameters.way != "redraw" and parameters.structure > 0
        return cls(
            places=places_of(backbone) if is_told else Places(),
            steps=steps,
            first=told.first,
            features=told.features,
            attention=told.attention,
            both=parameters.way == "plug-and-play",
            shares_one=parameters.way == "one-copy",
        )

    def at(self, index: int) -> Places:
        """The places that are told at one step."""
        return Places(
            features=self.places.features if index < self.features else (),
            layers=self.places.layers if index < self.attention else (),
        )

    def needed_bytes(self, backbone: Backbone, width: int, height: int) -> int:
        """What keeping everything takes for a picture of this size in pixels."""
        rows, columns = backbone.latent_shape(width, height)[1:]
        item = torch.empty((), dtype=backbone.dtype).element_size()
        last = min(self.first + 1, self.steps) if self.shares_one else self.steps
        return sum(self.at(index).size_bytes(rows, columns, item) for index in range(self.first, last))


def feature_bytes(backbone: Backbone, parameters: Translate, width: int, height: int) -> int:
    """What a translation of a picture of this size will keep, told before it begins."""
    steps = parameters.steps or backbone.defaults.steps
    width, height = working_size(width, height, backbone, usual_area=True)
    needed = Plan.of(backbone, parameters, steps).needed_bytes(backbone, width, height)
    return min(needed, parameters.kept_bytes)


@dataclass(kw_only=True)
class _Work:
    run: Run
    parameters: Translate
    plan: Plan
    source: Source
    spans: Spans
    heat: dict[tuple[int, int], NDArray[np.float32]] = field(
        default_factory=dict[tuple[int, int], NDArray[np.float32]]
    )
    computed_again: int = 0  # steps whose features found no place

    def carried_out(self, mask: Tensor | None) -> Tensor:
        """The latents [1, C, h, w] of the new picture; outside of a mask [1, 1, h, w] those of the old."""
        run, plan, source = self.run, self.plan, self.source
        if plan.shares_one:
            self._look_once()
        denoise = watched(self._denoise, run, run.prompt, self.heat)
        state = replace(start(run).state, latents=self._begun(), index=plan.first)
        again = self._restart()
        while state.index < run.steps:
            index = state.index
            state = advance(
                denoise,
                state,
                run.levels,
                stop=index + 1,
                progress=run.progress,
                preview=run.backbone.preview,
            )
            offset = None if source.offsets is None else source.offsets.get(index)
            if offset is not None:
                state = replace(state, latents=state.latents + offset)
            if mask is not None:
                kept = self._unchanged(index + 1)
                state = replace(state, latents=torch.lerp(kept, state.latents, mask))
            if state.index == again[-1]:
                state = replace(state, latents=self._restarted(denoise, state.latents, again, mask))
        return state.latents

    def _restarted(
        self, denoise: Denoise, latents: Tensor, indices: Sequence[int], mask: Tensor | None
    ) -> Tensor:
        """The latents at the last of `indices`: back into the noise of the first, and down again."""
        run = self.run
        first, last = run.levels[indices[0]], run.levels[indices[-1]]
        latents = renoised(latents, last, first, self._noise(run.steps + 1))
        for here, there in pairwise(indices):
            prediction = denoise(latents, run.levels[here], here)
            latents = move(prediction, run.levels[here], run.levels[there])
            if mask is not None:
                latents = torch.lerp(self._unchanged(there), latents, mask)
            run.progress.step(indices[-1], run.steps)
        return latents

    @property
    def notes(self) -> tuple[Message, ...]:
        if not self.computed_again:
            return ()
        return (
            Message(
                "The features take {needed} MiB, more than the {limit} that may be kept: {steps} of "
                "the steps compute them again for each text.",
                needed=-(-self.plan.needed_bytes(self.run.backbone, *_size(self.run)) // 2**20),
                limit=self.parameters.kept_mib,
                steps=self.computed_again,
            ),
        )

    def _begun(self) -> Tensor:
        """The latents at the first step: the picture's on its path, or the picture in the seed's noise."""
        run, first = self.run, self.plan.first
        if self.parameters.way == "plug-and-play":
            return self.source.latents(first)
        # at the first step, too: what is left of the picture there says how light and dark it is, for nothing
        return begun_from(run, self.source.picture, first)[0].state.latents

    def _unchanged(self, index: int) -> Tensor:
        """The old picture's latents after `index` steps."""
        level = self.run.levels[index]
        if index == self.run.steps:
            return self.source.picture
        if self.parameters.way == "plug-and-play":
            return self.source.latents(index)
        return level.alpha * self.source.picture + level.sigma * self._noise(index)

    def _noise(self, index: int) -> Tensor:
        return step_noise(self.run.parameters.seed, index, self.source.picture)

    def _restart(self) -> tuple[int, ...]:
        """The steps that a restart comes by, of which the last is where it begins; (-1,) without one."""
        if not (self.parameters.restart and self.plan.shares_one):
            return (-1,)
        begin, end = (round(share * self.run.steps) for share in RESTART)
        if not self.plan.first <= begin < end:
            return (-1,)
        count = min(max(1, round(RESTART_STEPS * self.run.steps)), end - begin)
        return tuple(round(begin + (end - begin) * step / count) for step in range(count + 1))

    def _look_once(self) -> None:
        """One pass over the noised picture for all steps."""
        run, places = self.run, self.plan.at(self.plan.first)
        known = self.source.seen.get(0)
        if not places or (known is not None and known.has(places)):
            return
        seen, backbone = Seen(), run.backbone
        latents, level = one_copy(run, self.source.picture)
        tap, span = Injection(source=0, seen=seen, into=()), self.spans[1]
        if span is None:
            backbone.read(tap, places.where, latents, level, [self.source.prompt])
        else:
            with backbone.cross_attention_maps(self.source.prompt) as store:
                with backbone.tapped(tap, places.where):
                    backbone.predict(latents, level, [self.source.prompt])
                seen.masks = dict.fromkeys(places.names, seen_so_far(store, span, backbone.device))
        self.source.seen.update(dict.fromkeys(range(run.steps), seen))

    # one step

    def _denoise(self, latents: Tensor, level: Level, index: int) -> Prediction:
        """ε̂ with guidance, and with the picture's structure put in."""
        run, source, places = self.run, self.source, self.plan.at(index)
        known = source.seen.get(index)
        if places and (known is None or not known.has(places)):
            known = None
        wants_offset = source.offsets is not None and index not in source.offsets
        along = (bool(places) and known is None) or wants_offset
        rows = self._rows()
        prompts = [prompt for prompt, _ in rows]
        batch = latents.repeat(len(rows), 1, 1, 1)
        if along:
            batch, prompts = torch.cat([source.latents(index), batch]), [source.prompt, *prompts]
        seen = known if known is not None else Seen()
        shift = int(along)
        into = [shift + row for row, (prompt, _) in enumerate(rows) if self.plan.both or prompt is run.prompt]
        with (
            self._masks(along=along) as masks,
            self._tapped(places, seen, into, known is None, masks),
        ):
            prediction = run.backbone.predict(batch, level, prompts)
        if along:
            if known is None and places:
                self._keep(index, seen)
            if source.offsets is not None:
                here = Prediction(*(value[:1] for value in prediction))
                path = source.latents(index + 1)
                source.offsets[index] = path - move(here, level, run.levels[index + 1])
            prediction = Prediction(*(value[1:] for value in prediction))
        weights = torch.tensor([weight for _, weight in rows], device=latents.device)[:, None, None, None]
        return Prediction(*((weights * value).sum(0, keepdim=True) for value in prediction))

    def _rows(self) -> list[tuple[Prompt, float]]:
        """The prompts of a step and what their predictions count for: guidance, away from the source.

        w·ε(P) + (1 - w)·((1 - n)·ε(∅) + n·ε(P_source)); what counts for nothing is not computed. On the path
        of a picture that is told by its own words there is nothing to be guided to: it comes back as it was.
        """
        run, parameters = self.run, self.parameters
        scale = guidance_of(run)
        is_itself = self.plan.both and parameters.source_prompt.strip() == parameters.prompt.strip() != ""
        if scale <= 1 or is_itself:
            return [(run.prompt, 1.0)]
        away = parameters.away if parameters.source_prompt.strip() else 0.0
        rows = [(run.negative, (1 - scale) * (1 - away)), (run.prompt, scale)]
        if away:
            # an object of its own: masks of the source are those of the source's sample alone
            rows.insert(1, (self.source.prompt.with_embeddings({}), (1 - scale) * away))
        return [row for row in rows if row[1]]

    def _tapped(
        self, places: Places, seen: Seen, into: list[int], is_new: bool, masks: Masks | None
    ) -> AbstractContextManager[None]:
        if not places:
            return nullcontext()
        tap = Injection(source=0 if is_new else None, seen=seen, into=into, masks=masks)
        return self.run.backbone.tapped(tap, places.where)

    def _keep(self, index: int, seen: Seen) -> None:
        if not self.source.make_room(index, seen, self.parameters.kept_bytes):
            self.computed_again += 1

    # where the subject is

    @contextmanager
    def _masks(self, *, along: bool) -> Generator[Masks | None]:
        """Both masks of the pass that runs inside; None where the request has no subject."""
        target, source = self.spans
        if target is None:
            yield None
            return
        backbone = self.run.backbone
        with ExitStack() as stack:
            of_target = stack.enter_context(backbone.cross_attention_maps(self.run.prompt))
            of_source: AttentionStore | None = None
            if source is not None and along:
                of_source = stack.enter_context(backbone.cross_attention_maps(self.source.prompt))

            def at_target() -> Tensor | None:
                return seen_so_far(of_target, target, backbone.device)

            def at_source() -> Tensor | None:
                if of_source is None or source is None:
                    return None
                return seen_so_far(of_source, source, backbone.device)

            yield Masks(target=at_target, source=None if source is None else at_source)


def spans_of(parameters: Translate, prompt: Prompt, source: Prompt) -> Spans:
    """The characters that stand for the subject in the prompt and in the source prompt.

    None where there is no subject, and where the source prompt says nothing of it.

    Raises:
        EditorError: the words are not there.
    """
    named, words = parameters.source_subject.strip(), parameters.subject.strip()
    if not words:
        return None, None
    target = find_subject(prompt.text, words)
    if not source.text:
        return target, None
    if named:
        return target, find_subject(source.text, named)
    try:
        return target, find_subject(source.text, words)
    except EditorError:  # it is not asked for: the picture may show something else there
        return target, None


def notes_of_picture(parameters: Translate, picture: Pixels, fit: float) -> tuple[Message, ...]:
    """What has to be said of a picture without structure, and of words that do not describe it.

    `fit` is that of the source prompt. That of the new text says nothing: it asks for something else on
    purpose (docs/decisions/0013-what-translate-measures.md).
    """
    if parameters.way == "redraw":
        return ()
    values = picture[..., :3].astype(np.int16)
    if int((values.max(axis=(0, 1)) - values.min(axis=(0, 1))).max()) <= ONE_COLOUR:
        return (Message("The picture has one colour only: there is no structure in it that could be kept."),)
    if not fit < LEAST_FIT:
        return ()
    return (
        Message(
            "The source prompt does not seem to fit the picture: the model understands it no better with "
            "“{prompt}” than without. Say what it shows, or leave it empty.",
            prompt=short(parameters.source_prompt),
        ),
    )


def notes_of_unused(parameters: Translate) -> tuple[Message, ...]:
    """What was set and does nothing beside the other settings."""
    notes: list[Message] = []
    told = bool(parameters.source_prompt.strip())
    if parameters.away and not told:
        notes.append(Message("“Away from the source” does nothing without a source prompt."))
    if parameters.source_subject.strip() and not (told and parameters.subject.strip()):
        notes.append(
            Message(
                "The subject of the source does nothing without a source prompt and a subject of the prompt."
            )
        )
    if parameters.restart and parameters.way != "one-copy":
        notes.append(Message("“Restart” does nothing here: it belongs to “One noised copy”."))
    return tuple(notes)


def _size(run: Run) -> tuple[int, int]:
    """Width and height of the run's pictures."""
    return run.parameters.width or 0, run.parameters.height or 0


def renoised(latents: Tensor, here: Level, there: Level, noise: Tensor) -> Tensor:
    """Latents taken from one level back to a noisier one (Restart, arXiv:2306.14878).

    x_t = (α_t/α_s)·x_s + √(σ_t² - (α_t·σ_s/α_s)²)·ε
    """
    kept = there.alpha / here.alpha
    fresh = max(0.0, there.sigma**2 - (kept * here.sigma) ** 2) ** 0.5
    return kept * latents + fresh * noise
