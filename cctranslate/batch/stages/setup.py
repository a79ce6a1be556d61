"""What the workers of a call do, as its options say."""

from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.writers import Files, GrowingWriter, Writer
from cctranslate.batch.stages.chunks import Work
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.sessions import CUDA, cores

FEW_CORES = 4
"""Cores up to which the models are the limit, if they run on the CPU."""


def first_tasks(options: Options, provider: str) -> int:
    """Return how many tasks threads do before there are worker processes.

    A process takes as long to start as some hundred small pictures. Where the models are the limit,
    it gains a twentieth of the time, and 1,500 pictures pass before it has paid for its start.
    """
    soon = options.processes or provider == CUDA or cores() > FEW_CORES
    return 16 if soon else 64


def make_work(options: Options, finder: FaceDetector, writer: Writer, provider: str) -> Work:
    """Return what the workers do.

    Args:
        options: The call's options.
        finder: Finds the faces in pictures.
        writer: Where results go.
        provider: What the models run on.
    """
    in_pictures = options.result == "picture"
    return Work(
        look=DecodeOptions(
            where=options.faces,
            finder=finder,
            again=in_pictures,
            which=options.which,
            metadata=options.metadata == "keep",
        ),
        renderer=ResultRenderer(
            plan=options.plan,
            layout=options.result_layout,
            packer=writer.packer,
            in_pictures=in_pictures,
            metadata=options.metadata == "keep",
        ),
        # Threads take turns at Python's lock, which costs a small picture half as much again.
        pickled=cores() > 1 if options.processes is None else options.processes,
        all_rows=options.report == "-" or not isinstance(writer, Files | GrowingWriter),
        cut=writer.cut if isinstance(writer, GrowingWriter) else None,
    )
