"""Members of a population."""

from typing import NamedTuple

from ..problem import Genes


class Individual(NamedTuple):
    """A solution of a population: its arrays, and what it costs.

    Attributes
    ----------
    genes
        The arrays, as the problem names them.
    violations, cost
        Units of violation, and weighted cost.
    """

    genes: Genes
    violations: int
    cost: float

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts the better individual first."""
        return self.violations, self.cost
