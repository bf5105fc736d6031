"""An autoencoder of the user's choice in the place of a model's own. Free of torch.

It is a file in the original layout (`vae-ft-mse-840000.safetensors`, `sdxl_vae.safetensors`), or a diffusers
folder with `config.json` and its weights, or one in which that lies as `vae`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.operations import Family
from inference.weights import checkpoints, derived
from inference.weights.configuration import Configuration, of_file, of_folder
from inference.weights.headers import read_header, unfinite_tensor

_CONFIG = "config.json"
_WEIGHTS = tuple(f"diffusion_pytorch_model{variant}.safetensors" for variant in ("", ".fp16"))
_CLASS = "AutoencoderKL"
_DENOISERS = ("unet", "transformer")


def of_model(path: Path, family: Family, vae: Path | None = None) -> Configuration:
    """The configuration of a model's file or folder, with `vae` in the place of its autoencoder.

    Raises:
        EditorError: one of them is missing, damaged, or of a kind that is not supported, or they do not fit.
    """
    found = of_file(path, family) if path.is_file() else of_folder(path, family)
    return found if vae is None else _with_vae(found, vae, family)


def weights_of(vae: Path) -> Path:
    """The file that holds an autoencoder's weights.

    Raises:
        EditorError: there is none.
    """
    if vae.is_file():
        return vae
    folder = _folder(vae)
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise EditorError(
        "“{name}” holds no autoencoder (VAE): {file} is missing.",
        "Choose a .safetensors file, or a diffusers folder with config.json.",
        name=vae.name,
        file=_WEIGHTS[0],
    )


def unfinite(vae: Path) -> Iterator[EditorError]:
    """A sentence if its weights hold values that are no numbers; all of it is read."""
    file = weights_of(vae)
    start, header = read_header(file)
    for name, place in header.items():
        if unfinite_tensor(file, start, name, place) is not None:
            yield EditorError(
                "“{model}” is damaged: the weights of {tensor} hold values that are no numbers.",
                "Copy or download it again.",
                model=file.name,
                tensor=name,
            )
            return


def _with_vae(model: Configuration, vae: Path, family: Family) -> Configuration:
    file = weights_of(vae)
    header = checkpoints.safetensors_header(file)
    named = any(name.startswith("decoder.up_blocks.") for name in header)  # as diffusers names them
    values = _values(file) if named else derived.beside_of(header, "vae", family)
    if not values:
        raise EditorError(
            "“{name}” holds no autoencoder (VAE).",
            "Choose the file of an autoencoder, such as sdxl_vae.safetensors.",
            name=file.name,
        )
    _check_channels(model, values, file)
    return replace(
        model,
        parts={**model.parts, "vae": values},
        files={**model.files, "vae": file},
        as_named=frozenset({"vae"}) if named else frozenset(),
    )


def _values(file: Path) -> dict[str, Any]:
    """What the folder's configuration says of weights in diffusers' names."""
    place = file.with_name(_CONFIG)
    if not place.is_file():
        raise EditorError(
            "“{name}” has no {config} beside it.",
            "Choose the whole folder of the autoencoder, or its file in the original layout.",
            name=file.name,
            config=_CONFIG,
        )
    values = checkpoints.read_json(place)
    if values.get("_class_name", _CLASS) != _CLASS:
        raise EditorError(
            "“{name}” is an {kind}, which is not supported.",
            "Choose an {known}.",
            name=file.parent.name,
            kind=str(values["_class_name"])[:60],
            known=_CLASS,
        )
    return values


def _check_channels(model: Configuration, values: dict[str, Any], file: Path) -> None:
    """Latents have to be those of the denoiser: as many channels, and as many pixels to a side."""
    none: Mapping[str, Any] = {}
    denoiser = next((model.parts[part] for part in _DENOISERS if part in model.parts), none)
    wanted = denoiser.get("out_channels") or denoiser.get("in_channels")
    given = values.get("latent_channels", 4)
    own = model.parts.get("vae", none).get("block_out_channels", ())
    widths = values.get("block_out_channels", ())
    if given != wanted or (own and len(own) != len(widths)):
        raise EditorError(
            "The autoencoder “{name}” has {given} channels in {levels} steps, the model takes {wanted} in "
            "{own}.",
            "Choose an autoencoder of the model's own family.",
            name=file.name,
            given=given,
            levels=len(widths),
            wanted=wanted,
            own=len(own) or len(widths),
        )


def _folder(vae: Path) -> Path:
    return vae / "vae" if (vae / "vae" / _CONFIG).is_file() else vae
