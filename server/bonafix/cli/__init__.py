"""The command line: convert arguments, call the project, convert back."""
