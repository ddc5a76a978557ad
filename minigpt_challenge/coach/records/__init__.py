"""What a learner's folders hold: progress, help used, old versions, the ladder, a trained GPT.

May import `course/` and the layers below it, but not its sibling `runtime/`.
"""
