"""Run the suite, read what failed, find where the fault may lie."""
