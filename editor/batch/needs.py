"""What a recipe needs beside itself, looked for before all work: model, deltas, concepts. Free of torch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from editor.batch.operation_step import OperationStep
from editor.batch.recipe import BatchRecipe, Step
from inference.concepts.standing import Shelf, concepts_of, in_plain_words, with_concepts
from inference.content import Contents, content_hash
from inference.deltas import Delta, DeltaLibrary, delta_to_bytes
from inference.errors import EditorError
from inference.loras.library import LoraLibrary
from inference.messages import Message, listed
from inference.methods.prompt_to_prompt.presets import check_prompts
from inference.models import Catalogue, ModelEntry, ensure_complete, model_hash
from inference.operations import EditedParameters, Insert, LoraUse


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What was found; `assets` are hashes of deltas, which decide the result as well."""

    model: str = ""
    model_hash: str = ""
    assets: tuple[str, ...] = ()

    def fingerprint(self, recipe: BatchRecipe) -> str:
        return recipe.fingerprint(self.model_hash, self.assets)


def completed(recipe: BatchRecipe, shelf: Shelf) -> BatchRecipe:
    """The recipe with the concepts whose words stand in its prompts: they decide the result as well.

    Raises:
        EditorError: a word in angle brackets that nobody taught.
    """
    if not recipe.needs_model:
        return recipe
    contents: Contents = recipe.contents
    steps: list[Step] = []
    for number, step in enumerate(recipe.steps, 1):
        if isinstance(step, OperationStep) and step.on:
            try:
                parameters, contents = with_concepts(step.parameters, contents, shelf)
            except EditorError as error:
                what = Message("Step {number} of the recipe: {what}", number=number, what=error.sentence)
                raise EditorError(what, error.advice) from error
            step = replace(step, parameters=parameters)
        steps.append(step)
    return replace(recipe, steps=tuple(steps), contents=contents)


def needs_of(
    recipe: BatchRecipe, catalogue: Catalogue, library: DeltaLibrary, loras: LoraLibrary | None = None
) -> Needs:
    """Everything that a recipe names, found on this machine.

    Raises:
        EditorError: the model is missing, incomplete or another one; a delta or a LoRA is missing; an
            operation, a concept or a LoRA does not work with the model; two prompts of an edit by words make
            no change.
    """
    if not recipe.needs_model:
        return Needs()
    entry = catalogue.find(recipe.model, recipe.model_hash)
    ensure_complete(entry)
    found = model_hash(entry)
    if recipe.model_hash and not (found.startswith(recipe.model_hash) or recipe.model_hash.startswith(found)):
        raise EditorError(
            "The weights of {name} are not those that the recipe was made with ({wanted}, here {found}).",
            "Add the model that it was made with, or take “model_hash” out of the recipe.",
            name=entry.name,
            wanted=recipe.model_hash[:12],
            found=found[:12],
        )
    assets: list[str] = []
    for step in recipe.active:
        if not isinstance(step, OperationStep):
            continue
        families = step.declared.families
        if entry.family not in families:
            raise EditorError(
                "“{operation}” does not work with {model} ({family}).",
                "Choose a model of: {families}.",
                operation=step.declared.label,
                model=entry.name,
                family=entry.family.value.upper(),
                families=listed(sorted(family.value.upper() for family in families)),
            )
        if isinstance(step.parameters, Insert):
            check_prompts(step.parameters)
        for concept in concepts_of(step.parameters, recipe.contents):
            concept.refuse_family(entry.name, entry.family.value)
        assets += _deltas(step, recipe.contents, entry, library)
        if loras is not None:
            _check_loras(step, entry, loras)
    return Needs(model=entry.name, model_hash=found, assets=tuple(assets))


def _check_loras(step: OperationStep, entry: ModelEntry, library: LoraLibrary) -> None:
    """Whether a step's LoRAs are there and for the model's family.

    Raises:
        EditorError: one is not.
    """
    uses: tuple[LoraUse, ...] = getattr(step.parameters, "loras", ())
    for use in uses:
        library.asked_for(use).refuse_misfit(entry.name, entry.family)


def _deltas(step: OperationStep, contents: Contents, entry: ModelEntry, library: DeltaLibrary) -> list[str]:
    """The hashes of the deltas of a step's sliders.

    Raises:
        EditorError: one is missing, or another one than the recipe was made with.
    """
    parameters = step.parameters
    if not isinstance(parameters, EditedParameters):
        return []
    found: list[str] = []
    concepts = concepts_of(parameters, contents)
    for edit in parameters.edits:
        # attributes are those of the kind: "<my-cat>" has a cat's
        subject = in_plain_words(parameters.prompt[edit.start : edit.end], concepts)
        delta = library.find(entry, subject, edit.attribute)
        if not delta.vectors:  # learnt from its definition when it is needed
            found.append(delta.info.key)
            continue
        if edit.delta is not None and edit.delta.hash not in _hashes(delta):
            raise EditorError(
                Message(
                    "The delta of “{subject}: {attribute}” is another one than the recipe was made with.",
                    subject=subject,
                    attribute=edit.attribute,
                ),
                "Import the one that it was made with, or take its “delta” out of the recipe.",
            )
        found.append(content_hash(delta_to_bytes(delta)))
    return found


def _hashes(delta: Delta) -> Iterator[str]:
    """Of the whole delta, and of what models with some of its encoders take of it."""
    names = sorted(delta.vectors)
    for count in range(1, len(names) + 1):
        for some in itertools.combinations(names, count):
            part = replace(delta, vectors={name: delta.vectors[name] for name in some})
            yield content_hash(delta_to_bytes(part))
