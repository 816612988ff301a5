"""The language server: converts, calls the project, converts back."""
