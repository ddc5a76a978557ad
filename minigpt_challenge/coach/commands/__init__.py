"""What the learner types: `minigpt …` in a terminal, `%check 2` and the like in a notebook.

May import every other layer; no layer imports this one.
"""
