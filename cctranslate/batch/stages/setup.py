"""Set up the models and the workers of a call by its options."""

from cctranslate.batch.call.options import Options
from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.outputs.file_writer import FileWriter
from cctranslate.batch.outputs.writers import GrowingWriter, Writer
from cctranslate.batch.stages import bounds
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.worker_tasks import WorkerTasks
from cctranslate.bundle import Bundle
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import CPU, cores

MODELS_MEMORY = 192 << 20
"""The bytes that a worker process with models may take, until photographs come."""
FIRST_TASKS = 8
"""Tasks that threads do before worker processes start: a process starts in the time of some hundred
small pictures."""


def open_models(options: Options, loaded: Bundle) -> TranslationModels:
    """Open a bundle's models with the device, engine and precision of the options.

    Raises:
        DeviceError: The device cannot be used.
        BundleError: A graph that cannot be loaded.
    """
    return TranslationModels(
        loaded, options.device, options.batch_size, options.engine, options.precision
    )


def model_workers(options: Options, provider: str) -> int:
    """Return how many worker processes have their own models; 0: this process has the models.

    With onnxruntime on a CPU, models in every worker give a fifth to a half more faces a second
    (`tests/bench/throughput.py`). A GPU serves one process best. OpenVINO sometimes hangs where
    decoding threads run it. `--per-class` decides on one result after the other.
    """
    if provider != CPU or options.per_class is not None or not in_processes(options):
        return 0
    fitting = bounds.budget() // MODELS_MEMORY
    count = options.workers or min(cores(), fitting)
    return count if 1 < count <= fitting else 0


def in_processes(options: Options) -> bool:
    """Return whether workers are processes.

    Threads wait for Python's lock, which adds half to the time of a small picture.
    """
    return cores() > 1 if options.processes is None else options.processes


def make_worker_tasks(
    options: Options, detector: FaceDetector, writer: Writer, provider: str
) -> WorkerTasks:
    """Return the tasks of the workers.

    Args:
        options: The call's options.
        detector: Finds the faces in pictures.
        writer: Where results go.
        provider: What the models run on.
    """
    in_pictures = options.result == "picture"
    return WorkerTasks(
        decode_options=DecodeOptions(
            face_mode=options.faces,
            detector=detector,
            will_reread=in_pictures,
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
        pickled=in_processes(options),
        all_rows=options.report == "-" or not isinstance(writer, FileWriter | GrowingWriter),
        split_line=writer.split_line if isinstance(writer, GrowingWriter) else None,
    )
