"""Local mode, corrected for the documented differences: what we have to give for any run.

Every operation is looked up in the tables of `differences` before it is done. Where a row applies,
it is held against both sides, its outcome for us is taken, and the row's name is kept in `met`;
else the SDK's own code runs. So differences are exact however deep they are in an expression.
"""

import json
from typing import Any

from airflow_sm_pipelines.definition.node import Json
from tests.differential import sdk
from tests.differential.differences import Difference, documented
from tests.differential.ours import Run
from tests.differential.outcomes import FAILURE, Outcome, attempt
from tests.differential.probes import probe
from tests.differential.tally import count


def evaluate(tree: object, run: Run) -> tuple[Outcome, set[str]]:
    """What we have to make of a value, and the names of the differences that were met."""
    executor = sdk.executor(run, Executor)
    outcome = attempt(lambda: executor._parse_arguments(tree, sdk.CHECK), sdk.FAILURES)
    return outcome, executor.met


def decide(conditions: list[Any], run: Run) -> tuple[Outcome, set[str]]:
    """What we have to make of the conditions of a step, and the differences that were met."""
    executor = sdk.executor(run, Executor)
    step = Conditions(executor, sdk.condition_step(conditions))
    return attempt(lambda: step.execute()["Outcome"], sdk.FAILURES), executor.met


def confirm(row: Difference, operation: str, operands: tuple[Any, ...]) -> None:
    """Hold a row against both sides."""
    local, ours = probe(operation, operands)
    assert local == row.local(*operands), (row.name, operands, local)
    assert ours == row.ours(*operands), (row.name, operands, ours)


def agree(operation: str, *operands: Any) -> None:
    """Hold both sides of one operation against each other, or against the row that applies."""
    row = documented(operation, operands)
    local, ours = probe(operation, operands)
    count(operation, ours, [row.name] if row else [])
    if row:
        confirm(row, operation, operands)
    else:
        assert local == ours


class Executor(sdk.LocalPipelineExecutor):  # type: ignore[misc]
    """The evaluator of expressions."""

    def __init__(self, execution: Any, session: Any) -> None:
        super().__init__(execution, session)
        self.met: set[str] = set()
        self._run: Run = session.run

    def settled(self, step_name: str, operation: str, *operands: Any) -> Outcome | None:
        """The outcome of the row that applies, which fails the step if it is a failure."""
        row = documented(operation, operands)
        if row is None:
            return None
        confirm(row, operation, operands)
        self.met.add(row.name)
        outcome = row.ours(*operands)
        if outcome == FAILURE:
            self.execution.update_step_failure(step_name, row.name)
        return outcome

    def _evaluate_join_function(self, pipeline_variable: Any, step_name: str) -> Any:
        values = [self._element(each, step_name) for each in pipeline_variable.values]
        join = sdk.Join(on=pipeline_variable.on, values=values)
        return super()._evaluate_join_function(join, step_name)

    def _element(self, element: Any, step_name: str) -> Any:
        value = self.evaluate_pipeline_variable(element, step_name)
        settled = self.settled(step_name, "join", value)
        return value if settled is None else settled.value

    def _evaluate_execution_variable(self, pipeline_variable: Any) -> Any:
        settled = self.settled(sdk.CHECK, "variable", pipeline_variable.name)
        if settled is None:
            return super()._evaluate_execution_variable(pipeline_variable)
        return settled.value

    def _evaluate_property_reference(self, pipeline_variable: Any, step_name: str) -> Any:
        document = self._run.results.get(pipeline_variable.step_name)
        settled = self.settled(step_name, "property", document, pipeline_variable.path)
        if settled is None:
            return super()._evaluate_property_reference(pipeline_variable, step_name)
        return settled.value

    def _evaluate_json_get_function(self, pipeline_variable: Any, step_name: str) -> Any:
        document = self._document(pipeline_variable, step_name)
        settled = self.settled(step_name, "json_get", document, pipeline_variable.json_path)
        if settled is None:
            return super()._evaluate_json_get_function(pipeline_variable, step_name)
        return settled.value

    def _document(self, get: Any, step_name: str) -> Json:
        """The JSON file that is read; None where there is none."""
        try:
            if get.property_file:
                place = self._evaluate_json_get_property_file_reference(get, step_name)
            else:
                place = sdk.parse_s3_url(self._evaluate_join_function(get.s3_uri, step_name))
            document: Json = json.loads(self.sagemaker_session.read_s3_file(*place))
        except sdk.FAILURES:
            return None
        return document


class Conditions(sdk.ConditionStepExecutor):  # type: ignore[misc]
    """The evaluator of conditions."""

    def _resolve_binary_condition(self, binary_condition: Any, binary_condition_type: str) -> Any:
        condition = self._resolved(binary_condition)
        operands = binary_condition_type, condition["LeftValue"], condition["RightValue"]
        settled = self.pipline_executor.settled(self.step.name, "compare", *operands)
        if settled is None:
            return super()._resolve_binary_condition(condition, binary_condition_type)
        return settled.value

    def _resolve_in_condition(self, in_condition: Any) -> bool:
        query = self._resolved(in_condition["QueryValue"])
        outcomes = [self._is_equal(query, element) for element in in_condition["Values"]]
        return any(outcomes)

    def _is_equal(self, query: Any, element: Any) -> Any:
        resolved = self._resolved(element)
        settled = self.pipline_executor.settled(self.step.name, "in", query, resolved)
        if settled is None:
            return super()._resolve_in_condition({"QueryValue": query, "Values": [resolved]})
        return settled.value

    def _resolved(self, value: Any) -> Any:
        return self.pipline_executor._parse_arguments(value, self.step.name)
