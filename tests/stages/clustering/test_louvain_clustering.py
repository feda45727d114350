"""Clusters of courses."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, Pulse, State
from schoolbell.stages.clustering import louvain_clustering
from schoolbell.stages.clustering.louvain_clustering import LouvainClustering
from schoolbell.stages.clustering.partition import louvain
from schoolbell.stages.timetable import Course, Formulation, Instance, Room, generate
from schoolbell.stages.timetable.timetable_problem import TimetableProblem


@pytest.fixture(scope="module")
def faculty() -> Instance:
    return generate(150, seed=2)


def run(stage, instance, executor, workers=1):
    state = State(instance, seed=1, executor=executor, workers=workers)
    state.instance = instance
    state.prepared = TimetableProblem(instance, Formulation.UD2)
    return state, [batch for batch in stage.run(state, Budget()) if isinstance(batch, Batch)]


def sizes(state):
    return np.bincount(state.clusters, state.instance.course_lectures)


def test_every_course_is_in_one_cluster_of_the_size_asked_for(faculty):
    stage = LouvainClustering(min_size=20, max_size=50)
    with ThreadPoolExecutor(1) as pool:
        state, batches = run(stage, faculty, pool)
    assert state.clusters.dtype == np.int32
    assert set(state.clusters.tolist()) == set(range(state.cluster_count))
    assert sizes(state).sum() == faculty.n_lectures
    assert sizes(state).max() <= 50
    assert (sizes(state) < 20).sum() <= 1
    assert batches[-1].logs["clusters"] == state.cluster_count


def test_clusters_conflict_within_rather_than_between(faculty):
    with ThreadPoolExecutor(1) as pool:
        _, batches = run(LouvainClustering(), faculty, pool)
    assert batches[-1].logs["modularity"] > 0.5


def test_progress_goes_through_the_three_phases(faculty):
    stage = LouvainClustering(chunk_size=50, max_size=20)
    with ThreadPoolExecutor(1) as pool:
        _, batches = run(stage, faculty, pool)
    done = [batch.done for batch in batches]
    assert done == sorted(done)
    assert {50, 80, 90, 100} <= set(done)
    assert sum(step < 50 for step in done) > 2
    assert all(batch.total == 100 for batch in batches)


def test_the_workers_do_not_matter(faculty):
    stage = LouvainClustering(max_size=20, min_size=5, chunk_size=100)
    with ThreadPoolExecutor(1) as pool:
        one, _ = run(stage, faculty, pool, 1)
    with ThreadPoolExecutor(4) as pool:
        four, _ = run(stage, faculty, pool, 4)
    with ProcessPoolExecutor(2) as pool:
        processes, _ = run(stage, faculty, pool, 2)
    assert (one.clusters == four.clusters).all()
    assert (one.clusters == processes.clusters).all()


def test_courses_without_any_conflict_are_clustered_too():
    courses = tuple(Course(f"c{i}", f"t{i}", 4, 1, 10) for i in range(30))
    instance = Instance("free", 5, 5, courses, (Room("r", 20),))
    with ThreadPoolExecutor(1) as pool:
        state, batches = run(LouvainClustering(min_size=10, max_size=30), instance, pool)
    assert 10 <= sizes(state).min() <= sizes(state).max() <= 30
    assert batches[-1].logs["modularity"] is None


def test_closing_does_not_wait_for_louvain():
    instance = generate(3_000, seed=1)
    with ThreadPoolExecutor(1) as pool:
        state = State(instance, seed=1, executor=pool)
        state.instance = instance
        state.prepared = TimetableProblem(instance, Formulation.UD2)
        batches = LouvainClustering().run(state, Budget())
        while not isinstance(batch := next(batches), Batch) or batch.done < 50:
            pass
        following = next(batches)
        assert isinstance(following, Pulse) or following.done < 80, (
            "Louvain is expected to take longer than a pulse"
        )
        batches.close()
        # The thread is free again long before Louvain could have ended.
        pool.submit(int).result(timeout=0.5)


@pytest.mark.parametrize(
    "wrong",
    [{"resolution": 0}, {"min_size": 0}, {"min_size": 50, "max_size": 40}, {"chunk_size": 0}],
)
def test_refuses_parameters_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if len(wrong) == 1 else "max_size"):
        LouvainClustering(**wrong)


def test_pulses_tell_the_part_of_the_step_in_hand_and_it_never_goes_back(faculty, monkeypatch):
    release = Event()

    def wait_and_cluster(*arguments):
        assert release.wait(60)
        return louvain(*arguments)

    monkeypatch.setattr(louvain_clustering, "louvain", wait_and_cluster)
    monkeypatch.setattr(louvain_clustering, "LEAST_SECONDS", 1.0)
    place, told = 0.0, [0]
    with ThreadPoolExecutor(1) as pool:
        state = State(faculty, seed=1, executor=pool)
        state.instance = faculty
        state.prepared = TimetableProblem(faculty, Formulation.UD2)
        for item in LouvainClustering(chunk_size=200, max_size=20).run(state, Budget()):
            if isinstance(item, Batch):
                told.append(item.done)
                place = max(place, item.done)
            elif item is not None and item.part is not None:
                assert place <= told[-1] + item.part
                place = told[-1] + item.part
            if sum(50 < step < 80 for step in told) > 3:
                release.set()
    assert told == sorted(told)
    assert told[-1] == 100
    # However fast they were, all are told.
    assert set(range(50, 81)) <= set(told)
