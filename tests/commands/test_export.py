"""`cctranslate export` as a user types it."""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from cctranslate import bundle
from cctranslate.errors import BundleError, Float16Error
from cctranslate.pixels import to_scaled
from cctranslate.recipes.serialization import to_json
from cctranslate.recipes.student import STUDENT
from cctranslate.training import checkpoint
from cctranslate.training.export import export
from cctranslate.training.exporting.fp16 import halve
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.run_folder import RunManifest, load_generator, write_json, write_manifest
from tests.support import bundles, pictures
from tests.support.cli import invoke


def test_export_writes_a_bundle_that_loads(trained_runs: Path) -> None:
    found = bundle.load(trained_runs / "bundle")
    assert found.card["recipe"]["name"] == "t26"
    assert found.card["largest_difference"] < 2e-3
    assert found.card["judge"]["recipe"]["name"] == "judge"


def test_the_graphs_take_any_number_of_faces_and_targets(trained_runs: Path) -> None:
    found = bundle.load(trained_runs / "bundle")
    generator = onnxruntime.InferenceSession(found.generator, providers=["CPUExecutionProvider"])
    faces = to_scaled(np.stack([pictures.draw_face(k, 0) for k in range(7)]))[:, None]
    labels, in_full = np.eye(7, dtype=np.float32), np.ones(7, np.float32)
    everything = generator.run(None, {"faces": faces, "labels": labels, "strength": in_full})[0]
    assert everything.shape == (7, 7, 1, 48, 48)
    some = {"faces": faces[3:4], "labels": labels[5:6], "strength": in_full[:1]}
    one = generator.run(None, some)[0]
    np.testing.assert_allclose(one[0, 0], everything[3, 5], atol=1e-4)
    judge = onnxruntime.InferenceSession(found.judge, providers=["CPUExecutionProvider"])
    probabilities, features = judge.run(None, {"faces": faces})
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert features.shape == (7, 112)


def test_a_student_goes_as_far_as_its_discriminators_saw(
    trained_runs: Path, tmp_path: Path
) -> None:
    write_manifest(tmp_path / "run", RunManifest(recipe=STUDENT, seed=0, data={}))
    g = build_generator(STUDENT.generator)
    faces = torch.zeros(2, 48, 48, dtype=torch.uint8)
    trainer = {"average": g.state_dict(), "faces": faces}
    state = {"recipe": to_json(STUDENT), "step": 1, "steps": 1, "trainer": trainer}
    checkpoint.save(tmp_path / "run", state)
    words = (
        "export",
        tmp_path / "run",
        "--judge",
        trained_runs / "bundle",
        "-o",
        tmp_path / "bundle",
    )
    result = invoke(*words, "--gain", "happy=2")
    assert result.exit_code == 0, result.output
    expected = [1.25, 1.4, 1.3, 2, 1.25, 1.2, 1.15]
    assert list(bundle.load(tmp_path / "bundle").card["gain"].values()) == expected


def test_gain_is_how_far_strength_1_goes(trained_runs: Path, tmp_path: Path) -> None:
    words = (
        "export",
        trained_runs / "t26",
        "--judge",
        trained_runs / "bundle",
        "-o",
        tmp_path / "far",
    )
    result = invoke(*words, "--gain", "1.5", "--gain", "happy=2")
    assert result.exit_code == 0, result.output
    gains = bundle.load(tmp_path / "far").card["gain"]
    assert (gains["happy"], gains["sad"]) == (2, 1.5)
    assert invoke(*words, "--gain", "happy=9").exit_code == 2
    faces = to_scaled(pictures.draw_face(0, 0))[None, None]
    happy = np.eye(7, dtype=np.float32)[3:4]
    half_of_far, all_of_near = (
        onnxruntime.InferenceSession(
            bundle.load(folder).generator, providers=["CPUExecutionProvider"]
        ).run(
            None, {"faces": faces, "labels": happy, "strength": np.array([strength], np.float32)}
        )[0]
        for folder, strength in ((tmp_path / "far", 0.5), (trained_runs / "bundle", 1.0))
    )
    np.testing.assert_allclose(half_of_far, all_of_near, atol=1e-4)


def test_a_generators_weights_take_two_bytes_each_and_it_computes_in_float32(
    trained_runs: Path,
) -> None:
    path = bundle.load(trained_runs / "bundle").generator
    count = sum(p.numel() for p in load_generator(trained_runs / "t26").parameters())
    assert 2 * count < path.stat().st_size < 2.1 * count
    graph = onnx.load(path).graph
    assert {value.type.tensor_type.elem_type for value in graph.output} == {onnx.TensorProto.FLOAT}
    packed = {w.name for w in graph.initializer if w.data_type == onnx.TensorProto.FLOAT16}
    used = {name for node in graph.node if node.op_type != "Cast" for name in node.input}
    assert packed
    assert not packed & used


def test_half_is_the_same_to_a_few_gray_levels_in_half_the_size(
    trained_runs: Path, tmp_path: Path, faces: Path
) -> None:
    whole, half = trained_runs / "bundle", tmp_path / "half"
    result = invoke("export", trained_runs / "t26", "--judge", whole, "--half", "-o", half)
    assert result.exit_code == 0, result.output
    assert "float16 and float32 by" in result.stderr
    sizes = [bundle.load(folder).judge.stat().st_size for folder in (half, whole)]
    assert sizes[0] < 0.6 * sizes[1]
    for name in ("generator", "judge"):
        assert 0 < bundle.load(half).card["float16"][name] < 3e-2
    pictures = []
    for folder in (half, whole):
        out = tmp_path / "out" / folder.name
        words = ("batch", faces, "--to", "sad", "--device", "cpu", "-o", out, "--weights", folder)
        assert invoke(*words).exit_code == 0
        found = [Image.open(path) for path in sorted((out / "sad").iterdir())]
        pictures.append(np.stack([np.asarray(picture, np.int64) for picture in found]))
    assert 0 < np.abs(pictures[0] - pictures[1]).max() <= 4
    # Taken from a bundle that is halved, a judge is left as it is.
    again = invoke(
        "export", trained_runs / "t26", "--judge", half, "--half", "-o", tmp_path / "again"
    )
    assert again.exit_code == 0, again.output
    assert bundle.load(tmp_path / "again").card["float16"]["judge"] == 0


def test_a_graph_that_float16_changes_is_refused(tmp_path: Path) -> None:
    folder = bundles.write_bundle(tmp_path)
    x = np.full((1, 1, 48, 48), 1e9, np.float32)
    labels, strength = np.eye(7, dtype=np.float32), np.ones(7, np.float32)
    with pytest.raises(Float16Error, match="leave out --half"):
        halve(folder / "generator.onnx", faces=x, labels=labels, strength=strength)


def test_an_altered_bundle_is_refused(trained_runs: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(trained_runs / "bundle", tmp_path / "bundle"))
    with (copied / "judge.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match="altered since export"):
        bundle.load(copied)


@pytest.mark.parametrize("name", ["generator.onnx", "bundle.json"])
def test_files_of_others_are_not_replaced(name: str, trained_runs: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    result = invoke("export", trained_runs / "t26", "-o", tmp_path)
    assert result.exit_code == 2, result.output
    assert f"{name}: is of no bundle that `export` wrote" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "{}"


def test_a_bundle_is_replaced_beside_files_of_others(trained_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for gain in ("1", "2"):
        result = invoke("export", trained_runs / "t26", "-o", tmp_path, "--gain", gain)
        assert result.exit_code == 0, result.output
    assert bundle.load(tmp_path).card["gain"]["sad"] == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_export_of_no_run_is_one_line(tmp_path: Path) -> None:
    result = invoke("export", tmp_path)
    assert result.exit_code == 2
    assert "name a run folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_step_and_figures_are_of_the_weights_though_the_run_is_trained_meanwhile(
    trained_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Path(shutil.copytree(trained_runs / "t26", tmp_path / "cut"))
    (cut / "measured.json").unlink(missing_ok=True)
    finished = torch.load(cut / "checkpoint.pt", weights_only=True)
    torch.save({**finished, "step": finished["step"] - 1}, cut / "checkpoint.pt")
    load = torch.load

    def load_and_train_on(*args: Any, **named: Any) -> Any:
        loaded = load(*args, **named)
        torch.save(finished, cut / "checkpoint.pt")
        write_json(cut / "measured.json", {"faces": 7})
        return loaded

    monkeypatch.setattr(torch, "load", load_and_train_on)
    card = export(cut, trained_runs / "bundle", tmp_path / "bundle")
    assert (card["step"], card["steps"]) == (finished["steps"] - 1, finished["steps"])
    assert card["measured"] == {}


def test_an_unfinished_run_is_exported_with_a_warning(trained_runs: Path, tmp_path: Path) -> None:
    cut = Path(shutil.copytree(trained_runs / "t26", tmp_path / "cut"))
    saved = torch.load(cut / "checkpoint.pt", weights_only=True)
    torch.save({**saved, "steps": saved["step"] + 8}, cut / "checkpoint.pt")
    result = invoke("export", cut, "--judge", trained_runs / "judge")
    assert result.exit_code == 0, result.output
    assert f"not finished: exported after step {saved['step']} of {saved['step'] + 8}" in (
        result.stderr
    )
    assert result.stdout == f"{cut / 'bundle'}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a file's size is limited by POSIX only")
def test_a_bundle_that_does_not_fit_the_disk_is_one_line(
    trained_runs: Path, tmp_path: Path
) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        result = invoke(
            "export", trained_runs / "t26", "--judge", trained_runs / "bundle", "-o", tmp_path / "b"
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.exit_code == 1, result.output
    assert result.output.startswith(f"Error: {tmp_path / 'b'}: cannot be written: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gain", ["x", "sad=x", "nan", "sad=4", "sad="])
def test_what_is_no_gain_is_told_with_the_form(tmp_path: Path, gain: str) -> None:
    result = invoke("export", tmp_path, "--gain", gain)
    assert result.exit_code == 2, result.output
    assert f"{gain}: expected 0.1 to 3, as in 1.2 or sad=1.5" in result.output
