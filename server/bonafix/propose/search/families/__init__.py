"""The families of templates, one file each; `catalogue` puts them together."""
