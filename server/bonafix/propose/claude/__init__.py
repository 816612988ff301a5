"""Claude as an author of patches, in extended thinking, on an in-memory workbench.

`proposer` is the engine, and `asker` asks the same model on behalf of the gate;
`show_prompt` is what the engine would send first, `show_question` what a reader would
be sent; `credential` says which credentials the settings would use, `status` all that
can be known without asking. The SDK is imported in the worker process alone.
"""

from bonafix.propose.claude.agent import proposer
from bonafix.propose.claude.asking import asker, show_question
from bonafix.propose.claude.budget import Purse, purse_of
from bonafix.propose.claude.credentials import Credential
from bonafix.propose.claude.credentials import find as find_credentials
from bonafix.propose.claude.models import cheap_model, default_model, price_date
from bonafix.propose.claude.opening import show_prompt
from bonafix.propose.claude.redact import may_send
from bonafix.propose.claude.status import Status, credential, status

__all__ = [
    "Credential",
    "Purse",
    "Status",
    "asker",
    "cheap_model",
    "credential",
    "default_model",
    "find_credentials",
    "may_send",
    "price_date",
    "proposer",
    "purse_of",
    "show_prompt",
    "show_question",
    "status",
]
