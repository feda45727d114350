"""How large an instance may be: far beyond real ones, and still within memory."""

MAX_DAYS = 31
MAX_WEEKS = 62
MAX_SLOTS_PER_DAY = 1440
MAX_NUMBER = 1_000_000_000
"""Largest penalty, weight, limit or parameter."""

MAX_ROOMS = 5_000
MAX_CLASSES = 200_000
MAX_STUDENTS = 1_000_000
MAX_DISTRIBUTIONS = 1_000_000
MAX_OPTIONS = 10_000_000
"""Most time options, and most room options, of all classes together."""

MAX_DEMANDS = 5_000_000
"""Most courses that students ask for, all together."""

MAX_COURSES_OF_A_STUDENT = 200

MAX_CLASSES_OF_A_STUDENT = 1_000
"""Most classes that a student can attend."""

MAX_PAIRS = 50_000_000
"""Most pairs of classes in distributions over pairs, each counted in each."""
