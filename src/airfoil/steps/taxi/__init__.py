"""How long a taxi trip takes: months of New York's trip records, models of their duration, and what these are worth."""
