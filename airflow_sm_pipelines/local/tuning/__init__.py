"""Tuning jobs: the search for the hyperparameters with which training jobs do best.

kind.py            the kind of job that CreateHyperParameterTuningJob creates
checks.py          what is refused before there is a job
definition.py      what one TrainingJobDefinition says, and the training jobs that it makes
ranges.py          the ranges of hyperparameters, exactly as SageMaker scales them
strategies.py      which values come next: Random and Grid, and the table of all strategies
model_based.py     the same by Optuna, for Bayesian and Hyperband
tuner.py           the loop: starts training jobs, looks at them, knows when to end
trial.py           one of the training jobs, as the tuning job sees it
epochs.py          the objective metric while a job runs, and the rule that stops it early
completion.py      when a tuning job has done enough, and when it has failed
warm_start.py      what earlier tuning jobs have found
"""
