"""The gate: one file a stage, one record a stage, and a pure verdict."""
