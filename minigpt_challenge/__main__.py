"""`python -m minigpt_challenge` runs `minigpt`."""

from minigpt_challenge.coach.commands.cli import app

app(prog_name="minigpt")
