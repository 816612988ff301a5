"""What was spent where nothing was judged: a run that failed, or was stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bonafix.deliver import receipts
from bonafix.domain import Cost, Event, Listener, Snapshot, Task, add_costs
from bonafix.dotenv import redactor_at


@dataclass(slots=True)
class Meter:
    """A listener that passes events on and remembers what each author has cost."""

    listen: Listener
    spent: dict[str, Cost] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        cost, author = event.facts.get("cost"), str(event.facts.get("author", ""))
        if isinstance(cost, Cost):
            self.spent[author] = cost
        self.listen(event)

    @property
    def cost(self) -> Cost:
        """The sum so far."""
        return add_costs([*self.spent.values()])


def billed(snapshot: Snapshot, task: Task, ending: str, reason: str, cost: Cost) -> str:
    """Where the bill lies; empty where nothing was spent.

    Raises:
        ConfigurationError: the state directory cannot be written.
    """
    if not cost.requests:
        return ""
    bill = receipts.Bill(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        root=str(snapshot.root),
        targets=tuple(target.id for target in task.targets),
        ending=ending,
        reason=reason,
        cost=cost,
    )
    redact = redactor_at(snapshot.root, os.environ, snapshot.sources)
    return str(receipts.save_bill(bill, redact=redact))
