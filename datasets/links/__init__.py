"""Pictures that are named by links: which may be fetched, how, and the lists that name them."""
