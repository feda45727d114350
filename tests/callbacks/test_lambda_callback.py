"""A callback made of functions."""

import pytest
from schoolbell.callbacks import CallbackList, LambdaCallback


def test_only_the_functions_given_are_hooks():
    heard = []
    callback = LambdaCallback(on_batch_end=lambda batch, logs: heard.append((batch, logs)))
    callbacks = CallbackList([callback])
    callbacks.on_batch_end(3, {"done": 4})
    assert heard == [(3, {"done": 4})]
    assert not callbacks.overrides("on_batch_begin")


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="on_solution must be callable"):
        LambdaCallback(on_solution="print")  # type: ignore[arg-type]


def test_an_unknown_hook_is_refused():
    with pytest.raises(TypeError, match="on_epoch_end"):
        LambdaCallback(on_epoch_end=print)  # type: ignore[call-arg]
