"""A night's work: the plan, whose turn it is, when it ends, what to do about what went wrong. See `rig.soak`."""
