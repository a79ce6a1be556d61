"""Experiments as the original code ran them, where it did something else than its log says."""

from cctranslate.recipes.components import DiscriminatorSpec, derive
from cctranslate.recipes.original.log_t1_to_t27 import T2, T7, T8, T12, T20

T2_CODE = derive(
    T2,
    name="t2-code",
    about="t2 by its code: cycle weight 10, identity weight 1",
    weights={"cycle": 10, "reconstruction": 1},
)
T6_CODE = derive(
    T7,
    name="t6-code",
    about="t6 by its code: t7, but D sees real faces with their true labels only (needs weights)",
    weights={"d_mismatch": 0},
)
T9_CODE = derive(
    T8,
    name="t9-code",
    about="t9 by its code: t8 with a class head in D that has an eighth class for fakes, shuffled",
    discriminator=DiscriminatorSpec(kind="patch", width=64, head=8),
    weights={"d_class": 1, "classification": 1},
    procedure={"shuffle": True, "classes": "fake-class"},
)
T12_CODE = derive(
    T12,
    name="t12-code",
    about="t12 by its code: two more convolutions in G instead of dropout",
    generator={"dropout": 0.0, "blocks": 2},
)
T20_CODE = derive(
    T20,
    name="t20-code",
    about="t20 by its code: with the weights of t19",
    weights={"d_class": 7, "classification": 7},
)

ALL = (T2_CODE, T6_CODE, T9_CODE, T12_CODE, T20_CODE)
