"""Labelling problems for repair by reinforcement learning."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .labels import checked, of_node

if TYPE_CHECKING:
    from .labelling_problem import LabellingProblem

_KEPT = ("labels", "start", "best")
# An observation tells of violations up to this many.
_MOST_SEEN = 3


class LabelEnvironment:
    """Episodes of repair: attempts to make one node better.

    An observation is how much is violated by the episode's node, up to 3, and which operator
    was the last.
    """

    def __init__(
        self,
        problem: "LabellingProblem",
        first: NDArray[np.int64],
        violation: float,
        steps: int,
    ) -> None:
        self.problem, self.violation, self.steps = problem, violation, steps
        self.sizes = (_MOST_SEEN + 1, len(problem.actions) + 1)
        self._first = np.array(first, np.int64)
        self.restart(np.random.SeedSequence(0))

    def restart(self, seed: np.random.SeedSequence) -> None:
        """Begin anew from the first labelling."""
        self._rng = np.random.default_rng(seed)
        self.labels = self.start = self.best = self._first.copy()
        self.without_success = 0

    @property
    def best_total(self) -> NDArray[Any]:
        """Violations and cost of the best labelling so far."""
        return np.array(self.problem.evaluate(self.best))

    def best_solution(self) -> Any:
        """Return the best labelling so far."""
        return self.problem.solution(self.best)

    def count_conflicts(self) -> int:
        """Count the nodes that violate or cost something."""
        return int(np.count_nonzero(self._wrong()))

    def reset(self) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an attempt at a node, rather at one that much is wrong with."""
        evaluate = self.problem.evaluate
        if evaluate(self.labels)[0] > evaluate(self.start)[0]:
            self.labels = self.start
        self.start, self._taken, wrong = self.labels.copy(), 0, self._wrong()
        self._node = int(self._rng.choice(len(wrong), p=wrong / wrong.sum()))
        return self._look(len(self.problem.actions)), {}

    def step(self, action: int) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Apply an operator to the node."""
        problem, labels, node = self.problem, self.labels.copy(), self._node
        evaluate, name = problem.evaluate, problem.actions[action]
        new = int(self._rng.integers(problem.n_labels))
        if name == "cheapest":
            present = labels.tolist()
            found = (of_node(problem, present, node, label) for label in range(problem.n_labels))
            new = int(np.argmin([self.violation * broken + cost for broken, cost in found]))
        elif name == "chain":
            driven = [other for other in problem.near[node] if labels[other] == new]
            labels[driven] = labels[node]
        labels[node] = new
        self.labels, self._taken = labels, self._taken + 1
        total = evaluate(labels)
        if total < evaluate(self.best):
            self.best = labels
        success = total < evaluate(self.start)
        given_up = not success and self._taken >= self.steps
        if success or given_up:
            self.without_success = 0 if success else self.without_success + 1
        return self._look(action), float(success), success, given_up, {}

    def state_dict(self) -> dict[str, Any]:
        """Return where it is."""
        random = self._rng.bit_generator.state
        own = {name: getattr(self, name) for name in _KEPT}
        return {**own, "random": random, "without_success": self.without_success}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be where another one was."""
        for name in _KEPT:
            setattr(self, name, checked(self.problem, state[name]))
        self._rng.bit_generator.state = state["random"]
        self.without_success = state["without_success"]

    def _wrong(self) -> NDArray[np.float64]:
        """Tell what each node violates, or costs where none violates anything."""
        labels = self.labels.tolist()
        found = [of_node(self.problem, labels, node, label) for node, label in enumerate(labels)]
        broken, costs = np.array(found, float).reshape(-1, 2).T
        return broken if broken.any() else costs.clip(0)

    def _look(self, last: int) -> NDArray[np.int64]:
        labels = self.labels.tolist()
        broken = of_node(self.problem, labels, self._node, labels[self._node])[0]
        return np.array([min(broken, _MOST_SEEN), last])
