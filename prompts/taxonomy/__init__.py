"""What a picture can be: the document, its model, its checks."""
