"""A page that shows a dataset or a profile: pictures, curves, scores, recipe."""
