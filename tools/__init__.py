"""Commands that generate the pages and tables kept in this repository, and check that they are current."""
