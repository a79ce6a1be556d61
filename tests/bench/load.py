"""How quickly and in how much memory FER2013's CSV is read, beside the usual ways.

    python tests/bench/load.py fer2013.csv

Each way runs in a process of its own; memory is that process's peak over one that only imports.
"""

import subprocess
import sys

WAYS = {
    "nothing (imports only)": "import numpy, pandas; from cctranslate.training.data import fer2013",
    "cctranslate": "from pathlib import Path; from cctranslate.training.data import fer2013; "
    "import numpy, pandas; fer2013.load(Path(PATH))",
    "pandas.read_csv, pixels still text": "import numpy, pandas; "
    "from cctranslate.training.data import fer2013; pandas.read_csv(PATH)",
    "pandas.read_csv, then each row split": "import numpy, pandas; "
    "from cctranslate.training.data import fer2013; "
    "frame = pandas.read_csv(PATH); "
    "numpy.stack([numpy.array(p.split(), 'uint8') for p in frame.pixels])",
    "csv.reader, each row split": "import csv, numpy, pandas; "
    "from cctranslate.training.data import fer2013; rows = csv.reader(open(PATH)); next(rows); "
    "numpy.stack([numpy.array([int(v) for v in r[1].split()], 'uint8') for r in rows])",
}
MEASURE = """
import resource, time
PATH = {path!r}
started = time.perf_counter()
{code}
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(code: str, path: str) -> tuple[float, float]:
    """Seconds and peak MiB of a process that runs `code`."""
    out = subprocess.run(
        [sys.executable, "-c", MEASURE.format(path=path, code=code)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, mib = map(float, out.stdout.split())
    return seconds, mib


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    base_seconds, base_mib = measure(WAYS["nothing (imports only)"], sys.argv[1])
    print(f"{'way':40}{'seconds':>10}{'MiB':>10}{'times ours':>12}")
    ours = 0.0
    for way, code in list(WAYS.items())[1:]:
        seconds, mib = measure(code, sys.argv[1])
        seconds -= base_seconds
        ours = ours or seconds
        print(f"{way:40}{seconds:10.2f}{mib - base_mib:10.0f}{seconds / ours:12.2f}")


if __name__ == "__main__":
    main()
