"""Errors a user can mend: they end the sweep with a message and exit status 2."""


class SweepError(Exception):
    """What is wrong, and what to do about it, in one sentence."""


class StorageError(SweepError):
    """The database did not answer, or not as it should; later it may."""
