"""Plan which networks and terms each step of a GAN's training computes."""

from dataclasses import dataclass

from cctranslate.recipes.components import Procedure, Weights

R1_EVERY = 8
"""The gradient penalties are computed once in this many steps, with as many times the weight
(StyleGAN2)."""


@dataclass(frozen=True, kw_only=True)
class StepPlan:
    """Which networks a step trains, and which costly terms it computes."""

    d: bool
    g: bool
    penalties: bool
    cycle: bool
    identity: bool


def plan_step(
    step: int, steps: int, procedure: Procedure, weights: Weights, sees_identity: bool
) -> StepPlan:
    """Return the plan of a step, of `steps` in all.

    The cycle and the identity terms alternate: each is computed once in `procedure.lazy` steps.
    """
    d = step >= round(procedure.warm_up * steps)
    phase = step % procedure.lazy
    return StepPlan(
        d=d,
        g=step % procedure.g_every == 0,
        penalties=d and weights.r1 > 0 and step % R1_EVERY == 0,
        cycle=d and weights.cycle > 0 and phase == 0,
        identity=d and sees_identity and phase == procedure.lazy - 1,
    )
