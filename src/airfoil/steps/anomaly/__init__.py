"""Which rows of a table are unlike the others, how many there are, and why: measuring, and, apart from it, judging."""
