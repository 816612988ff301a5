"""Targets with other literals: tests as functions of what they arrange."""
