# @title Set-up (run this first) {"display-mode":"form"}
import importlib.metadata
import importlib.util
import os
import sys
import time

from IPython import get_ipython

KEEP_ON_DRIVE = False  # @param {"type":"boolean"}

if "google.colab" in sys.modules:
    folder = "/content/{{folder}}"
    if KEEP_ON_DRIVE:
        from google.colab import drive

        try:
            drive.mount("/content/drive")
            folder = "/content/drive/MyDrive/{{folder}}"
        except Exception as error:
            print(f"Your Drive cannot be used ({error}). The files stay in this runtime only.")
    inside = f"{folder}/minigpt_challenge/__init__.py"  # missing if a set-up was interrupted
    if os.path.isdir(folder) and not os.path.isfile(inside):
        aside = f"{folder}-incomplete-{time.strftime('%Y%m%d-%H%M%S')}"
        os.rename(folder, aside)
        print(f"{folder} was incomplete. What was in it is now in {aside}.")
    if not os.path.isdir(folder):
        get_ipython().system(
            f"rm -rf '{folder}.part' && git clone --quiet --depth 1 {{repository}} '{folder}.part'"
            f" && mv '{folder}.part' '{folder}'"
        )
    if os.path.isfile(inside):
        running = sys.modules.get("minigpt_challenge")
        if running and not running.__file__.startswith(f"{folder}/"):
            raise RuntimeError(
                f"This runtime already uses {os.path.dirname(running.__path__[0])}, and your work "
                f"is there. To continue in {folder}, choose Runtime, Restart session, then run "
                "this cell again, and your task cells after it."
            )
        os.chdir(folder)
        if not any(importlib.metadata.distributions(name="minigpt-challenge")):
            get_ipython().run_line_magic("pip", "install --quiet --editable .")
        if folder not in sys.path:  # a running kernel does not see what pip adds
            sys.path.insert(0, folder)
elif KEEP_ON_DRIVE:
    print("KEEP_ON_DRIVE has no effect outside Colab: your files stay where they are.")

if importlib.util.find_spec("minigpt_challenge") is None:
    raise ModuleNotFoundError(
        "minigpt_challenge is not installed. In Colab: is the runtime online? Run this cell again. "
        "On your own machine: run `pip install -e .` in the repository's folder, with this "
        f"notebook's Python ({sys.executable}), and restart the kernel."
    )
get_ipython().run_line_magic("load_ext", "minigpt_challenge")
get_ipython().run_line_magic("welcome", "{{number}}")
