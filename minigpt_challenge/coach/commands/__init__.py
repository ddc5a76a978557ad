"""What a person types: `minigpt …` in a terminal, `%check 2` and the like in a notebook.

May import every other room; no room imports this one.
"""
