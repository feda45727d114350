"""The stages that timetables alone have: loading, the end, the agent's training."""
