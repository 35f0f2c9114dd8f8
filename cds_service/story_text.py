"""A story as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from audit_trail.story import Section, Story
from cds_service.terminal import heading, paragraph, points, table, title


def story_lines(story: Story) -> Iterator[str]:
    """The whole story."""
    yield from title(story.title)
    yield ""
    yield from paragraph(story.lead)
    for section in story.sections:
        yield from heading(section.title)
        yield from section_lines(section)


def section_lines(section: Section) -> Iterator[str]:
    """One section: sentences, points, table."""
    for text in section.text:
        yield from paragraph(text)
    yield from points(section.points)
    if section.rows:
        if section.text or section.points:
            yield ""
        yield from table(section.columns, section.rows)
