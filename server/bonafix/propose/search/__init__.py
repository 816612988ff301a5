"""The embedded search engine: template edits on the suspicious lines; no network.

`candidates` is pure and gives patches best first; `propose` screens them with the
targets and yields those that pass.
"""

from bonafix.propose.search.candidates import candidates
from bonafix.propose.search.engine import propose

__all__ = ["candidates", "propose"]
