"""Yours to edit: one stub a task. `minigpt check 1` says how the first one stands."""
