"""A bank of answers: right ones in many styles, and wrong ones with their faults."""
