"""Experiments: arms compared on the same pictures, by a design that is fixed and hashed before the first question."""

from onelook.lab.experiment.arms import ExperimentArm
from onelook.lab.experiment.design import Design
from onelook.lab.experiment.experiment import Experiment

__all__ = ["Design", "Experiment", "ExperimentArm"]
