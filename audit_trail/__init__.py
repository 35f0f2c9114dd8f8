"""The record of every answer: what was said on which facts, kept, chained, read again and explained."""
