"""Bonafix: fixes for failing tests that can be trusted."""

__version__ = "0.1.0"
