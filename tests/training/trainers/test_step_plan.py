"""Who is trained in which step, and what is computed there."""

from dataclasses import replace

from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.original.log_t1_to_t27 import T26
from cctranslate.training.trainers.step_plan import plan_step

PROCEDURE = replace(FLOW.final_recipe.procedure, warm_up=0.5, lazy=2)


def test_costly_terms_alternate_once_d_has_come_in() -> None:
    plans = [plan_step(step, 12, PROCEDURE, FLOW.final_recipe.weights, True) for step in range(12)]
    assert [plan.d for plan in plans] == 6 * [False] + 6 * [True]
    assert [step for step, plan in enumerate(plans) if plan.cycle] == [6, 8, 10]
    assert [step for step, plan in enumerate(plans) if plan.identity] == [7, 9, 11]
    assert [step for step, plan in enumerate(plans) if plan.penalties] == [8]
    assert all(plan.g for plan in plans)


def test_g_of_t26_is_trained_in_every_fifth_step() -> None:
    plans = [plan_step(step, 20, T26.procedure, T26.weights, False) for step in range(20)]
    assert [step for step, plan in enumerate(plans) if plan.g] == [0, 5, 10, 15]
    assert all(plan.d and not (plan.cycle or plan.identity or plan.penalties) for plan in plans)
