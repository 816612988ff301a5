"""Other fixes asked on the same inputs."""
