"""Recipes are data: all build, all differ, and mistakes in them are errors."""

import json

import pytest

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import derive
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.gan import GanRecipe, Stage
from cctranslate.recipes.original.log_t1_to_t27 import LOG, SWEEPS, T26
from cctranslate.recipes.pairs import PAIRS, DrawSpec
from cctranslate.recipes.registry import GROUPS, RECIPES, find, names, override
from cctranslate.recipes.serialization import from_json, to_json
from cctranslate.recipes.student import STUDENT, STUDENT_START


def test_every_recipe_is_found_by_its_own_name() -> None:
    assert all(find(name).name == name for name in RECIPES)
    staged = [r for r in RECIPES.values() if isinstance(r, GanRecipe) and r.stages]
    whole = {f"{recipe.name}-{recipe.last_stage.name}" for recipe in staged}
    assert {name for name in names() if find(name).name != name} == whole
    assert "flow-apart" in whole
    assert len(RECIPES) == sum(len(group) for group in GROUPS.values())


def test_all_recipes_differ_but_for_t6_which_looks_at_t5_elsewhere() -> None:
    bodies = {
        r.name: json.dumps({**to_json(r), "name": "", "about": ""})
        for r in RECIPES.values()
        if r.name != "t6"
    }
    assert len(set(bodies.values())) == len(bodies)


def test_the_whole_log_is_there() -> None:
    wanted = [*(f"t{n}" for n in range(1, 27)), "c1", "c2"]
    assert [recipe.name for recipe in LOG] == wanted
    assert [recipe.name for recipe in SWEEPS["t27"]][:2] == ["t26", "t26-1-1"]
    tried = [r for r in SWEEPS["t27"] if r.name != "t26"]
    ratios = [(r.weights.adversarial, r.weights.classification) for r in tried]
    assert ratios == [(1, 1), (1, 2), (2, 1), (3, 9), (10, 100), (2, 2)]
    assert all("\n" not in recipe.about and recipe.about for recipe in RECIPES.values())


@pytest.mark.parametrize("name", RECIPES)
def test_json_gives_the_same_recipe_back(name: str) -> None:
    assert from_json(json.loads(json.dumps(to_json(RECIPES[name])))) == RECIPES[name]


def test_t26_has_the_weights_and_rates_of_the_log() -> None:
    w, p = T26.weights, T26.procedure
    assert (w.adversarial, w.classification, w.reconstruction, w.cycle) == (2, 2, 1, 0)
    assert (p.lr, p.betas, p.targets, p.g_every) == (2e-4, (0.5, 0.999), "all-others", 5)


def test_no_recipe_learns_from_the_judge_or_the_witness() -> None:
    for recipe in RECIPES.values():
        assert not {"judge", "witness"} & set(recipe.prerequisites), recipe.name
    with pytest.raises(ValueError, match="t26: it names the judge"):
        derive(T26, guides=("judge",), weights={"guide": 1.0})
    with pytest.raises(ValueError, match="pairs: it names the judge"):
        derive(PAIRS, guides=("judge",))
    with pytest.raises(ValueError, match="student: it names the witness"):
        derive(STUDENT, guides=("guide-sharp", "witness"))


def test_a_student_begins_with_the_generator_of_its_translator() -> None:
    before = find(STUDENT_START.translator)
    assert isinstance(before, GanRecipe)
    assert STUDENT_START.generator == before.generator
    assert find(STUDENT.translator) == STUDENT_START
    with pytest.raises(ValueError, match=r"unpaired and weights\.coarse"):
        derive(STUDENT, unpaired=0.0)
    with pytest.raises(ValueError, match="a fraction less than 1"):
        derive(STUDENT, unpaired=1.0)


def test_pairs_need_results_for_hard_faces_and_steps_for_the_teacher() -> None:
    repairs = tuple(way for way in PAIRS.draws if way.kind == "repair")
    with pytest.raises(ValueError, match="draws names no `result`"):
        derive(PAIRS, draws=repairs)
    with pytest.raises(ValueError, match="`result` takes no steps"):
        DrawSpec(kind="repair")


def test_each_stage_changes_the_stage_before() -> None:
    assert [part.procedure.epochs for part in FLOW.stage_recipes] == [
        14,
        12,
        5,
        20.9,
        4.9,
        3.9,
        2.1,
        7.2,
    ]
    late, final = find("flow-late"), FLOW.final_recipe
    assert isinstance(late, GanRecipe)
    assert late.earlier_stages == (find("flow-start"), find("flow-middle"))
    assert (late.last_stage.fresh_d, late.final_recipe.guides) == (
        True,
        ("guide-sharp", "guide-clear"),
    )
    changed = (
        late.final_recipe.weights.change,
        late.final_recipe.weights.guide,
        late.final_recipe.weights.identity,
    )
    assert changed == (28, 4, 12)
    assert (final.weights.identity, final.weights.likeness, final.encoders) == (0, 6, ())
    assert (final.weights.r1, final.procedure.upper_face_targets) == (0.2, ("fear",))
    assert {"encoder", "guide-plain", "guide-fine"} <= set(FLOW.prerequisites)
    assert len(FLOW.prerequisites) == len(set(FLOW.prerequisites)) == 12


def test_mistakes_in_a_stage_are_errors_of_its_recipe() -> None:
    with pytest.raises(TypeError, match="cycel"):
        derive(T26, stages=(Stage(name="first", weights={"cycel": 1.0}),))
    with pytest.raises(ValueError, match=r"t26: weights\.drift needs encoders"):
        derive(T26, stages=(Stage(name="a"), Stage(name="b", weights={"drift": 1.0})))
    for stage in (Stage(name="a", fresh_d=True), Stage(name="a", blend=0.5)):
        with pytest.raises(ValueError, match="need an earlier stage"):
            derive(T26, stages=(stage,))


def test_rewording_a_recipe_makes_no_other_of_it() -> None:
    assert derive(T26, about="in other words") == T26
    assert derive(T26, weights={"cycle": 1.0}) != T26


def test_a_recipe_of_before_there_were_stages_is_read() -> None:
    flat = to_json(FLOW.final_recipe)
    del flat["stages"]
    for part, old, now in (
        ("weights", "own", "self_translation"),
        ("procedure", "by_the_eyes", "upper_face_targets"),
    ):
        flat[part][old] = flat[part].pop(now)
    flat["procedure"] |= {"fresh_d": False, "kept": 0.5}
    read = from_json(json.loads(json.dumps({**flat, "start": "flow-loud"})))
    assert isinstance(read, GanRecipe)
    assert (read.last_stage.blend, read.final_recipe.weights) == (0.5, FLOW.final_recipe.weights)
    assert read.final_recipe.procedure == FLOW.final_recipe.procedure


def test_derive_changes_one_field_of_one_part() -> None:
    changed = derive(T26, name="other", weights={"cycle": 3.0})
    assert changed.weights.cycle == 3.0
    assert changed.weights.adversarial == T26.weights.adversarial
    assert T26.weights.cycle == 0


def test_a_misspelt_field_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="wieghts"):
        derive(T26, wieghts={})
    with pytest.raises(TypeError, match="cycel"):
        derive(T26, weights={"cycel": 1.0})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weights": {"drift": 1.0}}, "weights.drift"),
        ({"weights": {"likeness_drift": 1.0}}, "weights.likeness"),
        ({"weights": {"likeness_frechet": 1.0}}, "weights.likeness"),
        ({"guides": ("guide-plain",)}, "weights.guide"),
        ({"weights": {"identity": 1.0}}, "weights.identity"),
        ({"procedure": {"adversarial": "relativistic"}}, "targets"),
        ({"weights": {"d_class": 0.0}}, "weights.d_class"),
        ({"weights": {"smoothness": 1.0}}, "generator"),
        ({"procedure": {"warm_up": 0.5}}, "procedure.warm_up"),
        ({"weights": {"d_mismatch": 1.0}}, "sees the label"),
        ({"procedure": {"targets": "one-other", "g_parts": 6}}, "all-others"),
        ({"procedure": {"paired": True}}, "procedure.paired"),
    ],
)
def test_a_contradiction_names_its_fields(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        derive(T26, **changes)


def test_override_reaches_either_kind_of_recipe() -> None:
    gan, judge = override(T26, epochs=1, lr=1e-3), override(find("judge"), batch_size=8)
    assert isinstance(gan, GanRecipe)
    assert isinstance(judge, ClassifierRecipe)
    assert (gan.procedure.epochs, gan.procedure.lr, gan.procedure.batch_size) == (1, 1e-3, 64)
    assert judge.batch_size == 8


def test_override_reaches_the_last_stage_alone() -> None:
    changed = override(FLOW, epochs=1)
    assert isinstance(changed, GanRecipe)
    assert [part.procedure.epochs for part in changed.stage_recipes][-2:] == [2.1, 1]
    assert changed.earlier_stages == FLOW.earlier_stages


def test_a_backbone_is_for_a_recipe_that_has_one() -> None:
    t9, c2 = override(find("t9"), backbone="random"), override(find("c2"), backbone="w.pt")
    assert isinstance(t9, GanRecipe)
    assert isinstance(c2, ClassifierRecipe)
    assert (t9.discriminator.backbone, c2.backbone) == ("random", "w.pt")
    assert t9.discriminator.frozen
    with pytest.raises(ValueError, match="t26 has no backbone"):
        override(T26, backbone="random")


def test_an_unknown_recipe_suggests_names() -> None:
    with pytest.raises(ValueError, match=r"'nothing': choose from .*flow.*t26"):
        find("nothing")
    with pytest.raises(ValueError, match=r"'flow-lat': did you mean .*flow-late"):
        find("flow-lat")
