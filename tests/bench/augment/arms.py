"""The arms of the augmentation bench: what each puts in the place of plain training."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

Source = Literal["none", "copies", "self", "ours", "all"]
"""What a part of each batch is made of: nothing, the faces with noise, the faces translated to
their label, to other labels, or to all seven."""
Labels = Literal["label", "judge", "strength", "votes"]
"""Hard; half the judge's probabilities; as much of the target as the strength; FER+ votes."""
Needs = Literal["nothing", "classifier", "bundle"]
"""What must be there before an arm can run: a student trained on all of FER2013, or a bundle that
was trained on nothing but the student's faces."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to train a student; all of them take the same steps on batches of the same size."""

    name: str
    about: str
    balance: float = 0.0
    """Real faces are drawn by class size to the power of minus this."""
    class_weights: bool = False
    """The loss of a face is weighted by the inverse of its class's size."""
    mix: Literal["none", "mixup", "cutmix"] = "none"
    policy: Literal["standard", "randaugment"] = "standard"
    real_labels: Labels = "label"
    source: Source = "none"
    dose: float = 0.0
    """Fraction of each batch that comes from `source`."""
    once: bool = False
    """Each result comes once a pass, as the faces do, whatever dose this makes. Of `ours` take
    those that `batch --balance` makes."""
    multiple: int = 1
    """Fill classes to as many times the largest one, with `once` and `ours`."""
    confirmed: bool = False
    """Take only results that the judge confirms."""
    strengths: tuple[float, ...] = (1.0,)
    result_labels: Labels = "label"
    pretraining: float = 0.0
    """Fraction of the steps that see nothing but results; the others then see none."""
    separate_norm: bool = False
    """Results have batch-norm statistics and weights of their own (AdvProp)."""
    hard_only: bool = False
    """Translate only the third of the faces that are learned last (TADA)."""
    needs: Needs = "nothing"

    @property
    def has_results(self) -> bool:
        """Whether the arm trains on translations."""
        return self.source in ("self", "ours", "all")


def _ours(
    name: str, about: str, dose: float = 0.5, *, source: Source = "ours", **more: object
) -> Arm:
    return Arm(name=name, about=about, source=source, dose=dose, **more)  # type: ignore[arg-type]


_all = partial(_ours, source="all")


ARMS = {
    arm.name: arm
    for arm in (
        Arm(name="plain", about="real faces, moved a little and mirrored"),
        Arm(name="sampling", about="faces drawn by class size to -1/2", balance=0.5),
        _ours(
            "ours-balance",
            "as `batch --balance` makes them, and the faces beside them",
            0.0,
            once=True,
        ),
        _ours(
            "ours-balance-judge",
            "the same, with half the judge's labels (`--soft-labels`)",
            0.0,
            once=True,
            result_labels="judge",
        ),
        _ours(
            "ours-balance-norm",
            "the same, with batch norms of their own",
            0.0,
            once=True,
            separate_norm=True,
        ),
        _ours("ours-50", "half of each batch ours"),
        _all("all-50", "half of each batch as `batch --to all` makes them, each as often"),
        _all("all-75", "three quarters of each batch the same", 0.75),
        _all("all-once", "the same, each once a pass as the faces are", 0.0, once=True),
        _all("all-first", "the same for half of the steps, then real faces", 0.0, pretraining=0.5),
        _all(
            "all-first-sampling",
            "the same, with real faces drawn by class size to -1/2",
            0.0,
            pretraining=0.5,
            balance=0.5,
        ),
        _all("all-50-sampling", "as all-50, with faces drawn by class size to -1/2", balance=0.5),
        _all("all-50-judge", "as all-50, with half the judge's labels", result_labels="judge"),
        _all("all-50-norm", "as all-50, with batch norms of their own", separate_norm=True),
        _ours(
            "ours-balance-sampling",
            "as ours-balance, with faces drawn by class size to -1/2",
            0.0,
            once=True,
            balance=0.5,
        ),
        _ours(
            "ours-double",
            "as ours-balance, but classes are filled to twice the largest",
            0.0,
            once=True,
            multiple=2,
        ),
        Arm(
            name="self-50",
            about="half of each batch translated to its label: texture alone",
            source="self",
            dose=0.5,
        ),
        _ours("ours-50-confirmed", "half ours, those that the judge confirms", confirmed=True),
        Arm(name="distillation", about="half of each label the judge's", real_labels="judge"),
        _ours("ours-50-judge", "half ours, with half the judge's labels", result_labels="judge"),
        Arm(
            name="fine-tuning",
            about="begins from a student trained on all of FER2013",
            needs="classifier",
        ),
        Arm(
            name="fine-tuning-sampling",
            about="the same, with faces drawn by class size to -1/2",
            balance=0.5,
            needs="classifier",
        ),
        _all(
            "fine-tuning-all-50", "as fine-tuning, with half of each batch ours", needs="classifier"
        ),
        _ours("ours-first", "ours for half of the steps, then real faces", 0.0, pretraining=0.5),
        _ours("ours-25", "a quarter of each batch ours", 0.25),
        _ours("ours-10", "a tenth of each batch ours", 0.1),
        Arm(
            name="copies-50",
            about="half of each batch real faces once more, with noise",
            source="copies",
            dose=0.5,
        ),
        _ours("ours-50-norm", "half ours, with batch norms of their own", separate_norm=True),
        _ours(
            "ours-50-distillation",
            "half ours, and half of all labels the judge's",
            real_labels="judge",
            result_labels="judge",
        ),
        _ours(
            "ours-50-strengths",
            "half ours at strengths .5, .75 and 1, with labels to match",
            strengths=(0.5, 0.75, 1.0),
            result_labels="strength",
        ),
        _ours("ours-50-hard", "half ours, of the third learned last", hard_only=True),
        Arm(name="class-weights", about="the loss weighted by class size", class_weights=True),
        Arm(name="mixup", about="mixup .2", mix="mixup"),
        Arm(name="cutmix", about="cutmix, in half of the batches", mix="cutmix"),
        Arm(name="randaugment", about="RandAugment, two operations", policy="randaugment"),
        Arm(name="votes", about="real faces with FER+ votes for labels", real_labels="votes"),
        _all(
            "small-generator",
            "as all-50, of a generator trained on the same few faces",
            needs="bundle",
        ),
    )
}
"""The arms by name, the most telling first: a queue that is cut short has run those."""
