"""How tests are changed to expect what is wrong; all pure."""
