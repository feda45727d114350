"""How a run is driven: its stages, units, stops and signals."""
