"""Silent degradation: faults that raise no error and make answers worse, slower or falsely sure. One file a check."""
