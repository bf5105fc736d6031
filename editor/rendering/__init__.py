"""From layers to what is seen: compositing, tiles, mipmaps, thumbnails, histograms."""
