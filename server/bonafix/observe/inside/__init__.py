"""The only code of ours that runs in the user's interpreter.

Python 3.8 syntax, the standard library, and pytest 7 or newer; nothing here imports
the rest of Bonafix. `launch.py` is run as a script; it loads the other modules and
then takes their names out of `sys.modules`, so that no test can import them.
"""
