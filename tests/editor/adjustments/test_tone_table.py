"""Tone functions as tables."""

import numpy as np

from editor.adjustments import tone_table


def test_every_sixteen_bit_value_has_its_own_entry() -> None:
    values = tone_table.inputs()
    table = np.sqrt(values)
    found = tone_table.looked_up(values.reshape(256, 256), table)
    assert np.array_equal(found, table.reshape(256, 256))


def test_rounding_beyond_the_ends_counts_as_the_ends() -> None:
    values = np.array([[-0.01, 1.0001, 1.5]], np.float32)
    assert tone_table.looked_up(values, tone_table.inputs()).tolist() == [[0.0, 1.0, 1.0]]
