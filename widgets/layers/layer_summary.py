"""A node in words: the second line of its row, its tool tip, what a screen reader says."""

from PySide6.QtCore import QCoreApplication

from editor.adjustments import kind_of
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Node
from editor.layers.recipes import Recipe
from editor.words.wording import attribute_name, signed
from inference.downloads.curated import title_of
from inference.parameters import ParameterField, Parameters

translate = QCoreApplication.translate


def summary(node: Node) -> str:
    """How a node was made or what it is, after its blend mode if that is not the usual one."""
    parts = [] if node.blend_mode is BlendMode.NORMAL else [blend_label(node.blend_mode)]
    parts.append(_kind(node))
    return " · ".join(part for part in parts if part)


def recipe_summary(recipe: Recipe) -> str:
    """Like “age +0.64 · seed 7”; without sliders “seed 7 · mini-sdxl”; no seed that decides nothing."""
    words = translate("LayerModel", "seed {seed}")
    seed = [words.format(seed=recipe.seed)] if recipe.has_seed else []
    moved = [f"{attribute_name(edit.attribute)} {signed(edit.value)}" for edit in recipe.edits if edit.value]
    if moved and seed:
        return " · ".join([*moved, *seed])
    return " · ".join([*moved, *seed, title_of(recipe.request.model)])


def tip(node: Node, *, older: bool = False) -> str:
    if older:
        text = translate("LayerModel", "“{name}” was made from an older state of the picture below it.")
        hint = translate("LayerModel", "Make it again: right-click, or the button in the panel “Subjects”.")
        return text.format(name=node.name) + "\n" + hint
    if isinstance(node, Layer) and node.recipe is not None:
        return translate("LayerModel", "{prompt}\nDouble click shows its sliders.").format(
            prompt=node.recipe.prompt
        )
    if isinstance(node, Layer):
        return _size(node, translate("LayerModel", "{width} × {height} pixels"))
    if isinstance(node, Adjustment):
        return translate("LayerModel", "{name}\nDouble click shows its settings.").format(name=node.name)
    return node.name


def spoken(node: Node, *, older: bool = False) -> str:
    """Name, kind and state, for screen readers."""
    parts = [node.name, summary(node)]
    if older:
        parts.append(translate("LayerModel", "of an older state"))
    if not node.visible:
        parts.append(translate("LayerModel", "hidden"))
    if node.locked:
        parts.append(translate("LayerModel", "locked"))
    if node.clipped:
        parts.append(translate("LayerModel", "clipped"))
    if node.mask is not None:
        parts.append(translate("LayerModel", "with mask"))
    return ", ".join(parts)


def blend_label(mode: BlendMode) -> str:
    return translate("BlendMode", mode.label)


def _kind(node: Node) -> str:
    if isinstance(node, Group):
        return _of_group(node)
    if isinstance(node, Adjustment):
        return _of_adjustment(node)
    if isinstance(node, Layer) and node.recipe is not None:
        return recipe_summary(node.recipe)
    if isinstance(node, Layer) and node.text is not None:
        text = translate("LayerModel", "{family} {size} px")
        return text.format(family=node.text.family, size=f"{node.text.size_px:g}").strip()
    return _size(node, translate("LayerModel", "{width} × {height} px")) if isinstance(node, Layer) else ""


def _of_adjustment(node: Adjustment) -> str:
    """Which kind it is, unless it is called so, and how it is set."""
    kind = translate("Adjustments", kind_of(node.settings).label)
    named = [] if node.name == kind else [kind]
    return " · ".join([*named, *_set(node.settings)]) or translate("LayerModel", "adjustment layer")


def _set(settings: Parameters) -> list[str]:
    """What is set otherwise than at first; else what does something at first, such as a radius."""
    values = [(item, getattr(settings, item.name)) for item in settings.declared()]
    changed = [(item, value) for item, value in values if value != item.default]
    working = [(item, value) for item, value in values if item.type in (int, float) and value]
    return [_value(item, value) for item, value in changed or working]


def _value(item: ParameterField, value: object) -> str:
    label = translate("Adjustments", item.declaration.label)
    if item.type not in (int, float):
        return label
    both_ways = (item.declaration.min or 0) < 0
    return f"{label} {value:{'+' if both_ways else ''}g}".replace("-", "−")


def _of_group(group: Group) -> str:
    count = len(group.children)
    one, many = translate("LayerModel", "1 layer"), translate("LayerModel", "{count} layers")
    text = one if count == 1 else many.format(count=count)
    passes = translate("LayerModel", "pass through")
    return text if group.isolated else f"{text} · {passes}"


def _size(layer: Layer, text: str) -> str:
    return text.format(width=layer.width, height=layer.height)
