"""Models of mistakes, one for each task."""
