"""How a function learns that its stage has ended."""


class StageEnded(BaseException):
    """Raised by `Report` inside a function whose stage has ended, to end the function too.

    It passes through every ``except Exception`` on its way; what has to be tidied up
    belongs in a ``finally``. Who catches it and goes on gets it again at the next report.
    """

    __module__ = "schoolbell.stages"
