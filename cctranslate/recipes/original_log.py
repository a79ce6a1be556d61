"""The seed's experiment log, T1 to T27, C1 and C2, each as its difference from another.

Source: the log in the README of gtesei/ccyclegan. Where its code did another experiment than the
log says, the recipe is the log's and `-code` is the code's; where the log is silent, the code
fills in. All are trained on Training faces only, which the seed's code did not keep to from T23 on.
"""

from cctranslate.recipes.spec import (
    AnyRecipe,
    ClassifierRecipe,
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Recipe,
    Weights,
    derive,
)

T1 = Recipe(
    name="t1",
    about="least squares, identity at 0.1 of the cycle, the label at the input (the code: t2)",
    generator=GeneratorSpec(kind="padded-unet", width=32, label="input"),
    discriminator=DiscriminatorSpec(kind="patch", width=64, label="input"),
    weights=Weights(adversarial=1, cycle=1, reconstruction=0.1, d_mismatch=0.5),
    procedure=Procedure(
        batch_size=64,
        epochs=200,
        lr=2e-4,
        betas=(0.5, 0.999),
        adversarial="least-squares",
        targets="one-other",
    ),
)
T2 = derive(
    T1, name="t2", about="t1 with 20 times the adversarial weight", weights={"adversarial": 20}
)
T2_CODE = derive(
    T2,
    name="t2-code",
    about="t2 as its code was: with 10 times the cycle's weight besides",
    weights={"cycle": 10, "reconstruction": 1},
)
T3 = derive(
    T1,
    name="t3",
    about="t1 without identity, by cross-entropy, adversarial weight 7",
    weights={"adversarial": 7, "reconstruction": 0},
    procedure={"adversarial": "bce"},
)
T4 = derive(
    T1,
    name="t4",
    about="t1 between neutral and happy only",
    procedure={"domains": ("happy", "neutral")},
)
T5 = derive(
    T1,
    name="t5",
    about="t1 with the label joined after the convolutions, without identity",
    generator={"label": "joined"},
    weights={"reconstruction": 0},
)
T6 = derive(
    T5,
    name="t6",
    about="t5 looked at on training images, which every sheet here shows: trains as t5",
)
T7 = derive(
    T5,
    name="t7",
    about="t5 with ImageNet's ResNet50 as D, by cross-entropy (needs its weights)",
    discriminator=DiscriminatorSpec(kind="resnet50"),
    procedure={"adversarial": "bce"},
)
T6_CODE = derive(
    T7,
    name="t6-code",
    about="t6 as its code was: ResNet50 as D, no reals under wrong labels (needs its weights)",
    weights={"d_mismatch": 0},
)
T8 = derive(
    T5,
    name="t8",
    about="t5 without shuffling, D on reals with true labels only",
    weights={"d_mismatch": 0},
    procedure={"shuffle": False},
)
T9 = derive(
    T7,
    name="t9",
    about="t7 with its ResNet50 frozen (needs its weights)",
    discriminator={"frozen": True},
)
T9_CODE = derive(
    T8,
    name="t9-code",
    about="t9 as its code was: a convolutional D with an eighth class for fakes",
    discriminator=DiscriminatorSpec(kind="patch", width=64, head=8),
    weights={"d_class": 1, "classification": 1},
    procedure={"shuffle": True, "classes": "fake-class"},
)
T10 = derive(
    T1, name="t10", about="t1 with twice the adversarial weight", weights={"adversarial": 2}
)
T11 = derive(
    T10,
    name="t11",
    about="t10 with the label after the convolutions of G",
    generator={"label": "latent"},
)
T12 = derive(
    T11,
    name="t12",
    about="t11 with dropout, of half the decoder's features",
    generator={"dropout": 0.5},
    procedure={"epochs": 400},
)
T12_CODE = derive(
    T12,
    name="t12-code",
    about="t12 as its code was: two more convolutions instead of dropout",
    generator={"dropout": 0.0, "blocks": 2},
)
T13 = derive(T11, name="t13", about="t11 for 300 epochs", procedure={"epochs": 300})
T14 = derive(
    T13,
    name="t14",
    about="t13 with the label after the convolutions of D as well",
    discriminator={"label": "latent"},
)
T15 = derive(
    T14,
    name="t15",
    about="t14 without reals under wrong labels for D",
    weights={"d_mismatch": 0},
)
T16 = derive(
    T11,
    name="t16",
    about="t11 without reals under wrong labels for D",
    weights={"d_mismatch": 0},
)
T17 = Recipe(
    name="t17",
    about="G encodes once and decodes each, D has a class head (the code drew G's class afresh)",
    generator=GeneratorSpec(kind="padded-unet", width=32, label="joined"),
    discriminator=DiscriminatorSpec(kind="strided", width=64),
    weights=Weights(d_class=1, adversarial=1, classification=1, reconstruction=1),
    procedure=Procedure(
        batch_size=64,
        epochs=400,
        lr=2e-4,
        betas=(0.5, 0.999),
        adversarial="bce",
        targets="one-other",
        classes="softmax",
        g_every=10,
    ),
)
T18 = derive(
    T17,
    name="t18",
    about="t17 with equal weights, as its code had; by code a wider G with one latent place",
    generator=GeneratorSpec(kind="unet", width=64),
    procedure={"g_every": 2},
)
T19 = derive(
    T18,
    name="t19",
    about="t18 with the adversarial loss at 1/7 of the class loss, in G and D",
    weights={"d_class": 7, "classification": 7},
)
T20 = derive(
    T18,
    name="t20",
    about="t18 with the transformation layer",
    generator={"transform": True},
)
T20_CODE = derive(
    T20,
    name="t20-code",
    about="t20 as its code was: with the weights of t19",
    weights={"d_class": 7, "classification": 7},
)
T21 = derive(
    T20,
    name="t21",
    about="t20 with sigmoids instead of a softmax for D's classes (the code: G's loss stays)",
    procedure={"classes": "sigmoid"},
)
T22 = derive(
    T21,
    name="t22",
    about="t21 with a zero label for fakes in D",
    procedure={"classes": "zeros"},
)
T23 = derive(
    T22,
    name="t23",
    about="t22 for longer, the code's 600 epochs (the log says 400, which t22 has by code)",
    procedure={"epochs": 600},
)
T24 = derive(
    T22,
    name="t24",
    about="t22 with all six other expressions of each face: D at once, G one after the other",
    procedure={"targets": "all-others", "g_parts": 6, "g_every": 1},
)
T25 = derive(
    T24,
    name="t25",
    about="t24 with all six in one shuffled batch of G",
    procedure={"g_parts": 1, "epochs": 200},
)
T26 = derive(
    T25,
    name="t26",
    about="the seed's headline: t25 with weights 2:2:1, by code G every fifth batch; "
    "never trained on test images, as the seed's code was",
    weights={"adversarial": 2, "classification": 2},
    procedure={"g_every": 5, "epochs": 170},
)


def _weighed(adversarial: float, classification: float) -> Recipe:
    ratio = f"{adversarial:g}:{classification:g}"
    return derive(
        T26,
        name=f"t26-{adversarial:g}-{classification:g}",
        about=f"t26 with G's adversarial and class losses at {ratio}",
        weights={"adversarial": adversarial, "classification": classification},
    )


T26_WEIGHTS = tuple(_weighed(*pair) for pair in ((1, 1), (1, 2), (2, 1), (3, 9), (10, 100)))
T26_SLOW = derive(
    T26, name="t26-slow", about="t26 at half the learning rate, 1e-4", procedure={"lr": 1e-4}
)
C1 = ClassifierRecipe(
    name="c1",
    about="the D of t4 as a classifier (the log: train about 100%, test about 70%)",
    kind="strided",
    widths=(64, 128, 256, 512),
    batch_size=64,
    epochs=200,
    lr=0.02,
)
C2 = ClassifierRecipe(
    name="c2",
    about="ImageNet's ResNet50 fine-tuned as a classifier (needs its weights; the log: test 80%)",
    kind="resnet50",
    widths=(2048,),
    batch_size=64,
    epochs=15,
    lr=0.01,
)

LOG: tuple[AnyRecipe, ...] = (
    *(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18, T19, T20),
    *(T21, T22, T23, T24, T25, T26, C1, C2),
)
VARIANTS: tuple[AnyRecipe, ...] = (
    *(T2_CODE, T6_CODE, T9_CODE, T12_CODE, T20_CODE),
    *(*T26_WEIGHTS, T26_SLOW),
)
SWEEPS: dict[str, tuple[Recipe, ...]] = {"t27": (T26, *T26_WEIGHTS, T26_SLOW)}
"""T27 chooses by Frechet distance among the weights and rates that were tried for T26."""
