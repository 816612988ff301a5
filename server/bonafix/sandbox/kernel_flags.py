"""Namespace flags of Linux; apart from the calls, so that any system can import them.

Source: `linux/sched.h`.
"""

NEWNS = 0x00020000  # mounts
NEWIPC = 0x08000000  # System V IPC and message queues
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000
