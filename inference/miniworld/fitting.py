"""The training loop that all parts share: budget, learning rate, running average, checkpoints, log.

Several processes may train one module ("lanes"): each sees samples of its own, all follow the mean gradient.
On a CPU two lanes of one thread do nearly twice as much as one with two threads.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, distributed, nn

CHECKPOINT_EVERY_S: Final = 90.0
LOG_EVERY_S: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long to train: `minutes` of wall-clock time, or `steps`, whichever ends first.

    The learning rate follows the share of the budget that is used up, so that it has decayed when time is up.
    """

    minutes: float = float("inf")
    steps: int = 10**9

    def used(self, seconds: float, step: int) -> float:
        return max(seconds / (self.minutes * 60), step / self.steps)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings of one training run."""

    name: str
    learning_rate: float
    budget: Budget
    warmup_steps: int = 100
    decay_share: float = 0.45
    weight_decay: float = 0.01
    ema_decay: float = 0.998
    clip_norm: float = 1.0
    seed: int = 0


@dataclass
class Fit:
    """A run in progress: the trained module, its running average, and how far it is."""

    plan: Plan
    module: nn.Module
    folder: Path
    step: int = 0
    seconds: float = 0.0
    ema: nn.Module = field(init=False)
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.ema = copy.deepcopy(self.module).requires_grad_(False).eval()
        matrices = [p for p in self.module.parameters() if p.requires_grad and p.ndim > 1]
        vectors = [p for p in self.module.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": self.plan.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=self.plan.learning_rate, betas=(0.9, 0.98))

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.plan.name}.pt"

    @property
    def share(self) -> float:
        """The share of the budget that is used up, 0..1."""
        return min(1.0, self.plan.budget.used(self.seconds, self.step))

    def save(self) -> None:
        """Writes everything needed to go on; a torn write never replaces a good file."""
        state = {
            "module": self.module.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> bool:
        """Continues from the checkpoint when there is one; says whether there was."""
        if not self.checkpoint.is_file():
            return False
        device = next(self.module.parameters()).device
        state: dict[str, Any] = torch.load(self.checkpoint, map_location=device, weights_only=True)
        self.module.load_state_dict(state["module"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        return True


def join_lanes() -> None:
    """Train together with the processes that `torchrun` started beside this one, if it did."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        distributed.init_process_group("gloo")


def lanes() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def lane() -> int:
    """Which of them this is; the first, 0, writes what there is to write."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def _meant(values: Tensor) -> Tensor:
    """The mean over all lanes, in place."""
    if lanes() > 1:
        distributed.all_reduce(values)
        values /= lanes()
    return values


def rate_factor(plan: Plan, share: float, step: int) -> float:
    """Warm-up over steps times a linear decay over the last `decay_share` of the budget."""
    warm = min(1.0, (step + 1) / max(1, plan.warmup_steps))
    return warm * min(1.0, max(0.0, 1 - share) / plan.decay_share + 0.01)


def fit(
    run: Fit,
    loss_of: Callable[[int, float], tuple[Tensor, dict[str, float]]],
    snapshot: Callable[[Fit], None] | None = None,
    *,
    snapshot_every_s: float = 300.0,
) -> Fit:
    """Trains until the budget is used up, resuming an earlier run of the same name.

    `loss_of(step, share)` gives the scalar loss and figures for the log; it must draw its randomness from the
    step (and, to train in lanes, from the lane), so that a resumed run sees the data it would have seen.
    `snapshot` is called now and then, and at the end.
    """
    run.resume()
    log = run.folder / f"{run.plan.name}.log"
    run.folder.mkdir(parents=True, exist_ok=True)
    saved = logged = shown = time.monotonic()
    run.module.train()
    while run.share < 1.0:
        started = time.monotonic()
        figures = _one_step(run, loss_of)
        now = time.monotonic()
        # so that all stop together
        run.seconds += float(_meant(torch.tensor(now - started, dtype=torch.float64)))
        if lane():
            continue
        if now - logged > LOG_EVERY_S or run.step <= 3:
            _write_log(log, run, figures)
            logged = now
        if now - saved > CHECKPOINT_EVERY_S:
            run.save()
            saved = now
        if snapshot is not None and now - shown > snapshot_every_s:
            snapshot(run)
            shown = time.monotonic()
    if not lane():
        run.save()
        if snapshot is not None:
            snapshot(run)
    return run


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it natively, float32 elsewhere."""
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_has_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=native)


def training_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _cpu_has_bfloat16() -> bool:
    # Without AVX512-BF16 bfloat16 on a CPU is emulated, several hundred times slower.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())


def _one_step(run: Fit, loss_of: Callable[[int, float], tuple[Tensor, dict[str, float]]]) -> dict[str, float]:
    torch.manual_seed(run.plan.seed * 1_000_003 + run.step * lanes() + lane())
    factor = rate_factor(run.plan, run.share, run.step)
    for group in run.optimizer.param_groups:
        group["lr"] = run.plan.learning_rate * factor
    loss, figures = loss_of(run.step, run.share)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    trained = [p for p in run.module.parameters() if p.grad is not None]
    if lanes() > 1:
        shared = _meant(nn.utils.parameters_to_vector([p.grad for p in trained if p.grad is not None]))
        nn.utils.vector_to_parameters(shared, [p.grad for p in trained if p.grad is not None])
    norm = nn.utils.clip_grad_norm_(trained, run.plan.clip_norm)
    if torch.isfinite(norm):
        run.optimizer.step()
    run.step += 1
    _update_average(run)
    return {"loss": float(loss.detach()), "norm": float(norm), **figures}


@torch.no_grad()
def _update_average(run: Fit) -> None:
    # A young average forgets faster: it would otherwise keep the random start for long.
    decay = min(run.plan.ema_decay, (1 + run.step) / (10 + run.step))
    averaged, current = list(run.ema.parameters()), list(run.module.parameters())
    torch._foreach_lerp_(averaged, [p.detach() for p in current], 1 - decay)
    for kept, new in zip(run.ema.buffers(), run.module.buffers(), strict=True):
        kept.copy_(new)


def _write_log(path: Path, run: Fit, figures: dict[str, float]) -> None:
    line = {"step": run.step, "minutes": round(run.seconds / 60, 2), "share": round(run.share, 3)}
    line |= {key: round(value, 5) for key, value in figures.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
