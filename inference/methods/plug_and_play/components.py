"""What the model sees in a picture: principal components of its features and of its self attention.

As the figures of Plug-and-Play show them (arXiv:2211.12572): at some noise levels the picture is noised
and looked at once; of the features of each place [places, D], and of what each place attends to, the three
strongest directions are shown as red, green and blue. Parts that the model takes for alike have one colour.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Tap, Where
from inference.backbones.base import Backbone
from inference.features import FeatureCall
from inference.inputs import Inputs
from inference.methods.generate import prepare
from inference.methods.inversion.paths import step_noise
from inference.methods.plug_and_play.injection import places_of
from inference.methods.redraw import encoded
from inference.operations import See
from inference.progress import Progress
from inference.request import Output

COLOURS = 3
# Columns of attention that are told apart; more are averaged in groups.
_MOST_COLUMNS = 256


def see(backbone: Backbone, parameters: See, inputs: Inputs, progress: Progress) -> Output:
    """Maps {"seen/STEP/PLACE/0|1|2": [rows, columns] in 0..1}; the picture is handed back untouched.

    STEP counts from the noise. One evaluation a step.
    """
    picture = inputs.pixels(parameters.image)
    run = prepare(backbone, parameters, inputs, progress)
    latents = encoded(run, parameters.image.hash, picture)
    where = shown_places(backbone)
    last = max(1, parameters.looks - 1)
    looked = sorted({round(look / last * (run.steps - 1)) for look in range(parameters.looks)})
    found: dict[str, NDArray[np.float32]] = {}
    with progress.phase("sample"), torch.no_grad():
        for number, index in enumerate(looked):
            level, tap = run.levels[index], _Looking()
            noised = level.alpha * latents + level.sigma * step_noise(parameters.seed, index, latents)
            backbone.read(tap, where, noised, level, [run.prompt])
            for name, colours in tap.found.items():
                for channel in range(COLOURS):
                    found[f"seen/{index}/{name}/{channel}"] = colours[..., channel]
            progress.step(number + 1, len(looked))
    # as one file, too, for other programs
    return Output(images=(picture,), maps=found, artifacts={"seen": safetensors.numpy.save(found)})


def shown_places(backbone: Backbone) -> Where:
    """Outputs of the decoder's parts, and the attention that holds structure."""
    layers = places_of(backbone).layers
    features = [place for place in backbone.features if not place.name.endswith(".conv2")]
    decoder = [place.name for place in features if place.name.startswith("up_blocks")]
    told = [place.name for place in places_of(backbone).features]
    return Where(
        kinds={layer.kind for layer in layers},
        names=[layer.name for layer in layers],
        features=list(dict.fromkeys([*(decoder or [place.name for place in features]), *told])),
    )


def principal_components(values: Tensor, count: int = COLOURS) -> Tensor:
    """The strongest directions of [places, D], each in 0..1: [places, count].

    Directions point to where their largest coordinate is positive, so that the same features have the same
    colours. Directions that nothing varies along are 0.5 everywhere.
    """
    centred = (values - values.mean(0)).double()
    linear: Any = torch.linalg
    decomposed = linear.svd(centred, full_matrices=False)
    strengths: Tensor = decomposed.S
    every: Tensor = decomposed.Vh
    wanted = min(count, len(every))
    directions = every[:wanted]
    largest = directions.abs().argmax(1, keepdim=True)
    projected = centred @ (directions * directions.gather(1, largest).sign()).T
    low, high = projected.amin(0), projected.amax(0)
    scaled = (projected - low) / (high - low).clamp(min=1e-12)
    flat = strengths[:wanted] <= 1e-9 * strengths[0].clamp(min=1e-12)
    scaled[:, flat] = 0.5
    padded = torch.full((len(values), count), 0.5, dtype=torch.float64, device=values.device)
    padded[:, :wanted] = scaled
    return padded.float()


@dataclass
class _Looking(Tap):
    """Takes the components of everything that it sees: [rows, columns, 3] by the place's name."""

    found: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def features(self, call: FeatureCall) -> Tensor:
        values = call.features[0].float().flatten(1).T
        self._put(call.place.name, values, tuple(call.features.shape[-2:]))
        return call.features

    def attention(self, call: AttentionCall) -> Tensor:
        count = call.image_tokens
        probabilities = call.probabilities([0], range(count)).mean(dim=(0, 1))
        if call.layer.kind is AttentionKind.JOINT:
            probabilities = probabilities / probabilities.sum(-1, keepdim=True)
        if count > _MOST_COLUMNS:
            groups = torch.nn.functional.adaptive_avg_pool1d(probabilities[None], _MOST_COLUMNS)
            probabilities = groups[0]
        self._put(call.layer.name, probabilities, call.grid)
        return call.attend()

    def _put(self, name: str, values: Tensor, grid: tuple[int, ...]) -> None:
        self.found[name] = principal_components(values).reshape(*grid, COLOURS).cpu().numpy()
