"""The files a learner can take away."""
