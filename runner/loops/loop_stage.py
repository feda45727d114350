"""A stage whose work is done outside: by a loop of the user's."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ...stages import Batch, Budget, Stage, State
from ...stages.plain_data import as_count


class LoopStage(Stage):
    """Yields what a loop has done; made by `track`.

    Parameters
    ----------
    name, unit, total
        As for `track`.
    resume
        Whether a resumed run goes on within the loop.
    """

    tunable: ClassVar[tuple[str, ...] | None] = ()
    metrics = None

    def __init__(
        self,
        name: str = "loop",
        unit: str = "item",
        total: int | None = None,
        resume: bool = False,
    ) -> None:
        self.name = name
        self.unit = unit
        self.total = total
        self.resume = resume
        #: What the loop keeps for itself.
        self.saved: dict[str, Any] = {}
        self.done = 0
        #: Gives the next batch when it is there; None when the loop is over.
        self.next_batch: Callable[[], Batch | None] | None = None

    @property
    def keeps_state(self) -> bool:
        """Whether a resumed run goes on within the loop."""
        return self.resume

    def run(self, state: State, budget: Budget) -> Iterator[Batch]:
        """Yield what the loop has done."""
        next_batch = self.next_batch
        assert next_batch is not None, "only a loop has it"
        batch = next_batch()
        while batch is not None:
            self.done = batch.done
            yield batch
            batch = next_batch()

    def state_dict(self) -> dict[str, Any]:
        """Return how many items are done, and what the loop keeps for itself."""
        return {"done": self.done, "saved": dict(self.saved)} if self.resume else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        if not state:
            return
        if set(state) != {"done", "saved"} or not isinstance(state["saved"], dict):
            raise ValueError(f"expected done and saved, got {sorted(state)}")
        self.done, self.saved = as_count(state["done"]), dict(state["saved"])
