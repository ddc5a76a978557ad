"""What a learner's folders hold: progress, help taken, kept versions, the ladder, a trained GPT.

May import `course/` and what is below it. Knows nothing of `runtime/`, its neighbour.
"""
