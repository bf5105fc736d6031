"""A picture from a prompt and a seed (DDIM, arXiv:2010.02502, and the other samplers).

The same bytes come out for the same parameters on the CPU, also from `attribute_control` at α = 0: both
run the same steps, one picture at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.attention import AttentionStore
from inference.backbones.base import Backbone, Prediction
from inference.guidance import Predict, guided
from inference.inputs import Inputs
from inference.messages import Message, short
from inference.operations import Attribute, SamplingParameters
from inference.progress import Progress
from inference.prompts.learnt_words import find_learnt
from inference.prompts.prompt import Prompt
from inference.prompts.weights import literal, read
from inference.prompts.words import Word, words
from inference.request import Output, Pixels
from inference.sampling import Denoise, SamplerState, advance, begin
from inference.schedule import Level

# (start, end) of a word → attention [h, w], each step's in 0..1, summed over the steps
Heat: TypeAlias = Mapping[tuple[int, int], NDArray[np.float32]]

# Where in the run attention is looked at: before its middle it may still take one subject for another, and
# three steps cost next to nothing.
LOOK_AT = (0.5, 0.65, 0.8)
USUAL_DELAY = float(Attribute().delay)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is fixed for all pictures of one request; defaults are resolved."""

    backbone: Backbone
    parameters: SamplingParameters
    prompt: Prompt
    negative: Prompt
    levels: tuple[Level, ...]
    inputs: Inputs
    progress: Progress

    @property
    def steps(self) -> int:
        return len(self.levels) - 1

    @property
    def looked_at(self) -> frozenset[int]:
        """The steps whose attention is looked at."""
        return frozenset(int(share * self.steps) for share in LOOK_AT)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where a run is: the sampler's state for N pictures, and the attention seen so far.

    `path` are the latents after each step so far, of runs that keep them.
    """

    state: SamplerState
    heat: Heat
    path: tuple[Tensor, ...] = ()

    @property
    def size_bytes(self) -> int:
        latents = sum(one.numel() * one.element_size() for one in self.path)
        return self.state.size_bytes + latents + sum(seen.nbytes for seen in self.heat.values())


def generate(
    backbone: Backbone, parameters: SamplingParameters, inputs: Inputs, progress: Progress
) -> Output:
    """One picture, and where the model sees each word of the prompt."""
    run = prepare(backbone, parameters, inputs, progress)
    # stopping at the usual delay costs nothing, and a first drag starts there
    part = unmodified(run, delay_steps(USUAL_DELAY, run.steps), run.steps)
    return Output(images=decoded(run, part.state.latents), maps=maps(part.heat))


def prepare(backbone: Backbone, parameters: SamplingParameters, inputs: Inputs, progress: Progress) -> Run:
    """Encode the prompts and lay out the levels."""
    width, height, steps, sampler = parameters.width, parameters.height, parameters.steps, parameters.sampler
    if width is None or height is None or steps is None or sampler is None:
        raise ValueError("the runner resolves the defaults first")
    levels = backbone.levels(steps, width, height, sampler)
    with progress.phase("encode"):
        learnt, weighted = inputs.learnt, parameters.weighted
        prompt = backbone.encode_prompt(parameters.prompt, learnt, weighted=weighted)
        negative = backbone.negative_prompt(parameters.negative_prompt, learnt, weighted=weighted)
        prompt, negative = backbone.of_one_length(prompt, negative)
    say_unread(prompt, progress)
    return Run(
        backbone=backbone,
        parameters=parameters,
        prompt=prompt,
        negative=negative,
        levels=levels,
        inputs=inputs,
        progress=progress,
    )


def say_unread(prompt: Prompt, progress: Progress) -> None:
    """Say which words of a prompt not all of the model's encoders read."""
    if prompt.unread:
        progress.said.append(
            Message(
                "The end of the prompt, “{words}”, is beyond what the T5 text encoder reads: CLIP alone "
                "reads it.",
                words=short(prompt.unread),
            )
        )


def delay_steps(delay: float, steps: int) -> int:
    """How many of `steps` use the unmodified embedding."""
    return round(delay * steps)


def unmodified(run: Run, *stops: int) -> Part:
    """The steps with the prompt as it is, up to each of `stops` in turn, from the cache where it has them."""
    part: Part | None = None
    for stop in stops:
        key = ("unmodified", stop, *what_decides(run))
        known = run.inputs.cache.get(key)
        if known is None:
            known = rest(run, part or start(run), [run.prompt], stop=stop, keeps_path=True)
            run.inputs.cache.put(key, known, known.size_bytes)
        part = known
    assert part is not None, "there is a stop"
    return part


def rest(
    run: Run,
    part: Part,
    prompts: Sequence[Prompt],
    *,
    stop: int | None = None,
    around: Callable[[Denoise], Denoise] = lambda denoise: denoise,
    predict: Predict | None = None,
    after: Callable[[SamplerState], SamplerState] | None = None,
    keeps_path: bool = False,
    looks: bool = True,
) -> Part:
    """Go on from `part` to `stop` (default: the end), one picture for each prompt.

    Args:
        around: makes the denoiser of each step from the usual one.
        predict: a pass of the network that is more than the backbone's.
        after: changes the state after each step.
        keeps_path: the part that comes out has the latents after each step.
        looks: whether the first prompt's attention is looked at; a `predict` may ask it in parts.
    """
    state = part.state
    if state.latents.shape[0] != len(prompts):
        state = state.repeated(len(prompts))
    heat = dict(part.heat)
    scale = run.parameters.guidance_scale
    denoise = guided(run.backbone, prompts, run.negative, 1.0 if scale is None else scale, predict=predict)
    denoise = around(watched(denoise, run, prompts[0], heat) if looks else denoise)
    last = run.steps if stop is None else min(stop, run.steps)
    path = list(part.path)
    with run.progress.phase("sample"):
        while state.index < last:
            state = advance(
                denoise,
                state,
                run.levels,
                sampler=run.parameters.sampler or "ddim",
                stop=state.index + 1,
                progress=run.progress,
                preview=run.backbone.preview,
            )
            if after is not None:
                state = after(state)
            if keeps_path:
                path.append(state.latents)
    return Part(state=state, heat=heat, path=tuple(path))


def decoded(run: Run, latents: Tensor) -> tuple[Pixels, ...]:
    """The pictures of latents [N, C, h, w], read-only."""
    with run.progress.phase("decode"):
        return tuple(run.backbone.decode(latents))


def maps(heat: Heat, spans: Sequence[tuple[int, int]] = ()) -> dict[str, NDArray[np.float32]]:
    """{"attention/START-END": [h, w] in 0..1} for every word, and for `spans` of several words."""
    several = {span: span_heat(heat, span) for span in spans if span not in heat}
    found = {**heat, **{span: seen for span, seen in several.items() if seen is not None}}
    return {f"attention/{start}-{end}": _normalised(seen) for (start, end), seen in found.items()}


def start(run: Run, offsets: Sequence[int] = (0,)) -> Part:
    """Before the first step of pictures with the run's seed plus each of `offsets`."""
    parameters = run.parameters
    sampler = parameters.sampler or "ddim"
    seeds = [parameters.seed + offset for offset in offsets]
    noise = [
        run.backbone.initial_noise(seed, parameters.width or 0, parameters.height or 0, sampler)
        for seed in seeds
    ]
    # seeds of their own, or the first step's noise would be the picture's start again
    generators = [torch.Generator("cpu").manual_seed(seed + 2**32) for seed in seeds]
    return Part(state=begin(torch.cat(noise), generators=generators), heat={})


def what_decides(run: Run) -> tuple[object, ...]:
    """All that the unmodified steps depend on."""
    sampling = {item.name for item in SamplingParameters.declared()}
    return (*run.backbone.made_by, *((name, getattr(run.parameters, name)) for name in sorted(sampling)))


def what_is_said(run: Run, written: str, pieces: int = 1) -> tuple[object, ...]:
    """All that a text is read by, beside the model: its signs, its words' weights, the learnt words in it.

    Learnt words of other texts of the request decide nothing.

    Args:
        pieces: of how many it is read; beside a longer text the same words are read with more padding.
    """
    given = read(written) if run.parameters.weighted else literal(written)
    learnt = dict.fromkeys(place.learnt.fingerprint for place in find_learnt(given.text, run.inputs.learnt))
    return (written, given != literal(written), *learnt, pieces)


def watched(
    denoise: Denoise, run: Run, prompt: Prompt, heat: dict[tuple[int, int], NDArray[np.float32]]
) -> Denoise:
    """`denoise`, adding to `heat` what the samples of `prompt` attend to at the steps to look at."""
    spans = [(word.start, word.end) for word in words(run.prompt.text) if _is_seen(run.prompt, word)]
    if not spans:
        return denoise

    def watched(latents: Tensor, level: Level, index: int) -> Prediction:
        if index not in run.looked_at:
            return denoise(latents, level, index)
        with run.backbone.cross_attention_maps(prompt) as store:
            prediction = denoise(latents, level, index)
        for span in spans:
            seen = _heat(store, span)
            heat[span] = heat[span] + seen if span in heat else seen
        return prediction

    return watched


def _is_seen(prompt: Prompt, word: Word) -> bool:
    return any(start < word.end and word.start < end for o in prompt.offsets.values() for start, end in o)


def _heat(store: AttentionStore, span: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(store.heat(*span), np.float32)


def span_heat(heat: Heat, span: tuple[int, int]) -> NDArray[np.float32] | None:
    """The attention [h, w] of all words that overlap a span; None if there are none."""
    inside = [seen for (start, end), seen in heat.items() if start < span[1] and span[0] < end]
    return np.asarray(sum(inside[1:], inside[0]), np.float32) if inside else None


def _normalised(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(seen.min()), float(seen.max())
    return (seen - low) / (high - low) if high > low else np.zeros_like(seen)
