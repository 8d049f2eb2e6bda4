"""What joins the log to the ledger: transport, batches, team totals, metrics, audit."""
