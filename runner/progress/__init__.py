"""How far a run is and how long it takes yet."""
