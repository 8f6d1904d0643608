"""The ends that the engine expects: something a person can mend, and being told to end."""


class EngineRefusal(Exception):
    """Ends the process with exit code 3 and a `failed` line that carries `code` and the sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Interrupted(Exception):
    """SIGTERM arrived during a fit; its last epoch is in the checkpoint."""
