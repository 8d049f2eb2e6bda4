"""Who may sign in: accounts of those who look after hours, and the sessions of volunteers."""
