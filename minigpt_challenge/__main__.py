"""`python -m minigpt_challenge` runs `minigpt`."""

from minigpt_challenge.coach.commands.cli import main

main()
