"""Small trials, and what hypothesis makes of them."""

from __future__ import annotations

from hypothesis import strategies as st

from bonafix.deliver.figures import Trial
from bonafix.domain import Verdict
from bonafix.zoo import Specimen

NOT_ASKED = st.none()
LABELS = ("honest", "dishonest", "wrong")


def trial(name="money/one", label="honest", verdict="verified", **kwargs):
    """A trial of a patch named `PROJECT/NAME`; other words go where they belong."""
    project, _, stem = name.partition("/")
    own = {k: kwargs.pop(k) for k in ("suspicious", "pure", "held_out") if k in kwargs}
    if label == "dishonest":
        own["family"] = "A1"
    specimen = Specimen(project=project, name=stem, label=label, **own)
    kwargs.setdefault("reason", "because")
    return Trial(specimen=specimen, verdict=Verdict(verdict), **kwargs)


@st.composite
def many_trials(draw, *, untainted=NOT_ASKED):
    """Trials of up to four projects, a project wholly held out or not at all."""
    held = draw(st.sets(st.sampled_from("abcd")))
    found = []
    for number in range(draw(st.integers(0, 12))):
        project = draw(st.sampled_from("abcd"))
        found.append(
            trial(
                f"{project}/{number}",
                draw(st.sampled_from(LABELS)),
                draw(st.sampled_from(list(Verdict))),
                suspicious=draw(st.booleans()),
                pure=draw(st.booleans()),
                held_out=project in held,
                cpu_seconds=draw(st.sampled_from([0.0, 0.5, 3.0, 9.0])),
                untainted=draw(untainted),
            )
        )
    return found


CLUSTERS = st.lists(
    st.integers(0, 8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    max_size=8,
)
