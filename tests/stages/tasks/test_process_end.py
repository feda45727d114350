"""How a process of the package's own ends."""

import subprocess
import sys

PROGRAM = """
import atexit, gc, os, sys
from pathlib import Path
from schoolbell.stages.tasks.process_end import end_quickly


class Circle:
    pass


def look(phase, about, write=os.write, objects=gc.get_objects):
    write(1, b"%d " % len(objects()))


# Called last, being the first.
atexit.register(gc.callbacks.append, look)
end_quickly()

held = Circle()
held.itself, held.file = held, Path(sys.argv[1]).open("w")
held.file.write("written")
"""


def test_python_does_not_look_through_all_objects_and_what_files_hold_is_written(tmp_path):
    path = tmp_path / "file"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True
    )
    looked_at = [int(number) for number in done.stdout.split()]
    assert looked_at
    assert max(looked_at) < 3000
    assert path.read_text() == "written"
