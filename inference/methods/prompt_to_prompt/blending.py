"""Where a change by words may be: local blend (arXiv:2208.01626, section 4), and a place that is given.

    mask = pooled(Σ_steps maps of the words) / its maximum > threshold,    of either prompt's words
    x ← x where the mask is, the source's latents elsewhere, exactly

The maps are the source's and the target's own, as they were before anything was carried over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from inference.prompts.prompt import Prompt

THRESHOLD = 0.3
BEGINS_AT = 0.2  # of the steps: before, the maps say little


@dataclass(kw_only=True)
class Blend:
    """The masks of one run, which grow clearer from step to step.

    Args:
        size: rows and columns of the latents.
        first: the first step after which the source's latents are put back outside of the words.
        threshold: of 0..1 of the clearest place.
        source: indices of the words' columns among the maps' of the source.
        targets: the same for each target prompt.
        place: [1, 1, h, w] in 0..1, outside of which nothing changes at any step.
        by_words: whether the words' maps confine the change at all.
        kept: bool [1, 1, h, w], what the words' maps do not reach: the place of something else that stays.
    """

    size: tuple[int, int]
    first: int
    threshold: float = THRESHOLD
    source: Sequence[int] = ()
    targets: Mapping[Prompt, Sequence[int]] = field(default_factory=dict[Prompt, Sequence[int]])
    place: Tensor | None = None
    by_words: bool = True
    kept: Tensor | None = None
    _of_source: Tensor | None = None
    _of_targets: dict[Prompt, Tensor] = field(default_factory=dict[Prompt, Tensor])

    def add(self, source: Sequence[Tensor], targets: Mapping[Prompt, Sequence[Tensor]]) -> None:
        """Take in one step's maps [rows, columns, T] of each layer."""
        if self.source and source:
            found = _mean(source, self.source)
            self._of_source = found if self._of_source is None else self._of_source + found
        for prompt, maps in targets.items():
            columns = self.targets.get(prompt, ())
            if columns and maps:
                known = self._of_targets.get(prompt)
                found = _mean(maps, columns)
                self._of_targets[prompt] = found if known is None else known + found

    def sums(self, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """What was taken in so far, by name: for a checkpoint."""
        found = {} if self._of_source is None else {"source": self._of_source}
        targets = {str(i): self._of_targets.get(prompt) for i, prompt in enumerate(prompts)}
        return found | {name: value for name, value in targets.items() if value is not None}

    def restore(self, prompts: Sequence[Prompt], known: Callable[[str], Tensor | None]) -> None:
        """Go on from `sums`."""
        self._of_source = known("source")
        for index, prompt in enumerate(prompts):
            value = known(str(index))
            if value is not None:
                self._of_targets[prompt] = value

    def mask(self, prompt: Prompt, index: int) -> Tensor | None:
        """Where the picture of a prompt may change after step `index`, bool [1, 1, h, w]; None: anywhere."""
        place = None if self.place is None else self.place > 0
        if not self.by_words or index < self.first:
            return place
        maps = [one for one in (self._of_source, self._of_targets.get(prompt)) if one is not None]
        if not maps:
            return place
        found = torch.stack([self._clear(one) for one in maps]).any(0)
        if self.kept is not None:
            found = found & ~self.kept.to(found.device)
        return found if place is None else found & place

    def seen(self, prompt: Prompt) -> Tensor | None:
        """Where the words that change are seen in the picture of a prompt, [rows, columns of the grid].

        None where words do not confine the change, or nothing was looked at.
        """
        return self._of_targets.get(prompt, self._of_source) if self.by_words else None

    def merged(self, unedited: Tensor, edited: Tensor, prompts: Sequence[Prompt], index: int) -> Tensor:
        """The edited latents [N, C, h, w] where they may differ, the unedited [1, C, h, w] elsewhere."""
        rows: list[Tensor] = []
        for row, prompt in enumerate(prompts):
            own, mask = edited[row : row + 1], self.mask(prompt, index)
            rows.append(own if mask is None else torch.where(mask, own, unedited.to(own)))
        return torch.cat(rows)

    def _clear(self, maps: Tensor) -> Tensor:
        pooled = functional.max_pool2d(maps[None, None], 3, stride=1, padding=1)
        whole = functional.interpolate(pooled, size=self.size, mode="bilinear", align_corners=False)
        return whole / whole.amax().clamp(min=1e-12) > self.threshold


def _mean(maps: Sequence[Tensor], columns: Sequence[int]) -> Tensor:
    """Mean over layers, and over the tokens of the words: [rows, columns of the grid]."""
    return torch.stack([one[..., list(columns)].mean(-1) for one in maps]).mean(0)
