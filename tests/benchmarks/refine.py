"""What refining costs against diffusers' own Attend & Excite pipeline: the same weights, updates and loss.

    python -m tests.benchmarks.refine [--size 256] [--updates 20] [--repeats 3] [--wall]

Both refine at one step with as many updates, then update once more and denoise with guidance. The network has
the blocks of Stable Diffusion 1 at a fifth of its width, with random weights. Seconds are those of the
processor on one thread, also on a busy machine; `--wall` takes those of the clock. Target: at most 0.55.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionAttendAndExcitePipeline, UNet2DConditionModel

from inference.inputs import Inputs
from inference.loading import load_backbone
from inference.methods.gsn.refine import refine
from inference.models import Catalogue
from inference.operations import Refine, RefineSubject
from inference.progress import Progress
from tests.helpers.tiny_models import CLIP_L, sd1_pipeline

PROMPT = "a photo of a man and a cat"
SUBJECTS = (RefineSubject(start=13, end=16), RefineSubject(start=23, end=26))
TOKENS = [5, 8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wall", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    clock = time.perf_counter if chosen.wall else time.process_time
    with tempfile.TemporaryDirectory() as folder:
        pipeline = layout(chosen.size)
        pipeline.save_pretrained(Path(folder) / "sd1")
        catalogue = Catalogue(Path(folder), built_in=Path(folder))
        backbone = load_backbone(catalogue.find("sd1"), device="cpu")
    rival = attend_and_excite(pipeline)
    ours_s: list[float] = []
    theirs_s: list[float] = []
    for repeat in range(chosen.repeats + 1):
        started = clock()
        progress = refined(backbone, chosen.size, chosen.updates)
        middle = clock()
        rival_updates(rival, chosen.size, chosen.updates)
        if repeat:  # the first round chooses kernels
            ours_s.append(middle - started)
            theirs_s.append(clock() - middle)
    ours, theirs = statistics.median(ours_s), statistics.median(theirs_s)
    measured = progress.measured
    print(f"ours {ours:.2f} s, diffusers {theirs:.2f} s, ratio {ours / theirs:.3f}")
    print(f"evaluations {measured.denoiser_evaluations}, updates {measured.backward_evaluations}")


def layout(size: int) -> Any:
    """A pipeline with SD1's blocks, fed by the tests' small text encoder."""
    torch.manual_seed(0)
    pipeline = sd1_pipeline()
    pipeline.unet = UNet2DConditionModel(
        sample_size=size // 8,
        block_out_channels=(64, 128, 256, 256),
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        layers_per_block=2,
        attention_head_dim=8,
        cross_attention_dim=CLIP_L,
    )
    pipeline.scheduler = DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1
    )
    return pipeline


def attend_and_excite(pipeline: Any) -> Any:
    """diffusers' pipeline on the same networks."""
    parts = {name: part for name, part in pipeline.components.items() if name != "image_encoder"}
    rival = StableDiffusionAttendAndExcitePipeline(**parts, requires_safety_checker=False)
    rival.set_progress_bar_config(disable=True)
    return rival


def refined(backbone: Any, size: int, updates: int) -> Progress:
    """Our updates, one guidance update, one guided step; decoding is not part of either side."""
    parameters = Refine(
        prompt=PROMPT,
        subjects=SUBJECTS,
        method="plain",
        refinement_loss="neglect",
        guidance_loss="neglect",
        guidance_end=1,
        step=0,
        updates=updates,
        steps=1,
        guidance_scale=7.5,
        sampler="ddim",
        width=size,
        height=size,
        map_steps=0,
    )
    progress = Progress()
    backbone.measured = progress.measured
    backbone.decode = lambda latents: []
    refine(backbone, parameters, Inputs(), progress)
    return progress


def rival_updates(rival: Any, size: int, updates: int) -> None:
    """Their updates: a threshold that is never reached makes them stop after `updates` of them."""
    usual = rival._perform_iterative_refinement_step

    def limited(**given: Any) -> Any:
        return usual(**given, max_refinement_steps=updates)

    rival._perform_iterative_refinement_step = limited
    try:
        rival(
            prompt=PROMPT,
            token_indices=TOKENS,
            height=size,
            width=size,
            num_inference_steps=1,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(0),
            max_iter_to_alter=1,
            thresholds={0: 1.0},
            attn_res=(size // 32, size // 32),
            output_type="latent",
        )
    finally:
        rival._perform_iterative_refinement_step = usual


if __name__ == "__main__":
    main()
