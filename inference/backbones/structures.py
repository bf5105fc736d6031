"""Where each family's denoiser holds the layout of what it draws; free of torch, the window asks for it."""

from inference.features import Structure
from inference.operations import Family

# The block of an MMDiT, in shares of its depth, whose output is told for structure.
_STRUCTURE_DEPTH = 1 / 3


def structure_of(family: Family, blocks: int = 0) -> Structure:
    """The usual places and shares of a family; `blocks` are those of a transformer."""
    if family is Family.SD1:
        # Plug-and-Play (arXiv:2211.12572): f^4, and the self attention of decoder layers 4-11
        return Structure(
            features=("up_blocks.1.resnets.1.conv2",),
            attention=("up_blocks.1.attentions.[12].*.attn1", "up_blocks.[23].attentions.[012].*.attn1"),
            feature_share=0.8,
            attention_share=0.5,
        )
    if family is Family.SDXL:
        # Ctrl-X (arXiv:2406.07540)
        return Structure(
            features=("up_blocks.0.resnets.0",),
            attention=("up_blocks.0.attentions.[012].*.attn1",),
            feature_share=0.6,
            attention_share=0.6,
        )
    # found by experiment, see docs/decisions/0012-structure-of-an-mmdit.md
    return Structure(
        features=(f"transformer_blocks.{round(blocks * _STRUCTURE_DEPTH)}",),
        attention=("transformer_blocks.*.attn",),
        feature_share=0.6,
        attention_share=0.6,
        features_hold_noise=True,
    )
