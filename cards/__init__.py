"""A recommendation in, CDS Hooks cards, suggestions and ratings out; pure."""
