"""Fields and dialogs that are made from declarations, and the pieces they are made of."""
