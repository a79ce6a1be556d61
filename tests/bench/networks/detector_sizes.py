"""Make the detector that ships, which takes pictures of any size, of the model zoo's YuNet.

    python tests/bench/networks/detector_sizes.py face_detection_yunet_2023mar.onnx weights/bundle

The zoo's graph names 640 x 640 pixels, which only OpenCV overlooks. Its weights and nodes stay.
"""

import json
from pathlib import Path

import click
import onnx

from cctranslate.bundle import entry
from cctranslate.faces.detector import CARD

PATH = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("graph", type=PATH)
@click.argument("out", type=PATH)
def main(graph: Path, out: Path) -> None:
    """Name the sizes of inputs and outputs, and write file and card."""
    model = onnx.load(graph)
    _, _, height, width = model.graph.input[0].type.tensor_type.shape.dim
    height.dim_param, width.dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"places_{output.name}"
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    made = out / graph.name
    onnx.save(model, made)
    card = out / CARD
    content = json.loads(card.read_text(encoding="utf-8"))
    content |= {"name": made.name, **entry(made), "changed": "sizes of inputs and outputs are open"}
    card.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
