"""From a picture and its prompt to latents from which it comes again, and on from there to edited ones."""
