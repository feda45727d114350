"""What the pages and pictures of all problems share: style, scripts, fonts and colors."""
