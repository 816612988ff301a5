"""Who writes patches: `claude` (the agent) and `search` (the embedded engine)."""
