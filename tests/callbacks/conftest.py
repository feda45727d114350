"""What Keras's own callbacks decide, for comparison."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap

import pytest

KERAS = """
    import json, os, sys, warnings
    warnings.simplefilter("ignore")
    from keras.callbacks import EarlyStopping, ReduceLROnPlateau
    class Optimizer: pass
    class Model:
        stop_training = False
    for line in sys.stdin:
        case = json.loads(line)
        model = Model()
        if case["kind"] == "stop":
            callback = EarlyStopping("loss", **case["options"])
        else:
            callback = ReduceLROnPlateau("loss", **case["options"])
            model.optimizer = Optimizer()
            model.optimizer.learning_rate = case["start"]
        callback.set_model(model)
        callback.on_train_begin()
        seen = []
        for i, value in enumerate(case["values"]):
            callback.on_epoch_end(i, {} if value is None else {"loss": value})
            if case["kind"] == "stop":
                seen.append([callback.wait, repr(float(callback.best or 0))])
                if model.stop_training:
                    break
            else:
                seen.append([callback.wait, model.optimizer.learning_rate])
        print(json.dumps(seen))
"""


@pytest.fixture
def with_keras():
    """A function from cases to what Keras's callbacks do in each of them."""
    python = os.environ.get("KERAS_PYTHON", sys.executable)
    if python == sys.executable and importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed, nor does KERAS_PYTHON name a Python that has it")

    def run(cases):
        done = subprocess.run(
            [python, "-c", textwrap.dedent(KERAS)],
            input="\n".join(map(json.dumps, cases)),
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def random_values():
    """A function from a random generator to a sequence of values, NaN and missing ones too."""

    def draw(rng):
        # Multiples of 1/32, exact also in the single precision in which Keras compares.
        kinds = [lambda: rng.randrange(-80, 80) / 32] * 6
        if rng.random() < 0.5:
            kinds += [lambda: None, lambda: float("nan")]
        level = rng.randrange(40)
        values = [rng.choice(kinds)() for _ in range(rng.randrange(1, 40))]
        return [v if v is None else v + max(level - i, 0) for i, v in enumerate(values)]

    return draw
