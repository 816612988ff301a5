"""Recorded calls, their neighbours, and what two versions of the code do there."""
