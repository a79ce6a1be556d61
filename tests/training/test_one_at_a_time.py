"""Two trainings at once: in one folder they are refused, of two stages they are not."""

from dataclasses import replace

import pytest

from cctranslate.errors import BusyError
from cctranslate.training.checkpoint import TEACHERS
from cctranslate.training.fit import fit
from tests.support.training import MakeRun, log, small


def test_only_one_at_a_time_trains_in_a_folder(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 4))

    def begin_another(*_: object) -> None:
        with pytest.raises(BusyError, match=r"run: another run is writing there"):
            fit(replace(run, resume=True))

    assert fit(replace(run, on_start=begin_another)).finished
    assert [line["step"] for line in log(run.folder)] == [2, 4]
    assert not list(run.folder.glob(".*"))


def test_stages_that_do_not_build_on_each_other_are_trained_at_once(make_run: MakeRun) -> None:
    run = replace(make_run(small("flow-start", 2)), stage="guide-plain")

    def begin_another(*_: object) -> None:
        assert fit(replace(run, stage="encoder", resume=True)).finished
        with pytest.raises(BusyError, match=r"guide-plain: another run is writing there"):
            fit(replace(run, resume=True))

    assert fit(replace(run, on_start=begin_another)).finished
    assert {path.name for path in (run.folder / TEACHERS).iterdir()} == {"guide-plain", "encoder"}
