"""What the workers of a call do, as its options say."""

from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.writers import Files, GrowingWriter, Writer
from cctranslate.batch.stages.chunks import Work
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.sessions import CUDA, cores

FEW_CORES = 4
"""Cores up to which threads do what worker processes do elsewhere."""


def make_work(options: Options, finder: FaceDetector, writer: Writer, provider: str) -> Work:
    """Return what the workers do.

    Args:
        options: The call's options.
        finder: Finds the faces in pictures.
        writer: Where results go.
        provider: What the models run on.
    """
    in_pictures = options.result == "picture"
    # On few cores the models are the limit; on many, or with a GPU, one process's Python is.
    many = provider == CUDA or cores() > FEW_CORES
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
        pickled=many if options.processes is None else options.processes,
        all_rows=options.report == "-" or not isinstance(writer, Files | GrowingWriter),
        cut=writer.cut if isinstance(writer, GrowingWriter) else None,
    )
