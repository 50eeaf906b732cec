"""The tables of the Schema: rows merged, rejected and watermarked in one transaction."""
