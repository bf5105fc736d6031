"""Where a change by words may be: masks from maps that are known."""

import torch

from inference.methods.prompt_to_prompt.blending import Blend
from inference.prompts.prompt import Prompt

SIZE = (16, 24)


def prompt() -> Prompt:
    return Prompt(text="a cat", embeddings={}, pooled=None, offsets={})


def maps(row: int, column: int, strength: float = 1.0) -> torch.Tensor:
    """[4, 6, 3]: the second word is seen at one place, everything else a little everywhere."""
    found = torch.full((4, 6, 3), 0.1)
    found[row, column, 1] = strength
    return found


def test_a_word_is_where_its_map_is_clear_and_one_cell_around() -> None:
    target = prompt()
    blend = Blend(size=SIZE, first=2, source=[1], targets={target: [1]})
    assert blend.mask(target, 1) is None, "too early to say"
    blend.add([maps(1, 1)], {target: [maps(1, 1)]})
    mask = blend.mask(target, 2)
    assert mask is not None
    assert mask.shape == (1, 1, *SIZE)
    assert bool(mask[0, 0, 4:8, 4:8].all())
    assert not bool(mask[0, 0, :, 14:].any())


def test_where_the_old_word_was_and_where_the_new_one_comes_are_both_free() -> None:
    target, other = prompt(), prompt()
    blend = Blend(size=SIZE, first=0, source=[1], targets={target: [1], other: [1]})
    blend.add([maps(0, 0)], {target: [maps(3, 5)], other: [maps(0, 0)]})
    mask, of_other = blend.mask(target, 5), blend.mask(other, 5)
    assert mask is not None
    assert of_other is not None
    for row, column in ((1, 1), (14, 22)):
        assert bool(mask[0, 0, row, column])
    assert not bool(of_other[0, 0, 14, 22])
    kept = torch.zeros(1, 4, *SIZE)
    edited = torch.randn(2, 4, *SIZE)
    merged = blend.merged(kept, edited, [target, other], 5)
    inside = torch.cat([mask, of_other]).expand_as(edited)
    assert torch.equal(merged[inside], edited[inside])
    assert bool((merged[~inside] == 0).all())


def test_a_place_holds_at_every_step_and_what_was_summed_is_never_changed_in_place() -> None:
    target = prompt()
    place = torch.zeros(1, 1, *SIZE)
    place[..., :4] = 1
    blend = Blend(size=SIZE, first=9, source=[1], targets={target: [1]}, place=place)
    mask = blend.mask(target, 0)
    assert mask is not None
    assert torch.equal(mask, place > 0)
    seen = maps(2, 2)
    before = seen.clone()
    blend.add([seen], {target: [seen]})
    kept = {name: value.clone() for name, value in blend.sums([target]).items()}
    first = dict(blend.sums([target]))
    blend.add([seen], {target: [seen]})
    assert torch.equal(seen, before)
    assert all(torch.equal(first[name], value) for name, value in kept.items())
    again = Blend(size=SIZE, first=9, source=[1], targets={target: [1]}, place=place)
    again.restore([target], lambda name: blend.sums([target]).get(name))
    mine, theirs = again.mask(target, 9), blend.mask(target, 9)
    assert mine is not None
    assert theirs is not None
    assert torch.equal(mine, theirs)


def test_the_words_do_not_reach_the_place_of_something_that_stays() -> None:
    target = prompt()
    kept = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    kept[..., 12:, 20:] = True
    blend = Blend(size=SIZE, first=0, source=[1], targets={target: [1]}, kept=kept)
    assert blend.mask(target, 0) is None, "without maps nothing is confined"
    blend.add([maps(0, 0)], {target: [maps(3, 5)]})  # the new word fits what stays as well
    mask = blend.mask(target, 1)
    assert mask is not None
    assert bool(mask[0, 0, 1, 1])
    assert not bool((mask & kept).any())
    assert bool(mask[0, 0, 11, 19]), "one cell around it may change"
