"""Read, don't edit: the code around what you write.

download.py, plays.py, sources.py   find tiny Shakespeare
vocabulary.py, dataset.py           text as integers
bigram.py                           SimpleDecoder, the model of the warm-up
batches.py, steps.py, training.py   train any model
training_run.py, training_bar.py    a run in progress, and the line that shows it
many_steps.py                       many training steps in one compiled program
fast.py                             the recipe of `minigpt train --fast`
checkpoints.py                      save a run to disk and resume it
rungs.py                            the models between the bigram and your GPT
sampling.py, naive_sampling.py      generate text with a trained model
cached_gpt.py, speed.py             for task 6: a GPT with a cache, and a stopwatch
spreading.py                        a training step on the devices of several processes
milestone.py                        the size of your GPT, and the loss to reach
"""
