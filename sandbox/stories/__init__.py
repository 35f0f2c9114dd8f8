"""Synthetic patients, each a short story: what is on record, which order is worth trying, and what should come back."""

from sandbox.stories.reading import StoryMistake, load
from sandbox.stories.records import store_of
from sandbox.stories.story import DraftOrder, ExpectedCard, Resource, Story
from sandbox.stories.vocabulary import Orderable, orderables, reasons

__all__ = [
    "DraftOrder",
    "ExpectedCard",
    "Orderable",
    "Resource",
    "Story",
    "StoryMistake",
    "load",
    "orderables",
    "reasons",
    "store_of",
]
