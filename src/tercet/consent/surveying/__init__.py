"""The parts of the survey: targets, addresses, manners, fetching, caching, sites and items."""
