"""Read, don't edit: what you are given, so that you can write the rest.

download.py, plays.py, sources.py     tiny Shakespeare, wherever it can be had
vocabulary.py, dataset.py             the text as integers
bigram.py                             SimpleDecoder, the warm-up's model
batches.py, steps.py, training.py     training, of any model
checkpoints.py                        keeping a run on disk, and going on with it
rungs.py                              the models between the bigram and your GPT
sampling.py                           writing text with a trained model
milestone.py                          the size of your GPT, and what it should reach
"""
