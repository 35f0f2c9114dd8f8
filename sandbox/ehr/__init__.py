"""The pretend EHR: charts, order entry and cards in a browser, in front of the real service."""
