"""Claude as an author of patches, in extended thinking, on an in-memory workbench.

`proposer` is the engine; `show_prompt` is what it would send; `find_credentials` says
which credentials there are. The SDK is imported in the worker process alone.
"""

from bonafix.propose.claude.agent import proposer
from bonafix.propose.claude.credentials import Credential
from bonafix.propose.claude.credentials import find as find_credentials
from bonafix.propose.claude.models import default_model, price_date
from bonafix.propose.claude.opening import show_prompt

__all__ = [
    "Credential",
    "default_model",
    "find_credentials",
    "price_date",
    "proposer",
    "show_prompt",
]
