"""How it looks: theme, icons, and small helpers of drawing."""
