"""What a night of cycles means: counts, bounds on a probability, distributions, trends, two soaks compared. Pure.

Takes `Cycle`s and gives figures; knows no journal, no file and no bench. Loads scipy where a figure needs it. What each
figure rests on, and why these tests: docs/decisions/0010-what-a-night-means.md.
"""

from rig.judgement.soak.cycle import Cycle, Direction, Way, by_direction

__all__ = ["Cycle", "Direction", "Way", "by_direction"]
