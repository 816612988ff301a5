"""What the extension says, as patterns."""

import re

ACCEPTED = "(verified|plausible)"
APPLY = re.compile(f"Apply {ACCEPTED} fix")
APPLIED = re.compile(f"applied {ACCEPTED} fix")


def ready(name):
    """The message about a fix that waits for its user."""
    return re.compile(rf"A {ACCEPTED} fix for {re.escape(name)} is ready")
