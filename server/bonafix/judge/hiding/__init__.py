"""What is sealed: chosen, masked, proven, and run as documentation."""
