"""Evaluation on labelled pictures: accuracy of the results and calibration of their confidences."""
