"""The plays of the demo. Nobody named in them takes part in, or speaks for, phasegate."""

from demo import kep_753, python_3_8

PLAYS = (python_3_8.PLAY, kep_753.PLAY)
