"""What a checkpoint has learnt so far, as the file of a concept. Free of torch: the window keeps it."""

import json
from collections.abc import Mapping

import numpy as np

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.errors import EditorError
from inference.messages import Message
from inference.values import json_object, typed
from inference.weights.packed import unpacked

FORMAT = "attune-learning-concept-1"
BEST = "best."
PICTURE = "picture"
NAME = Message("checkpoint")
TEXTS = ("word", "kind", "template", "model", "model_hash", "family")


def about(concept: Mapping[str, str]) -> str:
    """The texts of a concept as a checkpoint keeps them."""
    return json.dumps({name: concept[name] for name in TEXTS}, ensure_ascii=False)


def concept_file_of(content: bytes) -> bytes:
    """The best rows in a checkpoint of `learn-concept`, as a concept's file.

    Raises:
        EditorError: it is none, damaged, or has learnt nothing yet.
    """
    arrays, texts = unpacked(content, NAME)
    if texts.get("format") != FORMAT:
        raise EditorError("The checkpoint is of another kind.", "Begin again.")
    state = json_object(texts.get("state", ""), NAME)
    if not state.get("best_step"):
        raise EditorError("Nothing has been learnt yet.", "Let it learn for a while.")
    said = typed(Mapping[str, str], json_object(texts.get("concept", ""), NAME), NAME)
    vectors = {
        name.removeprefix(BEST): np.asarray(array, np.float32)
        for name, array in arrays.items()
        if name.startswith(BEST)
    }
    picture = arrays.get(PICTURE)
    values = {name: said.get(name, "") for name in TEXTS}
    return concept_file(
        Concept(**values, vectors=vectors, picture=b"" if picture is None else picture.tobytes())
    )
