"""What can go wrong, as one tree; each message is a sentence that ends with the remedy.

AstroSegError
├── ImageError          a file or array cannot be opened as an image
├── VoteError           a file or array does not hold counts of votes
├── MarkError           drawn marks cannot be opened, kept, or placed on an image
├── CatalogueError      a table cannot be read or written
├── PlaceError          words name no place on the sky, or none that can be shown
├── SurveyError         a survey cannot be asked, or has nothing to show of a field
├── RecipeError         a recipe or one of its fields is not valid
├── DataError           a folder does not hold what a recipe learns from
├── ModelError          a trained model cannot be found, read or trusted
├── MisfitError         an image does not suit the model it was given to
├── TrainingError       learning cannot start or go on
├── VettingError        verdicts cannot be kept, read or told apart
├── ProjectError        a project cannot be read, or is none
├── OutputError         an answer cannot be written
├── SetupError          the machine lacks something (a display, a device, an extra)
└── JobFailed           work in another process ended badly; carries that error's kind and words
"""


class AstroSegError(Exception):
    """The root: catch this to catch everything the package raises on purpose."""


class ImageError(AstroSegError):
    """A file or array cannot be opened as an image."""


class VoteError(AstroSegError):
    """A file or array does not hold counts of votes."""


class MarkError(AstroSegError):
    """Drawn marks cannot be opened, kept, or placed on an image."""


class CatalogueError(AstroSegError):
    """A table cannot be read or written."""


class PlaceError(AstroSegError):
    """Words name no place on the sky, or none that can be shown."""


class SurveyError(AstroSegError):
    """A survey cannot be asked, or has nothing to show of a field.

    Attributes
    ----------
    why
        `offline`, `refused`, `empty` (no coverage), `broken` (cut short, or no picture), `slow`;
        "" for what was wrong before anyone was asked.
    """

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.why = why


class RecipeError(AstroSegError):
    """A recipe or one of its fields is not valid."""


class DataError(AstroSegError):
    """A folder does not hold what a recipe learns from."""


class ModelError(AstroSegError):
    """A trained model cannot be found, read or trusted."""


class MisfitError(AstroSegError):
    """An image does not suit the model it was given to."""


class TrainingError(AstroSegError):
    """Learning cannot start or go on."""


class VettingError(AstroSegError):
    """Verdicts cannot be kept, read or told apart."""


class ProjectError(AstroSegError):
    """A project cannot be read, or is none."""


class OutputError(AstroSegError):
    """An answer cannot be written."""


class SetupError(AstroSegError):
    """The machine lacks something: a display, a device, an optional package."""


class JobFailed(AstroSegError):
    """Work in another process ended badly.

    Attributes
    ----------
    kind
        Name of the error's class in that process.
    details
        Its traceback as text, for a bug report; never shown first.
    """

    def __init__(self, message: str, kind: str = "", details: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.details = details
