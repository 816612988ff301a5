"""What the static stage reads with: constants, literals, signs; all pure."""
