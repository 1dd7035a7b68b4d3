import pytest

from airflow_sm_pipelines.local.algorithms.container import ClientError
from airflow_sm_pipelines.local.algorithms.xgboost_hyperparameters import HYPERPARAMETERS, parse

# The table of "XGBoost hyperparameters" in the SageMaker developer guide.
DOCUMENTED = [
    "alpha",
    "base_score",
    "booster",
    "colsample_bylevel",
    "colsample_bynode",
    "colsample_bytree",
    "csv_weights",
    "deterministic_histogram",
    "early_stopping_rounds",
    "eta",
    "eval_metric",
    "gamma",
    "grow_policy",
    "interaction_constraints",
    "lambda",
    "lambda_bias",
    "max_bin",
    "max_delta_step",
    "max_depth",
    "max_leaves",
    "min_child_weight",
    "monotone_constraints",
    "normalize_type",
    "nthread",
    "num_class",
    "num_round",
    "objective",
    "one_drop",
    "process_type",
    "rate_drop",
    "refresh_leaf",
    "sample_type",
    "scale_pos_weight",
    "seed",
    "single_precision_histogram",
    "sketch_eps",
    "skip_drop",
    "subsample",
    "tree_method",
    "tweedie_variance_power",
    "updater",
    "use_dask_gpu_training",
    "verbosity",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_hyperparameter_is_known(name: str) -> None:
    assert name in HYPERPARAMETERS


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_depth", "5", 5),
        ("eta", "0.2", 0.2),
        ("eta", "1e-3", 0.001),
        ("subsample", "1", 1.0),
        ("seed", "-7", -7),
        ("objective", "reg:squarederror", "reg:squarederror"),
        ("objective", '"reg:squarederror"', "reg:squarederror"),
        ("eval_metric", "rmse", ["rmse"]),
        ("eval_metric", "rmse, mae", ["rmse", "mae"]),
        ("eval_metric", '["rmse", "mae"]', ["rmse", "mae"]),
        ("eval_metric", "error@0.7", ["error@0.7"]),
        ("eval_metric", "ndcg@5-", ["ndcg@5-"]),
        ("_tuning_objective_metric", "validation:rmse", "rmse"),
        ("updater", "grow_histmaker, prune", "grow_histmaker,prune"),
        ("monotone_constraints", "(1, -1)", "(1, -1)"),
        ("interaction_constraints", "[[0, 1], [2]]", "[[0, 1], [2]]"),
        ("save_model_on_termination", "True", "true"),
    ],
)
def test_a_hyperparameter_has_its_type(name: str, text: str, value: object) -> None:
    assert parse({"num_round": "1", name: text})[name] == value


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"eta": "1"}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, inf)"),
        ({"num_round": "ten"}, "Hyperparameter num_round: could not parse value 'ten'"),
        ({"num_round": "1", "depth": "5"}, "Extraneous hyperparameter found: depth"),
        (
            {"num_round": "1", "max_depth": "5.5"},
            "Hyperparameter max_depth: could not parse value '5.5'",
        ),
        ({"num_round": "1", "eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"num_round": "1", "eta": "nan"}, "Hyperparameter eta: nan is not in [0, 1]"),
        ({"num_round": "1", "subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        (
            {"num_round": "1", "booster": "forest"},
            "Hyperparameter booster: forest is not in ['gbtree', 'gblinear', 'dart']",
        ),
        (
            {"num_round": "1", "eval_metric": "rmse@5"},
            "Hyperparameter eval_metric: Metric 'rmse@5' is not supported. Parameter 'eval_metric' "
            "with customized threshold should be one of these options: error, ndcg, map, "
            "tweedie-nloglik.",
        ),
        (
            {"num_round": "1", "eval_metric": "error@half"},
            "Hyperparameter eval_metric: could not parse value 'half'",
        ),
        (
            {"num_round": "1", "monotone_constraints": "up"},
            "Hyperparameter monotone_constraints: could not parse value 'up'",
        ),
        (
            {"num_round": "1", "objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"num_round": "1", "objective": "reg:gamma", "num_class": "3"},
            "Do not need to setup parameter 'num_class' for learning task other than "
            "multi-classification.",
        ),
        (
            {"num_round": "1", "_kfold": "5"},
            "Hyperparameter _kfold: cross-validation is not run locally",
        ),
        (
            {"num_round": "1", "use_dask_gpu_training": "true"},
            "Hyperparameter use_dask_gpu_training: there is no GPU locally",
        ),
    ],
)
def test_what_the_container_refuses_is_refused(texts: dict[str, str], complaint: str) -> None:
    with pytest.raises(ClientError) as raised:
        parse(texts)
    assert str(raised.value) == complaint


@pytest.mark.parametrize(("name", "text"), [("eval_metric", "nonsense"), ("updater", "nonsense")])
def test_a_list_names_the_range_of_its_items(name: str, text: str) -> None:
    with pytest.raises(
        ClientError, match=rf"^Hyperparameter {name}: value \['nonsense'\] not in range "
    ):
        parse({"num_round": "1", name: text})
