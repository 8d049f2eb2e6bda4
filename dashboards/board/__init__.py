"""The board: pages for leaders, officers, auditors, volunteers and the public."""
