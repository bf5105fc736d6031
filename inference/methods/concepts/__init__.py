"""Learning a word from photos: textual inversion, plain and directional; what the photos are like before."""
