"""`python -m minigpt_challenge` is `minigpt`."""

from minigpt_challenge.coach.commands.cli import app

app(prog_name="minigpt")
