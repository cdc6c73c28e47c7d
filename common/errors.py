"""The refusals a service may answer with; each carries one sentence for a person.

Page and API turn them into a status in one place (`common.middleware`, `common.api`).
"""


class DomainError(Exception):
    """A request that makes sense to the program but not to the business."""

    status = 400
    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DomainError):
    """Something that was typed or sent is wrong; the sentence says what, where, how to mend it."""

    status = 422
    code = "invalid"


class NotAllowed(DomainError):
    """The object is known to the user, the right is missing."""

    status = 403
    code = "not_allowed"


class NotFound(DomainError):
    """There is no such object within the user's scope."""

    status = 404
    code = "not_found"


class IllegalMove(DomainError):
    """The object is not in a state from which this is possible."""

    status = 409
    code = "illegal_move"
