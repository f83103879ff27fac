"""`report.html`: one file that loads nothing, drawn from the report's figures and the recorded outcomes."""
