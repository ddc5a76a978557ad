"""A bank of answers: right ones in many styles, and wrong ones with the faults they have."""
