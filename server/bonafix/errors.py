"""A bad patch is a value; a broken world is one of these few exceptions.

Each message says what is wrong and what to do. `kind` is the word in JSON, and
`code` the exit code of the command line.
"""


class BonafixError(Exception):
    """The base: something outside a patch stops the work."""

    kind = "internal"
    code = 3


class UsageError(BonafixError):
    """The command line, a setting or an input cannot be used as given."""

    kind = "usage"
    code = 2


class ConfigurationError(UsageError):
    """A setting is unknown, ill-typed, or not the project's to set."""

    kind = "configuration"


class UntrustedError(BonafixError):
    """The project's tests cannot be run, or what they say cannot be trusted."""

    kind = "tests"
    code = 3


class CollectionFailedError(UntrustedError):
    """pytest could not collect the suite."""

    kind = "collection"


class InterpreterError(UntrustedError):
    """No usable interpreter with pytest was found for the project."""

    kind = "interpreter"


class ForeignCodeError(UntrustedError):
    """A module of the project was loaded from outside the copy."""

    kind = "foreign-code"


class ConfinementError(UntrustedError):
    """Tests cannot be confined here as the settings require."""

    kind = "confinement"


class SandboxError(UntrustedError):
    """The copy could not be made: no space, no permission, a file in the way."""

    kind = "sandbox"


class ServiceError(BonafixError):
    """The model's service failed: credentials, limits, network, a bad answer."""

    kind = "service"
    code = 4


class DeliveryError(BonafixError):
    """A judged patch could not be applied: a file moved on since it was judged."""

    kind = "delivery"
    code = 1
