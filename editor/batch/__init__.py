"""A folder of pictures, each edited by the same recipe: on one machine or many, stopped and gone on with."""
