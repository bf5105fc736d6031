"""What a picture file says beside its pixels: EXIF, XMP, captions, places."""
