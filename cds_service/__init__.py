"""The shell: HTTP, settings, clock, logs; everything that touches the world outside a decision."""
