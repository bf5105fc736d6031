"""Tokenizers of text encoders: those of a model's folder, and CLIP's, which is the same for all models.

CLIP's merges (https://github.com/openai/CLIP, MIT licence) lie in `resources/model_references`; its
vocabulary follows from them: 256 bytes, the same at the end of a word, what each merge makes, start and end.
"""

from functools import cache
from pathlib import Path
from typing import Any, cast

import resources
from transformers import CLIPTokenizer, T5Tokenizer

from inference.weights.configuration import Configuration

_START, _END = "<|startoftext|>", "<|endoftext|>"
_LENGTH = 77
_MERGES = Path(resources.__file__).parent / "model_references" / "clip_merges.txt"


def tokenizer_of(configuration: Configuration, part: str) -> Any:
    """A tokenizer of the class that the part has in every model; what its files name is not asked."""
    folder = configuration.tokenizers.get(part)
    if folder is None:
        encoder = configuration.parts[part.replace("tokenizer", "text_encoder")]
        return shipped_clip(pads_with_end=encoder.get("hidden_act") == "quick_gelu")
    kind: Any = T5Tokenizer if part == "tokenizer_3" else CLIPTokenizer
    made = kind.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    if kind is CLIPTokenizer and not 2 < made.model_max_length <= _LENGTH:
        made.model_max_length = _LENGTH  # its encoder has no more places, whatever the file says
    return made


def shipped_clip(*, pads_with_end: bool) -> Any:
    """CLIP's tokenizer; OpenAI's encoder was trained with ends as padding, OpenCLIP's with "!" (number 0)."""
    vocabulary, merges = _vocabulary()
    return CLIPTokenizer(
        vocab=dict(vocabulary),
        merges=cast(Any, list(merges)),  # pairs, whatever its annotation says
        bos_token=_START,
        eos_token=_END,
        unk_token=_END,
        pad_token=_END if pads_with_end else "!",
        model_max_length=_LENGTH,
    )


@cache
def _vocabulary() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    lines = _MERGES.read_text(encoding="utf-8").splitlines()
    merges = tuple((left, right) for left, right in (line.split(" ") for line in lines))
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(left + right for left, right in merges)]
    return {token: number for number, token in enumerate((*tokens, _START, _END))}, merges


def _byte_letters() -> list[str]:
    """The printable letters by which CLIP writes the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]
