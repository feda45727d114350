"""Pipelines with a stage left out, or chance in its place."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from schoolbell.stages import Budget, State

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def ablation():
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("ablation", FOLDER / "ablation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))


def test_dealt_clusters_keep_their_sizes_and_lose_their_courses(ablation):
    clusters = np.repeat(np.arange(6, dtype=np.int32), [5, 30, 10, 20, 8, 7])
    with ThreadPoolExecutor(1) as pool:
        state = State(None, seed=4, executor=pool)
        state.clusters = clusters
        assert [batch.done for batch in ablation.DealCourses().run(state, Budget())] == [1]
    assert np.bincount(state.clusters).tolist() == [5, 30, 10, 20, 8, 7]
    assert (state.clusters == clusters).mean() < 0.5


def test_each_variant_changes_what_its_name_says(ablation):
    everything = [stage.name for stage in ablation.VARIANTS["all"]("UD2").stages]
    for variant, build in ablation.VARIANTS.items():
        stages = build("UD3").stages
        names = [stage.name for stage in stages]
        if variant.startswith("no-"):
            assert names == [name for name in everything if name != variant[3:]]
        elif variant == "random-clusters":
            assert names == ["load", "clustering", "dealing", *everything[2:]]
        else:
            assert names == everything
            rl = next(stage for stage in stages if stage.name == "rl")
            assert rl.policy == ("random" if variant == "random-operators" else "learned")
        assert stages[0].formulation == "UD3"
