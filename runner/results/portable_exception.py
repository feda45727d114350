"""An exception on its way into another process."""

import pickle


def portable_exception(error: BaseException | None) -> BaseException | None:
    """Return an exception that can be pickled: the given one, or one that says the same.

    Many exceptions cannot: their classes are within functions, hold what cannot be
    pickled, or cannot be made of what they were pickled as.
    """
    try:
        again = pickle.loads(pickle.dumps(error))
        if type(again) is type(error) and str(again) == str(error):
            return error
    except Exception:
        pass
    told = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        told.add_note(str(note))
    return told
