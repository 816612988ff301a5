"""What survived the gate reaches the user: files, receipts, reports, a terminal."""
