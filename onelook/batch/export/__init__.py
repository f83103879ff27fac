"""Results of a batch as files that other programs read. `columns` says what they hold; each format is a file here."""
