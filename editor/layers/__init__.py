"""What a document is made of: layers, groups, masks, text, recipes."""
