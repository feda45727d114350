"""What every callback has: parameters by name."""

import inspect
from pathlib import Path

import pytest
import schoolbell.callbacks as package
from schoolbell.callbacks import Callback, EarlyStopping, LambdaCallback, RedisLogger

ARGUMENTS = {
    "AdjustOnPlateau": {"parameter": "kempe"},
    "BackupAndRestore": {"backup_dir": "backup"},
    "BatchScheduler": {"parameter": "kempe", "schedule": abs},
    "CSVLogger": {"filename": Path("log.csv")},
    "Notify": {"urls": ("json://127.0.0.1",)},
    "SolutionCheckpoint": {"filepath": "best.sol"},
    "Timer": {"duration": 3.0},
}
LIBRARIES = {
    "MLflowLogger": "mlflow",
    "Notify": "apprise",
    "SystemMonitor": "psutil",
    "TensorBoard": "tensorboardX",
}
CALLBACKS = [
    one
    for one in vars(package).values()
    if inspect.isclass(one) and issubclass(one, Callback) and one is not Callback
]


@pytest.mark.parametrize("kind", CALLBACKS)
def test_every_callback_tells_its_parameters_and_can_be_made_again_of_them(kind):
    for name, library in LIBRARIES.items():
        if kind.__name__ == name:
            pytest.importorskip(library)
    callback = kind(**ARGUMENTS.get(kind.__name__, {}))
    params = callback.get_params()
    assert list(params) == list(inspect.signature(kind).parameters)
    if kind.__name__ != "Notify":
        # Of a service no more than its kind is told.
        assert params | ARGUMENTS.get(kind.__name__, {}) == params
    assert kind(**params | ARGUMENTS.get(kind.__name__, {})).get_params() == params
    assert repr(callback).startswith(f"{kind.__name__}(")


def test_parameters_are_set_by_name_with_the_constructors_checks():
    callback = EarlyStopping()
    assert callback.set_params(patience=3, mode="max") is callback
    assert (callback.patience, callback.mode) == (3, "max")
    with pytest.raises(ValueError, match="patience must be"):
        callback.set_params(min_delta=7, patience=-1)
    with pytest.raises(ValueError, match="EarlyStopping has no parameter 'patient'; it has mon"):
        callback.set_params(patient=1)
    assert (callback.min_delta, callback.patience) == (0, 3)


def test_what_is_known_of_the_run_stays_when_a_parameter_is_set():
    callback = EarlyStopping()
    callback.set_params({"seed": 3})
    callback.set_params(patience=2)
    assert callback.params == {"seed": 3}


def test_functions_are_set_and_taken_away_by_hook():
    calls = []
    callback = LambdaCallback(on_batch_end=lambda *_: calls.append("batch"))
    callback.set_params(on_batch_end=None, on_stage_end=lambda *_: calls.append("stage"))
    callback.on_batch_end(0, {})
    callback.on_stage_end("a", {})
    assert calls == ["stage"]
    assert callback.get_params()["on_batch_end"] is None


def test_a_url_is_told_without_its_password_and_kept_with_it():
    callback = RedisLogger("redis://me:hunter2@host:6379/0")
    callback.set_params(interval=1.0)
    assert "hunter2" not in repr(callback.get_params())
    assert callback._given_params()["url"] == "redis://me:hunter2@host:6379/0"
