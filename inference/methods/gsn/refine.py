"""A picture in which every subject of the prompt is there: the operation "refine" (arXiv:2504.17525).

The plain steps before the first change are kept, so that another method or step goes on from there. With
nothing to change the picture is bit for bit that of `generate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.messages import Message
from inference.methods.attribute_control import Unedited, only_subjects, shifted
from inference.methods.generate import (
    Part,
    Run,
    decoded,
    delay_steps,
    maps,
    prepare,
    rest,
    start,
    what_decides,
)
from inference.methods.gsn.maps import text_layers
from inference.methods.gsn.objectives import Targets, targets_of
from inference.methods.gsn.plan import Plan, plan
from inference.methods.gsn.shifts import Shifter
from inference.methods.gsn.updates import NotFiniteError
from inference.methods.only_subject import merged
from inference.operations import Refine
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.request import Output
from inference.sampling import Denoise, SamplerState
from inference.schedule import Level, Prediction

# parameters that decide nothing before the edits begin
_OF_SLIDERS = frozenset({"edits", "delay", "only_subject", "kept_by"})
StepMaps = dict[str, NDArray[np.float32]]


def refine(backbone: Backbone, parameters: Refine, inputs: Inputs, progress: Progress) -> Output:
    """`parameters.pictures` pictures, maps of each word, and of each subject at some steps.

    Raises:
        EditorError: no subject, one that is not in the prompt, a prompt that is too long, a step beyond the
            schedule, a model without text attention, or too little memory for gradients.
    """
    run = prepare(backbone, parameters, inputs, progress)
    rows, columns = backbone.latent_shape(parameters.width or 0, parameters.height or 0)[1:]
    what = plan(parameters, run.steps, (rows, columns), flow=backbone.schedule.is_flow)
    targets = _targets(run, parameters, what)
    offsets = list(range(parameters.pictures))
    done = _Refinement(run, parameters, what, targets).carried_out(offsets)
    latents = torch.cat([done.latents[offset] for offset in offsets])
    return Output(
        images=decoded(run, latents),
        maps={**maps(done.part.heat, targets.subjects), **done.seen},
        notes=done.notes,
    )


def _targets(run: Run, parameters: Refine, what: Plan) -> Targets:
    backbone, prompt = run.backbone, run.prompt
    for subject in parameters.subjects:
        for start_, end in ((subject.start, subject.end), *subject.modifiers):
            if not 0 <= start_ < end <= len(prompt.text):
                raise EditorError(
                    "The subject at characters {start} to {end} is not in the prompt, which has {length} "
                    "characters.",
                    "Choose the subject again.",
                    start=start_,
                    end=end,
                    length=len(prompt.text),
                )
            prompt.tokens(start_, end)
    if what.first < run.steps:
        if not parameters.subjects:
            raise EditorError("There is no subject to refine.", "Choose the words that have to be seen.")
        text_layers(backbone, *backbone.latent_shape(parameters.width or 0, parameters.height or 0)[1:])
        if not backbone.allows_gradients:
            raise EditorError(
                "{name} does not fit in memory whole, which refining needs.",
                "Choose a smaller model or a smaller size, or close other programs.",
                name=backbone.name,
            )
    return targets_of(prompt, parameters.subjects)


@dataclass
class _Done:
    """Latents [1, C, h, w] by offset, the first picture's last part, its maps, and notes."""

    latents: dict[int, torch.Tensor]
    part: Part
    seen: StepMaps
    notes: tuple[Message, ...] = ()


@dataclass
class _Refinement:
    run: Run
    parameters: Refine
    plan: Plan
    targets: Targets

    def carried_out(self, offsets: Sequence[int]) -> _Done:
        """Refine all; pictures whose gradient is no number stay plain, and the note says so."""
        good = list(offsets)
        while good:
            try:
                done = self._sampled(good, self.plan)
                break
            except NotFiniteError as error:
                bad = {good[row] for row in error.rows}
                good = [offset for offset in good if offset not in bad]
        else:
            done = self._sampled(offsets, Plan(steps=self.plan.steps))
            return replace(done, notes=_not_finite(len(offsets), len(offsets)))
        left = [offset for offset in offsets if offset not in good]
        if left:
            plain = self._sampled(left, Plan(steps=self.plan.steps))
            done = replace(
                done, latents={**done.latents, **plain.latents}, notes=_not_finite(len(left), len(offsets))
            )
        return done

    def _sampled(self, offsets: Sequence[int], what: Plan) -> _Done:
        run, parameters = self.run, self.parameters
        prompts = _own(run.prompt, len(offsets))
        moved = shifted(run.prompt, parameters.edits, run.inputs.deltas_of(parameters.edits))
        if moved is not run.prompt and parameters.only_subject and len(offsets) > 1:
            # each has its own subjects in its own places
            each = [self._sampled([offset], what) for offset in offsets]
            return replace(each[0], latents={k: v for done in each for k, v in done.latents.items()})
        if moved is run.prompt:
            part, seen = self._until(run.steps, offsets, what, prompts)
        else:
            # first refined, then shifted: what the refinement put there stays when a slider moves
            cut = max(delay_steps(parameters.delay, run.steps), what.first_free)
            part, seen = self._until(cut, offsets, what, prompts)
            if parameters.only_subject:
                part = self._only_subjects(part, prompts)
            else:
                part, seen = self._on(part, seen, offsets, what, _own(moved, len(offsets)), run.steps)
        rows = [part.state.latents[row : row + 1] for row in range(len(offsets))]
        latents = dict(zip(offsets, rows, strict=True))
        return _Done(latents, part, seen)

    def _only_subjects(self, part: Part, prompts: Sequence[Prompt]) -> Part:
        """One picture shifted from `part` on, where no refinement is left, and only its edited subjects."""
        run, first = self.run, part.state.index
        whole = rest(run, replace(part, path=()), prompts, keeps_path=True)
        rows, columns = part.state.latents.shape[-2:]
        unedited = Unedited(prompt=run.prompt, heat=whole.heat, size=(rows, columns))
        found = only_subjects(run, self.parameters, [self.parameters.edits], unedited)

        def after(state: SamplerState) -> SamplerState:
            unedited = whole.path[state.index - first - 1]
            return replace(state, latents=merged(unedited, state.latents, found.mask))

        done = rest(run, part, found.prompts, predict=found.predict, after=after, looks=False)
        return replace(done, heat=whole.heat)

    def _until(
        self, stop: int, offsets: Sequence[int], what: Plan, prompts: Sequence[Prompt]
    ) -> tuple[Part, StepMaps]:
        """The steps up to `stop` with the prompt as it is, refined where the plan says so."""
        part, seen = self._plain_until(min(what.first, stop), offsets, prompts)
        if what.first >= stop:
            return part, seen
        if stop == self.run.steps:
            return self._on(part, seen, offsets, what, prompts, stop)
        cache = self.run.inputs.cache
        key = ("refined", stop, what.first, tuple(offsets), *self._what_decides())
        known = cache.get(key)
        if known is None:
            known = self._on(part, seen, offsets, what, prompts, stop)
            cache.put(key, known, known[0].size_bytes + _size_bytes(known[1]))
        return known

    def _on(
        self,
        part: Part,
        seen: StepMaps,
        offsets: Sequence[int],
        what: Plan,
        prompts: Sequence[Prompt],
        stop: int,
    ) -> tuple[Part, StepMaps]:
        """Go on to `stop`, shifting the latents as the plan says."""
        shifter, seen = Shifter(self.run, what, self.targets, offsets), dict(seen)
        part = rest(
            self.run,
            part,
            prompts,
            stop=stop,
            around=lambda denoise: shifter.around(self._recording(denoise, prompts[0], seen)),
        )
        return part, seen

    def _what_decides(self) -> tuple[object, ...]:
        """All that a refined state depends on, beside the plan."""
        values = sorted(self.parameters.to_json().items())
        own = ((name, repr(value)) for name, value in values if name not in _OF_SLIDERS)
        return (*what_decides(self.run), *own)

    def _plain_until(
        self, stop: int, offsets: Sequence[int], prompts: Sequence[Prompt]
    ) -> tuple[Part, StepMaps]:
        """The plain steps up to `stop`, from the latest of them that is known."""
        cache = self.run.inputs.cache
        own = (tuple(offsets), self.parameters.subjects, self.parameters.map_steps, *what_decides(self.run))
        known = (cache.get(("refine", earlier, *own)) for earlier in range(stop, 0, -1))
        nothing: tuple[Part, StepMaps] = (start(self.run, offsets), {})
        part, seen = next((one for one in known if one is not None), nothing)
        if part.state.index < stop:
            seen = dict(seen)
            part = rest(
                self.run,
                part,
                prompts,
                stop=stop,
                around=lambda denoise: self._recording(denoise, prompts[0], seen),
            )
            cache.put(("refine", stop, *own), (part, seen), part.size_bytes + _size_bytes(seen))
        return part, seen

    def _recording(self, denoise: Denoise, prompt: Prompt, seen: StepMaps) -> Denoise:
        """`denoise`, keeping the maps of the subjects at some steps, those of refinements included."""
        count = min(self.parameters.map_steps, self.plan.steps)
        kept = {round(i * (self.plan.steps - 1) / max(1, count - 1)) for i in range(count)}
        if count:
            kept |= set(self.plan.refinements)

        def recorded(latents: torch.Tensor, level: Level, index: int) -> Prediction:
            if index not in kept or not self.targets.subjects:
                return denoise(latents, level, index)
            with self.run.backbone.cross_attention_maps(prompt) as store:
                prediction = denoise(latents, level, index)
            for span in self.targets.subjects:
                seen[step_map(span, index)] = np.asarray(store.heat(*span), np.float32)
            return prediction

        return recorded


def step_map(span: tuple[int, int], index: int) -> str:
    """The key of a subject's map at one step: "attention/13-16@5"."""
    return f"attention/{span[0]}-{span[1]}@{index}"


def _own(prompt: Prompt, count: int) -> list[Prompt]:
    """The prompt once for each picture; attention is looked at for the first, which is the object itself."""
    return [prompt, *(replace(prompt) for _ in range(count - 1))]


def _not_finite(failed: int, pictures: int) -> tuple[Message, ...]:
    if pictures == 1:
        return (
            Message(
                "The refinement met numbers that are not finite; the picture stayed as it was without it."
            ),
        )
    return (
        Message(
            "The refinement met numbers that are not finite; {failed} of {pictures} pictures stayed as they "
            "were without it.",
            failed=failed,
            pictures=pictures,
        ),
    )


def _size_bytes(seen: StepMaps) -> int:
    return sum(one.nbytes for one in seen.values())
