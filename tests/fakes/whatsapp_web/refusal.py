"""An error the server answers to a query."""

__all__ = ["Refused"]


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text
