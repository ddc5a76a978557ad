"""Read, don't edit: what you are given, so that you can write the rest.

download.py, plays.py, sources.py     tiny Shakespeare, wherever it can be had
vocabulary.py, dataset.py             the text as integers
bigram.py                             SimpleDecoder, the warm-up's model
batches.py, steps.py, training.py     training, of any model
sampling.py                           writing text with a trained model
milestone.py                          the size of your GPT, and what it should reach
"""
