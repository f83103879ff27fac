"""What answers: a question about pictures goes in, a reply comes out. Engines know nothing of categories or nodes."""
