"""The answer as JSON: ratings where CDS Hooks has them and, for who looks there, where the Argonaut guide has them."""

from typing import Any

import msgspec
from msgspec import Raw

from cards.card import Answer

_encoder = msgspec.json.Encoder()


def answer_as_dict(answer: Answer) -> dict[str, Any]:
    """The answer as plain dicts and lists, for whoever looks into it; slower than ``answer_as_json``."""
    document: dict[str, Any] = msgspec.json.decode(answer_as_json(answer))
    return document


def answer_as_json(answer: Answer) -> bytes:
    """The answer as it is sent."""
    document: dict[str, Any] = {"cards": answer.cards}
    if answer.system_actions:
        actions = Raw(_encoder.encode(answer.system_actions))  # written twice, worked out once
        document["systemActions"] = actions
        if answer.also_in_extension:
            document["extension"] = {"systemActions": actions}
    return _encoder.encode(document)
