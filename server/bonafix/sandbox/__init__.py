"""A disposable copy of the project, confined; nothing outlives it."""
