"""Who may do what, and what must not get in: the rules, tried from outside."""
