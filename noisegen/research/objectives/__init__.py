"""Training objectives of papers, each a function of its own with its source beside it."""
