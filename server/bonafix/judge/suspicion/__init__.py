"""What tests and documentation claim, and where two claims contradict."""
