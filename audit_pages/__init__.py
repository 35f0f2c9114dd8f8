"""Pages for the auditor and the quality team: numbers, decisions, report cards, sentinels; /dsi and the hazard log."""
