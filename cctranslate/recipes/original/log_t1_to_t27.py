"""The original experiment log, T1 to T27, C1 and C2, each as its difference from another.

Source: the log in the README of gtesei/ccyclegan. Where its code did something else than the log
says, the recipe here is the log's, and `code_differences` has the code's. Where the log
is silent, the code fills in. All are trained on Training faces only, which the code did not keep
to from T23 on.
"""

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.components import (
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Weights,
    derive,
)
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe

T1 = GanRecipe(
    name="t1",
    about="least-squares GAN, cycle 1, identity 0.1, label at the input of G and D",
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
T2 = derive(T1, name="t2", about="t1 with an adversarial weight of 20", weights={"adversarial": 20})
T3 = derive(
    T1,
    name="t3",
    about="t1 with cross-entropy instead of least squares, adversarial weight 7, no identity loss",
    weights={"adversarial": 7, "reconstruction": 0},
    procedure={"adversarial": "bce"},
)
T4 = derive(
    T1,
    name="t4",
    about="t1 with two expressions only, neutral and happy",
    procedure={"domains": ("happy", "neutral")},
)
T5 = derive(
    T1,
    name="t5",
    about="t1 with the label joined after the convolutions of G, no identity loss",
    generator={"label": "joined"},
    weights={"reconstruction": 0},
)
T6 = derive(
    T5,
    name="t6",
    about="t5; the log's difference is only that its sheets show training images",
)
T7 = derive(
    T5,
    name="t7",
    about="t5 with a pretrained ResNet50 as D and cross-entropy (needs its weights)",
    discriminator=DiscriminatorSpec(kind="resnet50"),
    procedure={"adversarial": "bce"},
)
T8 = derive(
    T5,
    name="t8",
    about="t5 without shuffling; D sees real faces with their true labels only",
    weights={"d_mismatch": 0},
    procedure={"shuffle": False},
)
T9 = derive(
    T7,
    name="t9",
    about="t7 with the ResNet50 frozen (needs its weights)",
    discriminator={"frozen": True},
)
T10 = derive(T1, name="t10", about="t1 with an adversarial weight of 2", weights={"adversarial": 2})
T11 = derive(
    T10,
    name="t11",
    about="t10 with the label after the convolutions of G",
    generator={"label": "latent"},
)
T12 = derive(
    T11,
    name="t12",
    about="t11 with dropout of 0.5 in G's decoder, 400 epochs",
    generator={"dropout": 0.5},
    procedure={"epochs": 400},
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
    about="t14; D sees real faces with their true labels only",
    weights={"d_mismatch": 0},
)
T16 = derive(
    T11,
    name="t16",
    about="t11; D sees real faces with their true labels only",
    weights={"d_mismatch": 0},
)
T17 = GanRecipe(
    name="t17",
    about="G encodes a face once and decodes each label; D has a class head (softmax)",
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
    about="t17 with a wider G that has a single latent vector, and G every second step",
    generator=GeneratorSpec(kind="unet", width=64),
    procedure={"g_every": 2},
)
T19 = derive(
    T18,
    name="t19",
    about="t18 with the class loss at 7 times the adversarial loss, in G and D",
    weights={"d_class": 7, "classification": 7},
)
T20 = derive(
    T18,
    name="t20",
    about="t18 with the transformation layer in G",
    generator={"transform": True},
)
T21 = derive(
    T20,
    name="t21",
    about="t20 with sigmoids instead of a softmax in D's class head",
    procedure={"classes": "sigmoid"},
)
T22 = derive(
    T21,
    name="t22",
    about="t21 with a label of zeros for fakes in D's class head",
    procedure={"classes": "zeros"},
)
T23 = derive(
    T22,
    name="t23",
    about="t22 for 600 epochs, as the code has it (the log says 400, which t22 already has)",
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
    about="t24 with all six in one shuffled batch for G",
    procedure={"g_parts": 1, "epochs": 200},
)
T26 = derive(
    T25,
    name="t26",
    about="the headline: t25 with weights 2:2:1 (adversarial, class, identity), G each 5th step",
    weights={"adversarial": 2, "classification": 2},
    procedure={"g_every": 5, "epochs": 170},
)


def _weighed(adversarial: float, classification: float) -> GanRecipe:
    ratio = f"{adversarial:g}:{classification:g}"
    return derive(
        T26,
        name=f"t26-{adversarial:g}-{classification:g}",
        about=f"t26 with weights {ratio}:1",
        weights={"adversarial": adversarial, "classification": classification},
    )


T26_WEIGHTS = tuple(_weighed(*pair) for pair in ((1, 1), (1, 2), (2, 1), (3, 9), (10, 100)))
T26_SLOW = derive(
    T26, name="t26-slow", about="t26 at half the learning rate, 1e-4", procedure={"lr": 1e-4}
)
C1 = ClassifierRecipe(
    name="c1",
    about="a classifier: the D of t4 trained on labels (the log: train about 100%, test about 70%)",
    kind="strided",
    widths=(64, 128, 256, 512),
    batch_size=64,
    epochs=200,
    lr=0.02,
)
C2 = ClassifierRecipe(
    name="c2",
    about="a classifier: pretrained ResNet50, fine-tuned (needs its weights; the log: test 80%)",
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
SWEEPS: dict[str, tuple[GanRecipe, ...]] = {"t27": (T26, *T26_WEIGHTS, T26_SLOW)}
"""T27 compares t26 under several weights and learning rates, by Frechet distance."""
