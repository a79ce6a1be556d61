"""The teacher: a generative model of faces, which later makes the pairs that a student learns."""

from dataclasses import dataclass

from cctranslate.recipes.components import BaseRecipe


@dataclass(frozen=True, kw_only=True)
class TeacherRecipe(BaseRecipe):
    """A conditional flow-matching experiment (rectified flow: Liu et al. 2022).

    The network learns to inpaint masked parts of faces, given the rest of the face, its label
    distribution, its identity embedding and a blurred view of its eyes.
    """

    widths: tuple[int, int, int]
    """Channels at a half, a quarter and an eighth of the size."""
    embedding: int
    """Length of the vector that time, label and identity are joined in."""
    batch_size: int
    epochs: float
    lr: float
    """Learning rate of Muon for weight matrices; Adam's for the rest is `adam_lr`."""
    adam_lr: float
    lr_hold: int
    """Steps at the full learning rate; then it falls with the square root of the step, so that a
    run can end at any time (Karras et al. 2024)."""
    ema: float = 0.9995
    """Decay of the averaged weights, from which samples are drawn."""
    drop_label: float = 0.15
    """Fraction of faces without a label: for classifier-free guidance (Ho and Salimans 2022)."""
    drop_identity: float = 0.15
    drop_eyes: float = 0.5
    """Fraction of faces without the blurred view of their eyes, which hints at the expression."""
    vote_share: float = 0.0
    """Fraction of FER+ votes in the labels, where votes are given."""
    class_balance: float = 0.0
    """Faces are drawn by class size to the power of minus this; 0: each face once an epoch."""

    @property
    def needs_face_recognizer(self) -> bool:
        """True: its embedding says whose face is to be filled in."""
        return True


@dataclass(frozen=True, kw_only=True)
class MouthTeacherRecipe(TeacherRecipe):
    """Trains a teacher of faces further, on crops of 24x32 pixels about mouths.

    All of its capacity goes into the part that gives results away most often.
    """

    started_by: str
    """The recipe, trained before, of the teacher whose weights it starts from."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """The teacher that it starts from."""
        return (self.started_by,)


TEACHER = TeacherRecipe(
    name="teacher",
    about="a generative model of faces that fills masked parts in, by expression and person",
    widths=(48, 96, 160),
    embedding=192,
    batch_size=64,
    epochs=100,
    lr=2e-3,
    adam_lr=1e-3,
    lr_hold=4000,
    vote_share=0.7,
    class_balance=0.4,
)

MOUTH_TEACHER = MouthTeacherRecipe(
    name="mouth-teacher",
    about="goes on from the teacher with mouths alone, a third of the pixels of a face",
    started_by="teacher",
    widths=TEACHER.widths,
    embedding=TEACHER.embedding,
    batch_size=64,
    epochs=40,
    lr=2e-3,
    adam_lr=1e-3,
    lr_hold=40_000,
    # The person is in the skin about the mouth.
    drop_identity=1.0,
    vote_share=0.8,
    class_balance=0.4,
)
