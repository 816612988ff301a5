"""What all tests share."""

import signal


def pytest_configure(config):
    """Give workers of xdist back the SIGINT that children inherit.

    execnet ignores it in its workers, and an ignored signal stays ignored in every
    process that a test starts: what waits for Ctrl-C would wait for ever.
    """
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
