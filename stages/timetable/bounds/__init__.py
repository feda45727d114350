"""What no timetable of an instance can do better than, and why it may have none."""
