"""Which hooks a list calls, and what it does with errors."""

import pytest
from schoolbell.callbacks import Callback, CallbackError, CallbackList, LambdaCallback
from schoolbell.callbacks.callback_list import HOOKS


class Listener(Callback):
    def __init__(self):
        super().__init__()
        self.heard = []

    def on_batch_end(self, batch, logs=None):
        self.heard.append(batch)


def test_a_hook_that_nobody_overrides_is_not_bound():
    callbacks = CallbackList([Callback(), Listener(), LambdaCallback(on_solution=print)])
    assert [name for name in HOOKS if callbacks.overrides(name)] == ["on_batch_end", "on_solution"]
    assert len(callbacks.batch_end_hooks) == 1
    assert callbacks.batch_begin_hooks == ()


def test_a_sampled_callback_is_left_out_of_the_batches_only():
    listener = Listener()
    callbacks = CallbackList([listener], sampled=[listener])
    callbacks.on_batch_end(0, {})
    assert (listener.heard, len(callbacks)) == ([], 1)


def test_every_hook_is_passed_on_with_its_arguments():
    heard = []
    hooks = {name: lambda *args, name=name: heard.append((name, args)) for name in HOOKS}
    callbacks = CallbackList([LambdaCallback(**hooks)])
    logs, error = {"done": 1}, ValueError()
    for name, args in (
        ("on_pipeline_begin", (logs,)),
        ("on_stage_begin", ("a", logs)),
        ("on_batch_begin", (0, logs)),
        ("on_batch_end", (0, logs)),
        ("on_solution", ("s", logs)),
        ("on_stage_end", ("a", logs)),
        ("on_exception", (error,)),
        ("on_pipeline_end", (logs,)),
    ):
        getattr(callbacks, name)(*args)
        assert heard[-1] == (name, args)


def test_callbacks_get_pipeline_and_params():
    listener = Listener()
    callbacks = CallbackList([listener])
    callbacks.set_pipeline("pipeline")  # type: ignore[arg-type]
    callbacks.set_params({"seed": 3})
    assert (listener.pipeline, listener.params) == ("pipeline", {"seed": 3})


class Failing(Callback):
    def on_stage_end(self, stage, logs=None):
        raise ValueError("no")


def test_an_error_names_the_callback_and_the_hook():
    with pytest.raises(CallbackError, match="Failing failed in on_stage_end: ValueError: no"):
        CallbackList([Failing()]).on_stage_end("a")


def test_with_warnings_the_others_go_on():
    listener = Listener()
    callbacks = CallbackList([Failing(), listener], errors="warn")
    with pytest.warns(RuntimeWarning, match="it is switched off"):
        callbacks.on_stage_end("a")
    callbacks.on_stage_end("a")
    callbacks.on_batch_end(5)
    assert list(callbacks) == [listener]
    assert listener.heard == [5]


def test_an_interrupted_end_goes_on_with_the_callbacks_not_called_yet():
    ended = []

    def interrupt(logs):
        raise KeyboardInterrupt

    callbacks = CallbackList(
        [
            LambdaCallback(on_pipeline_end=lambda logs: ended.append("first")),
            LambdaCallback(on_pipeline_end=interrupt),
            LambdaCallback(on_pipeline_end=lambda logs: ended.append("last")),
        ]
    )
    with pytest.raises(KeyboardInterrupt):
        callbacks.on_pipeline_end()
    callbacks.on_pipeline_end()
    assert ended == ["first", "last"]
