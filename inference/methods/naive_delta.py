"""Naive deltas (Baumann et al. 2025, arXiv:2403.17064, eq. 2): learnt from prompt pairs in moments.

    python -m inference.methods.naive_delta            # all shipped deltas of the built-in models

Δe = scale · mean over prefixes and pairs of e(P+)[last token of the noun] - e(P-)[the same], for each
text encoder. With the usual scale of ½, e(P) + Δe lies about at e(P+) and e(P) - Δe about at e(P-), so
that α = ±1 says as much as the words do.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.definitions import Definition, read_definitions, sentence, shipped_folder
from inference.deltas import Delta, DeltaInfo, Vectors, phrases_of, write_delta
from inference.errors import EditorError
from inference.messages import short
from inference.progress import Progress

SHIPPED_LICENCE = "MIT"


@torch.no_grad()
def learn_naive(backbone: Backbone, definition: Definition, progress: Progress | None = None) -> Delta:
    """The delta of `definition` for the text encoders of `backbone`: float32 [width] for each.

    Raises:
        EditorError: the encoders read both ends of all pairs alike, so that it would do nothing.
    """
    differences: dict[str, list[Tensor]] = {}
    work = list(itertools.product(definition.prefixes, definition.pairs))
    for done, (prefix, pair) in enumerate(work):
        if progress is not None:
            progress.step(done, len(work))
        positive = _noun_embedding(backbone, sentence(prefix, pair.positive), pair.noun)
        negative = _noun_embedding(backbone, sentence(prefix, pair.negative), pair.noun)
        for encoder, embedding in positive.items():
            differences.setdefault(encoder, []).append(embedding - negative[encoder])
    vectors = {
        encoder: np.asarray(torch.stack(found).mean(0) * definition.scale, np.float32)
        for encoder, found in differences.items()
    }
    if not any(vector.any() for vector in vectors.values()):
        raise EditorError(
            "{model} reads “{positive}” and “{negative}” alike: there is nothing to learn.",
            "Choose other words, in shorter sentences.",
            model=backbone.name,
            positive=short(definition.pairs[0].positive),
            negative=short(definition.pairs[0].negative),
        )
    licence = SHIPPED_LICENCE if backbone.sandbox else ""
    return Delta(info=info_of(backbone, definition, vectors, "naive", licence), vectors=vectors)


def learn_shipped(backbone: Backbone, definitions: Sequence[Definition], folder: Path) -> list[Path]:
    """Write the deltas of one model to `folder`/<model>/<subject>-<attribute>.safetensors."""
    written: list[Path] = []
    for definition in definitions:
        path = folder / backbone.name / f"{definition.name}.safetensors"
        write_delta(learn_naive(backbone, definition), path)
        written.append(path)
    return written


def _noun_embedding(backbone: Backbone, text: str, noun: str) -> dict[str, Tensor]:
    """The embedding of the last token of the noun that ends `text`: float32 [width] for each encoder."""
    prompt = backbone.encode_prompt(text)
    tokens = prompt.tokens(len(text) - len(noun), len(text))
    return {
        encoder: prompt.embeddings[encoder][0, indices[-1]].float().cpu()
        for encoder, indices in tokens.items()
    }


def info_of(
    backbone: Backbone, definition: Definition, vectors: Vectors, method: str, licence: str = ""
) -> DeltaInfo:
    """What is known of a delta that was learnt from `definition` for `backbone`."""
    return DeltaInfo(
        key=f"{backbone.name}/{definition.name}",
        attribute=definition.attribute,
        label=definition.label,
        subjects=definition.subjects,
        range=definition.range,
        model=backbone.name,
        model_hash=backbone.model_hash,
        family=backbone.family.value,
        method=method,
        licence=licence,
        phrases=phrases_of(definition),
        widths={encoder: int(vector.shape[0]) for encoder, vector in vectors.items()},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the shipped deltas again; needed whenever a built-in model's text encoders change."""
    from inference.models import Catalogue
    from inference.weights.loading import load_backbone

    parser = argparse.ArgumentParser(prog="python -m inference.methods.naive_delta", description=main.__doc__)
    parser.add_argument("models", nargs="*", help="names, paths or hub ids (default: the built-in models)")
    parser.add_argument("--definitions", type=Path, default=shipped_folder() / "definitions")
    parser.add_argument("--out", type=Path, default=shipped_folder())
    chosen = parser.parse_args(arguments)
    catalogue = Catalogue(chosen.out)
    definitions = read_definitions(chosen.definitions)
    names = chosen.models or [entry.name for entry in catalogue.entries() if entry.sandbox]
    for name in names:
        backbone = load_backbone(catalogue.locate(name), device="cpu", progress=Progress())
        for path in learn_shipped(backbone, definitions, chosen.out):
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
