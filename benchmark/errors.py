"""What can go wrong, said in one sentence: what, where, and what to do next."""


class BenchmarkError(Exception):
    """A failure that a user can act on; the command line prints it without a traceback."""

    exit_code = 1


class UsageError(BenchmarkError):
    """The request itself is wrong: an unknown name, a bad setting, a missing file."""

    exit_code = 2


class ModelError(BenchmarkError):
    """One model cannot be fitted to its data: its runs are recorded as failed, the others go on."""


class NotApplicable(Exception):
    """A measure cannot be computed from what this representation or dataset offers.

    The reason is stored in the results table in place of a number.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ScoreWarning(UserWarning):
    """What a reader of a score should know of its input: it is kept beside the score, and said once."""


class TooFewPoints(NotApplicable):
    """So many `points` do not suffice; with other settings they may."""

    def __init__(self, reason: str, points: int) -> None:
        super().__init__(reason)
        self.points = points


class Note(UserWarning):
    """What a caller should know and need not act on; the command line prints it to stderr."""
