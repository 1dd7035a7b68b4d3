"""Experiments, their trials, the components of trials; a job can be one of these.

A component has the names of its trials in `Trials` and those of their experiments in
`Experiments`, a trial those of its components in `TrialComponents`: no answer shows them, List
operations look at them. How AWS words its refusals is known of two only (`registry.py`).
"""

from typing import Any

from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.job import Job
from airflow_sm_pipelines.local.registry import (
    EXPERIMENT,
    TRIAL,
    TRIAL_COMPONENT,
    Fields,
    Kind,
    Registry,
    recorded,
)


class Experiments:
    """The operations on experiments, trials and trial components."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def create_experiment(self, request: Fields) -> Fields:
        """CreateExperiment."""
        return self._create(EXPERIMENT, request)

    def create_trial(self, request: Fields) -> Fields:
        """CreateTrial; the experiment must exist."""
        with self._registry.lock:
            experiment = self._registry.get(EXPERIMENT, request["ExperimentName"])
            name = experiment["ExperimentName"]
            return self._create(TRIAL, {**request, "ExperimentName": name})

    def create_component(self, request: Fields) -> Fields:
        """CreateTrialComponent."""
        return self._create(TRIAL_COMPONENT, request)

    def update(self, kind: Kind, request: Fields) -> Fields:
        """UpdateExperiment, UpdateTrial, UpdateTrialComponent."""
        name = request[kind.name_key]
        with self._registry.lock:
            known = self._registry.get(kind, name)
            changed = {key: request[key] for key in _CHANGING if key in request}
            merged = {key: _merged(key, known, request) for key in _MERGED}
            arn = self._registry.update(kind, name, fields={**changed, **merged})
        return {kind.arn_key: arn}

    def delete(self, kind: Kind, request: Fields) -> Fields:
        """DeleteExperiment, DeleteTrial, DeleteTrialComponent; nothing may be part of it."""
        with self._registry.lock:
            known = self._registry.get(kind, request[kind.name_key])
            for part in self._parts(kind, known):
                raise invalid(f"Cannot delete {known[kind.arn_key]}: {part} is associated with it.")
            self._registry.delete(kind, known[kind.arn_key])
        return {kind.arn_key: known[kind.arn_key]}

    def associate(self, request: Fields) -> Fields:
        """AssociateTrialComponent; once more changes nothing."""
        with self._registry.lock:
            return self._relate(request, associated=True)

    def disassociate(self, request: Fields) -> Fields:
        """DisassociateTrialComponent."""
        with self._registry.lock:
            return self._relate(request, associated=False)

    def check(self, request: Fields) -> None:
        """Refuse a job that names an experiment or a trial that does not exist."""
        config = request.get("ExperimentConfig") or {}
        for kind in (EXPERIMENT, TRIAL):
            if config.get(kind.name_key):
                self._registry.get(kind, config[kind.name_key])

    def join(self, job: Job) -> None:
        """Make a job a component of the trial that its request names, or of a new one."""
        config = job.request.get("ExperimentConfig") or {}
        experiment, trial = config.get("ExperimentName"), config.get("TrialName")
        if not (experiment or trial):
            return
        with self._registry.lock:
            if not trial:  # documented: "a new trial is created"; its name is ours
                trial = f"{job.name}-{job.kind.slug}-trial"
                self.create_trial({"TrialName": trial, "ExperimentName": experiment})
            component = f"{job.name}-aws-{job.kind.slug}"
            source = {"SourceArn": job.arn, "SourceType": f"SageMaker{job.kind.noun}"}
            self._create(
                TRIAL_COMPONENT,
                {
                    "TrialComponentName": component,
                    "DisplayName": config.get("TrialComponentDisplayName") or component,
                },
                Source=source,
                TrialComponentSource=source,  # as summaries have it
            )
            self.associate({"TrialComponentName": component, "TrialName": trial})

    def _create(self, kind: Kind, request: Fields, **more: Any) -> Fields:
        name = request[kind.name_key]
        fields = {"DisplayName": name, **recorded(kind, request), **more}
        return {kind.arn_key: self._registry.create(kind, name, fields=fields)}

    def _parts(self, kind: Kind, known: Fields) -> list[str]:
        """What stands in the way of deleting something."""
        if kind is EXPERIMENT:
            trials = self._registry.descriptions(TRIAL)
            name = known["ExperimentName"]
            return [each["TrialName"] for each in trials if each["ExperimentName"] == name]
        return list(known.get("TrialComponents" if kind is TRIAL else "Trials") or ())

    def _relate(self, request: Fields, *, associated: bool) -> Fields:
        trial = self._registry.get(TRIAL, request["TrialName"])
        component = self._registry.get(TRIAL_COMPONENT, request["TrialComponentName"])
        name = trial["TrialName"]
        trials = [each for each in component.get("Trials") or () if each != name]
        self._change(TRIAL_COMPONENT, component, Trials=[*trials, *([name] if associated else ())])
        name = component["TrialComponentName"]
        parts = [each for each in trial.get("TrialComponents") or () if each != name]
        self._change(TRIAL, trial, TrialComponents=[*parts, *([name] if associated else ())])
        self._name_experiments(component["TrialComponentArn"])
        return {
            key: row[key] for key, row in (("TrialComponentArn", component), ("TrialArn", trial))
        }

    def _name_experiments(self, arn: str) -> None:
        """Let a component know the experiments of its trials."""
        component = self._registry.get(TRIAL_COMPONENT, arn)
        trials = (self._registry.get(TRIAL, name) for name in component["Trials"])
        self._change(
            TRIAL_COMPONENT, component, Experiments=[trial["ExperimentName"] for trial in trials]
        )

    def _change(self, kind: Kind, row: Fields, **fields: Any) -> None:
        self._registry.update(kind, row[kind.arn_key], fields=fields)


def _merged(key: str, known: Fields, request: Fields) -> Fields:
    """A map of a description with what an Update adds to it, without what it removes."""
    removed = request.get(f"{key}ToRemove") or ()
    kept = {each: value for each, value in known.get(key, {}).items() if each not in removed}
    return {**kept, **request.get(key, {})}


_CHANGING = ("DisplayName", "Description", "Status", "StartTime", "EndTime")
_MERGED = ("Parameters", "InputArtifacts", "OutputArtifacts")
