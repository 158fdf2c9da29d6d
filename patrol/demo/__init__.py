"""The demo city (演示城市): a small town of websites with invented names, and the mail box and police desk that answer."""
