"""Noise levels: α_t, σ_t and timesteps, and what a network's raw output says at one of them.

The tables come from diffusers' own schedulers, each with the settings that the model's
`scheduler_config.json` holds, so that a sampler visits the levels that diffusers visits:

* ddim and ddpm: `DDIMScheduler` and `DDPMScheduler`, spaced "leading" unless the model says otherwise;
* lcm: the timesteps of `LCMScheduler`, evenly among the 50 that latent consistency models are trained with
  (of runs that are longer among all);
* euler: `EulerDiscreteScheduler`, spaced "linspace" unless the model says otherwise;
* euler-a: those of `EulerAncestralDiscreteScheduler`, spaced as euler;
* dpm++2m: `DPMSolverMultistepScheduler`, spaced "linspace" unless the model says otherwise;
* dpm++2m-karras: the same with the spacing of arXiv:2206.00364, eq. 5;
* flow matching: `DPMSolverMultistepScheduler` with flow sigmas and the model's shift for dpm++2m and, as
  Karras' spacing is of σ/α, for dpm++2m-karras; `FlowMatchEulerDiscreteScheduler` for all others.

DDIM's conventions are pinned: `set_alpha_to_one=False`, `steps_offset=1`, nothing is clipped. With "trailing"
or "linspace" spacing diffusers' DDIM lands up to one timestep beside the level that it visits next; here each
step lands exactly on the next level.
"""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Self

from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed
from inference.operations import SAMPLERS
from inference.values import number, whole

_UNCLIPPED = {"clip_sample": False, "thresholding": False}
# Beta spacing would need SciPy; no published checkpoint of these families asks for it.
_NO_SCIPY = {"use_beta_sigmas": False}
# What diffusers' ancestral scheduler has no settings for; its levels are otherwise those of the plain one.
_ANCESTRAL: Mapping[str, Any] = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "interpolation_type": "linear",
    "final_sigmas_type": "zero",
    "timestep_type": "discrete",
}
_DEFAULT_SAMPLERS = {
    "EulerDiscreteScheduler": "euler",
    "EulerAncestralDiscreteScheduler": "euler-a",
    "FlowMatchEulerDiscreteScheduler": "euler",
    "DPMSolverMultistepScheduler": "dpm++2m",
    "DPMSolverSinglestepScheduler": "dpm++2m",
    "DDPMScheduler": "ddpm",
    "LCMScheduler": "lcm",
}
_MOST_TRAIN_TIMESTEPS = 100_000
_LARGEST_SETTING = 1e6
_SMALLEST_SHIFT = 1e-6
_SHOWN = 200  # characters of what a library says
_CONSISTENCY_STEPS = 50  # that latent consistency models were trained with


class PredictionType(Enum):
    """What the network's raw output is."""

    EPSILON = "epsilon"
    V = "v_prediction"
    X0 = "sample"
    FLOW = "flow_prediction"  # ε - x₀


@dataclass(frozen=True)
class Level:
    """One noise level: x_t = α·x₀ + σ·ε, and the timestep that the network is told.

    `alpha` and `sigma` are in [0, 1]; `timestep` counts from 0 (data) to about 1000 (noise).
    """

    timestep: float
    alpha: float
    sigma: float

    @property
    def half_log_snr(self) -> float:
        """λ = log(α/σ), infinite at the ends (DPM-Solver, arXiv:2206.00927)."""
        if self.alpha <= 0:
            return -math.inf
        return math.log(self.alpha / self.sigma) if self.sigma > 0 else math.inf


class Prediction(NamedTuple):
    """Both parametrisations of one prediction; x_t = α·x0 + σ·eps holds between them.

    Shapes: [N, C, h, w], the dtype of the latents.
    """

    x0: Tensor
    eps: Tensor


@dataclass(frozen=True)
class Schedule:
    """The noise schedule of one model.

    Args:
        config: the values of the model's `scheduler_config.json`.
        prediction_type: what the network predicts.
        train_timesteps: how many timesteps the network was trained with.
    """

    config: Mapping[str, Any]
    prediction_type: PredictionType
    train_timesteps: int

    @classmethod
    def from_config(cls, scheduler_config: Mapping[str, Any]) -> Self:
        """Read a scheduler's configuration.

        Raises:
            EditorError: the prediction type is none that is known, or numbers are none that noise can have.
        """
        # diffusers drops what was not written in the file when one scheduler's settings go to another
        defaulted = set(scheduler_config.get("_use_default_values", ()))
        config = {name: value for name, value in scheduler_config.items() if name not in defaulted}
        is_flow = str(config.get("_class_name", "")).startswith("FlowMatch") or bool(
            config.get("use_flow_sigmas", False)
        )
        named = "flow_prediction" if is_flow else str(config.get("prediction_type", "epsilon"))
        try:
            prediction_type = PredictionType(named)
        except ValueError as error:
            known = listed(kind.value for kind in PredictionType)
            raise EditorError(
                "The model's scheduler predicts “{named}”, which is unknown.",
                "Known are: {known}.",
                named=named,
                known=known,
            ) from error
        for name, value in config.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                number(value, name, -_LARGEST_SETTING, _LARGEST_SETTING)
        timesteps = whole(
            config.get("num_train_timesteps", 1000), "num_train_timesteps", 2, _MOST_TRAIN_TIMESTEPS
        )
        schedule = cls(config, prediction_type, timesteps)
        schedule._refuse_impossible()
        return schedule

    def _refuse_impossible(self) -> None:
        """Make the tables once.

        Raises:
            EditorError: diffusers refuses the settings, or the noise is negative, infinite or none.
        """
        try:
            if self.is_flow:
                number(self._shift, "shift", _SMALLEST_SHIFT)
                shares: list[float] = [level.sigma for level in self.levels(2)]
            else:
                shares = [float(share) for share in self._cumulative_alphas()]
        except (
            ArithmeticError,
            LookupError,
            NotImplementedError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise _unusable(str(error).strip().partition("\n")[0][:_SHOWN]) from error
        if len(shares) < 2 or not all(0 <= share <= 1 for share in shares):
            raise _unusable(listed(sorted({name for name in self.config if name.startswith("beta_")})))

    @property
    def is_flow(self) -> bool:
        """Whether α = 1 - σ (flow matching) and not α² + σ² = 1."""
        return self.prediction_type is PredictionType.FLOW

    @property
    def default_sampler(self) -> str:
        """The sampler nearest to the scheduler that the model comes with."""
        return _DEFAULT_SAMPLERS.get(str(self.config.get("_class_name", "")), "ddim")

    def levels(
        self, steps: int, *, image_tokens: int | None = None, sampler: str = "ddim"
    ) -> tuple[Level, ...]:
        """The `steps` + 1 levels of a run, from noise to data.

        Args:
            steps: how many times the network is asked.
            image_tokens: length of the image's token sequence; only resolution-dependent shifts read it.
            sampler: one of `SAMPLERS`; each has its own spacing.

        Raises:
            EditorError: an unknown sampler, or more steps than the schedule can tell apart.
        """
        if sampler not in SAMPLERS:
            raise EditorError(
                "Unknown sampler “{sampler}”.",
                "Known are: {samplers}.",
                sampler=sampler,
                samplers=listed(SAMPLERS),
            )
        if not 1 <= steps <= self._most_steps(sampler):
            raise EditorError(
                "{steps} steps are not possible with the sampler {sampler}.",
                "Choose 1 to {most}.",
                steps=steps,
                sampler=sampler,
                most=self._most_steps(sampler),
            )
        if self.is_flow:
            return self._flow_levels(steps, image_tokens, sampler)
        match sampler:
            case "euler" | "euler-a":
                return self._sigma_levels(self._new_euler(sampler), steps)
            case "dpm++2m":
                return self._sigma_levels(self._new_dpm_solver(), steps)
            case "dpm++2m-karras":
                return self._sigma_levels(self._new_dpm_solver(use_karras_sigmas=True), steps)
            case _:
                pass
        return self._cumulative_levels(steps, sampler)

    def level_at(self, timestep: float) -> Level:
        """The level of one training timestep, 0 … `train_timesteps` - 1 (flow: up to `train_timesteps`)."""
        if self.is_flow:
            sigma = timestep / self.train_timesteps
            return Level(timestep, 1 - sigma, sigma)
        index = min(max(round(timestep), 0), self.train_timesteps - 1)
        return _cumulative_level(float(index), float(self._cumulative_alphas()[index]))

    def noise_scale(self, sampler: str = "ddim") -> float:
        """What unit noise is multiplied by to be the first latents, as diffusers' pipelines do.

        It is 1 but for Euler with "linspace" or "trailing" spacing, which starts from σ·ε and not from
        α·0 + ε (0.998 for SD1).
        """
        if self.is_flow or sampler not in ("euler", "euler-a"):
            return 1.0
        scheduler = self._new_euler(sampler)
        if scheduler.config["timestep_spacing"] == "leading":
            return 1.0
        sigma = float(scheduler.sigmas.max())
        return sigma / math.sqrt(sigma**2 + 1)

    def to_prediction(self, raw: Tensor, latents: Tensor, level: Level) -> Prediction:
        """Both parametrisations of the network's `raw` output for `latents` at `level`.

        ε: x̂₀ = (x - σ·ε̂) / α.  v = α·ε - σ·x₀: x̂₀ = α·x - σ·v, ε̂ = α·v + σ·x (arXiv:2202.00512).
        Flow u = ε - x₀: x̂₀ = x - σ·u, ε̂ = x + α·u.
        """
        alpha, sigma = level.alpha, level.sigma
        match self.prediction_type:
            case PredictionType.EPSILON:
                return Prediction((latents - sigma * raw) / alpha, raw)
            case PredictionType.V:
                return Prediction(alpha * latents - sigma * raw, alpha * raw + sigma * latents)
            case PredictionType.X0:
                return Prediction(raw, (latents - alpha * raw) / sigma)
            case PredictionType.FLOW:
                return Prediction(latents - sigma * raw, latents + alpha * raw)

    def _most_steps(self, sampler: str) -> int:
        """More steps than this repeat a timestep, or leave the table (one timestep is the offset's)."""
        leading = str(self.config.get("timestep_spacing", "leading")) == "leading"
        return self.train_timesteps - 1 if leading and not self.is_flow else self.train_timesteps

    def _new(self, scheduler: Any, **pinned: Any) -> Any:
        """A diffusers scheduler with the model's settings, as far as it knows them."""
        known = inspect.signature(scheduler.__init__).parameters
        made = scheduler(**{name: value for name, value in self.config.items() if name in known} | pinned)
        if scheduler in (EulerDiscreteScheduler, DPMSolverMultistepScheduler):
            # they make NumPy arrays of this table in a way that NumPy warns of when it is a tensor
            made.alphas_cumprod = made.alphas_cumprod.numpy()
        return made

    def _new_euler(self, sampler: str) -> Any:
        plain: Mapping[str, Any] = _ANCESTRAL if sampler == "euler-a" else {}
        return self._new(EulerDiscreteScheduler, **_NO_SCIPY, **plain)

    def _new_dpm_solver(self, **pinned: Any) -> Any:
        return self._new(
            DPMSolverMultistepScheduler,
            algorithm_type="dpmsolver++",
            solver_type="midpoint",
            solver_order=2,
            **_NO_SCIPY,
            **pinned,
        )

    def _cumulative_alphas(self) -> Tensor:
        return self._new(DDIMScheduler, **_UNCLIPPED).alphas_cumprod

    def _cumulative_levels(self, steps: int, sampler: str) -> tuple[Level, ...]:
        if sampler == "ddim":
            scheduler = self._new(DDIMScheduler, set_alpha_to_one=False, steps_offset=1, **_UNCLIPPED)
            last = _cumulative_level(0.0, float(scheduler.final_alpha_cumprod))
        elif sampler == "lcm":
            among = _CONSISTENCY_STEPS if steps <= _CONSISTENCY_STEPS else self.train_timesteps
            scheduler = self._new(LCMScheduler, original_inference_steps=among, **_UNCLIPPED)
            last = Level(0.0, 1.0, 0.0)
        else:
            scheduler = self._new(DDPMScheduler, variance_type="fixed_small", **_UNCLIPPED)
            last = Level(0.0, 1.0, 0.0)
        scheduler.set_timesteps(steps)
        table = scheduler.alphas_cumprod
        visited = (_cumulative_level(float(t), float(table[t])) for t in scheduler.timesteps)
        return (*visited, last)

    def _sigma_levels(self, scheduler: Any, steps: int) -> tuple[Level, ...]:
        """Levels of a scheduler that counts noise as σ/α."""
        scheduler.set_timesteps(steps)
        ratios = [float(ratio) for ratio in scheduler.sigmas]
        timesteps = [*(float(t) for t in scheduler.timesteps), 0.0]
        return tuple(
            Level(timestep, 1 / math.sqrt(1 + ratio**2), ratio / math.sqrt(1 + ratio**2))
            for timestep, ratio in zip(timesteps, ratios, strict=True)
        )

    def _flow_levels(self, steps: int, image_tokens: int | None, sampler: str) -> tuple[Level, ...]:
        if sampler.startswith("dpm++"):
            shift = math.exp(self._dynamic_shift(image_tokens)) if self._is_dynamic else self._shift
            scheduler = self._new_dpm_solver(
                use_flow_sigmas=True,
                prediction_type="flow_prediction",
                flow_shift=shift,
                use_dynamic_shifting=False,
            )
            scheduler.set_timesteps(steps)
        else:
            scheduler = self._new(FlowMatchEulerDiscreteScheduler, **_NO_SCIPY)
            scheduler.set_timesteps(steps, mu=self._dynamic_shift(image_tokens) if self._is_dynamic else None)
        sigmas = [float(sigma) for sigma in scheduler.sigmas]
        timesteps = [*(float(t) for t in scheduler.timesteps), 0.0]
        return tuple(Level(t, 1 - sigma, sigma) for t, sigma in zip(timesteps, sigmas, strict=True))

    @property
    def _is_dynamic(self) -> bool:
        return bool(self.config.get("use_dynamic_shifting", False))

    @property
    def _shift(self) -> float:
        return float(self.config.get("shift", self.config.get("flow_shift", 1.0)))

    def _dynamic_shift(self, image_tokens: int | None) -> float:
        """μ of the resolution-dependent shift, linear in the length of the image's token sequence."""
        short = float(self.config.get("base_image_seq_len", 256))
        long = float(self.config.get("max_image_seq_len", 4096))
        low = float(self.config.get("base_shift", 0.5))
        high = float(self.config.get("max_shift", 1.15))
        tokens = short if image_tokens is None else image_tokens
        return low + (high - low) * (tokens - short) / (long - short)


def _unusable(reason: object) -> EditorError:
    return EditorError(
        "The model's scheduler has settings that cannot be used: {reason}.",
        "Copy or download it again.",
        reason=reason,
    )


def _cumulative_level(timestep: float, cumulative_alpha: float) -> Level:
    return Level(timestep, math.sqrt(cumulative_alpha), math.sqrt(1 - cumulative_alpha))
