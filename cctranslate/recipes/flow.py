"""Our own translator, `flow`, and the parts that it goes on from, one after the other."""

from cctranslate.recipes.spec import (
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Recipe,
    Weights,
    derive,
)

FLOW_START = Recipe(
    name="flow-start",
    about="ours, the first part: warps what moves and paints what appears, relativistic D, robust "
    "guides, a true cycle, no more change than it takes",
    generator=GeneratorSpec(kind="flow", width=32, blocks=4),
    discriminator=DiscriminatorSpec(kind="residual", width=40, conditional=False),
    weights=Weights(
        adversarial=3, guide=4, identity=6, cycle=1, change=20, own=10, smoothness=0.05, r1=0.1
    ),
    procedure=Procedure(
        batch_size=32,
        epochs=14,
        lr=4e-4,
        betas=(0.0, 0.99),
        adversarial="relativistic",
        targets="one",
        warm_up=0.2,
        lazy=2,
        lr_decay=True,
        ema=0.999,
        flip=True,
        cycle_noise=0.05,
        class_balance=0.5,
        vote_share=0.7,
        certainty=0.5,
    ),
    guides=("guide-smooth", "guide-plain"),
    encoders=("encoder",),
)

FLOW_MIDDLE = derive(
    FLOW_START,
    name="flow-middle",
    about="ours, the second part: goes on from `flow-start` with a third guide, more often right",
    start="flow-start",
    weights={"change": 25, "identity": 8},
    procedure={"warm_up": 0.0, "epochs": 12, "lr": 3e-4},
    guides=("guide-smooth", "guide-plain", "guide-sharp"),
)

FLOW_LATE = derive(
    FLOW_MIDDLE,
    name="flow-late",
    about="ours, the third part: goes on from `flow-middle` with a new D, which sees each result "
    "beside its source, and reads fear by the eyes",
    start="flow-middle",
    weights={"adversarial": 8, "change": 28, "identity": 12},
    procedure={"paired": True, "fresh_d": True, "by_the_eyes": ("fear",), "epochs": 5},
    guides=("guide-sharp", "guide-clear"),
)

FLOW_WIDE = derive(
    FLOW_LATE,
    name="flow-wide",
    about="ours, the fourth part: goes on from `flow-late` in large batches, with wider guides of "
    "three kinds, two encoders, and results that have less in common; half of it is what it went "
    "on from",
    start="flow-late",
    weights={"drift": 40, "r1": 0.2},
    procedure={"fresh_d": False, "batch_size": 128, "epochs": 20.9, "lr": 6e-4, "kept": 0.5},
    guides=("guide-wide", "guide-soft", "guide-broad", "guide-labels", "guide-fine"),
    encoders=("encoder-plain", "encoder-smooth"),
)

FLOW_EYES = derive(
    FLOW_WIDE,
    name="flow-eyes",
    about="ours, the fifth part: goes on from `flow-wide` and spares the eyes; half of it is what "
    "it went on from",
    start="flow-wide",
    weights={"eyes": 400},
    procedure={"batch_size": 32, "epochs": 4.9, "lr": 3e-4},
)

FLOW_KNOWN = derive(
    FLOW_EYES,
    name="flow-known",
    about="ours, the sixth part: goes on from `flow-eyes` with a face recognizer in the encoders' "
    "place, and with less of a cost for change as such",
    start="flow-eyes",
    weights={
        "identity": 0,
        "drift": 0,
        "likeness": 6,
        "likeness_drift": 10,
        "change": 15,
        "eyes": 200,
    },
    procedure={"epochs": 3.9, "kept": 0},
    encoders=(),
)

FLOW_LOUD = derive(
    FLOW_KNOWN,
    name="flow-loud",
    about="ours, the seventh part: goes on from `flow-known`, with louder guides and more against "
    "a common mark",
    start="flow-known",
    weights={"guide": 8, "likeness_drift": 30, "change": 10, "eyes": 100},
    procedure={"epochs": 2.1},
)

FLOW = derive(
    FLOW_LOUD,
    name="flow",
    about="ours: goes on from `flow-loud`, with results that lie as far apart as real faces do",
    start="flow-loud",
    weights={"guide": 10, "likeness_drift": 40, "likeness_frechet": 100},
    procedure={"epochs": 7.2},
)

PARTS = (
    FLOW,
    FLOW_LOUD,
    FLOW_KNOWN,
    FLOW_EYES,
    FLOW_WIDE,
    FLOW_LATE,
    FLOW_MIDDLE,
    FLOW_START,
)
