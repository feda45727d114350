"""What ``schoolbell fit`` solves when it is given nothing."""

from ...stages.timetable import Instance, generate

DEMO_COURSES = 80
DEMO_SEED = 2007
DEMO_SECONDS = 20.0


def demo_instance() -> Instance:
    """Generate the demo: a faculty's week of the size of an ITC-2007 instance, always the same."""
    return generate(DEMO_COURSES, seed=DEMO_SEED)
