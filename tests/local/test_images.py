import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import images
from airflow_sm_pipelines.local.images import ImageError, Images, default_config

from .containers import our_images

DEFAULT = "python:3.12"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

# Every repository in image_uri_config/*.json of the SageMaker Python SDK 2.257.7, by the rule that
# is right for it.
REPOSITORIES = {
    "scikit-learn": "sagemaker-scikit-learn",
    "xgboost": "sagemaker-xgboost xgboost",
    "built-in algorithm": (
        "blazingtext factorization-machines forecasting-deepar image-classification "
        "image-classification-neo ipinsights kmeans knn lda linear-learner ntm object-detection "
        "object2vec pca randomcutforest semantic-segmentation seq2seq xgboost-neo"
    ),
    "SageMaker tool": (
        "detailed-profiler-processing sagemaker-data-wrangler-container sagemaker-debugger-rules "
        "sagemaker-geospatial-v1-0"
    ),
    "Clarify": "sagemaker-clarify-processing",
    "Model Monitor": "sagemaker-model-monitor-analyzer",
    "Spark": "sagemaker-spark-processing",
    "PyTorch": ("pytorch-inference pytorch-inference-graviton pytorch-training sagemaker-pytorch"),
    "Hugging Face": "huggingface-pytorch-inference huggingface-pytorch-training",
    "TensorFlow": (
        "sagemaker-tensorflow sagemaker-tensorflow-scriptmode tensorflow-inference "
        "tensorflow-inference-graviton tensorflow-training"
    ),
    "Studio": "sagemaker-base-python sagemaker-distribution-prod",
    "other framework": (
        "autogluon-inference autogluon-training djl-inference "
        "huggingface-pytorch-inference-neuron huggingface-pytorch-inference-neuronx "
        "huggingface-pytorch-tgi-inference huggingface-pytorch-training-neuronx "
        "huggingface-pytorch-trcomp-training huggingface-tensorflow-inference "
        "huggingface-tensorflow-training huggingface-tensorflow-trcomp-training "
        "huggingface-vllm-inference-neuronx mxnet-inference mxnet-inference-eia mxnet-training "
        "pytorch-inference-eia pytorch-training-neuron pytorch-training-neuronx "
        "pytorch-trcomp-training sagemaker-chainer sagemaker-inference-mxnet "
        "sagemaker-inference-pytorch sagemaker-inference-tensorflow sagemaker-mxnet "
        "sagemaker-mxnet-eia sagemaker-mxnet-serving sagemaker-mxnet-serving-eia "
        "sagemaker-neo-mxnet sagemaker-neo-pytorch sagemaker-neo-tensorflow "
        "sagemaker-rl-coach-container sagemaker-rl-mxnet sagemaker-rl-ray-container "
        "sagemaker-rl-tensorflow sagemaker-rl-vw-container sagemaker-sparkml-serving "
        "sagemaker-tensorflow-eia sagemaker-tensorflow-serving sagemaker-tensorflow-serving-eia "
        "sagemaker-tritonserver smdistributed-modelparallel stabilityai-pytorch-inference tei "
        "tei-cpu tensorflow-inference-eia"
    ),
}
CASES = [(rule, name) for rule, names in REPOSITORIES.items() for name in names.split()]


@pytest.fixture(scope="module")
def none(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's file without rules."""
    return tmp_path_factory.mktemp("config") / "images.toml"


@pytest.fixture(scope="module")
def ours(none: Path) -> Images:
    return our_images(none.parent)


def configured(folder: Path, text: str) -> Images:
    config = folder / "images.toml"
    config.write_text(text)
    return Images(cache=folder, config=config)


def shell(runtime: images.Runtime, command: str) -> str:
    environment = {**runtime.environment, "HOME": os.environ.get("HOME", "/")}
    run = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    return run.stdout + run.stderr


@pytest.mark.parametrize(("rule", "repository"), CASES, ids=[name for _, name in CASES])
@pytest.mark.parametrize("domain", ["amazonaws.com", "amazonaws.com.cn"])
def test_an_image_of_aws_has_its_rule(
    ours: Images, rule: str, repository: str, domain: str
) -> None:
    registry = f"683313688378.dkr.ecr.us-east-1.{domain}"
    for image in (f"{registry}/{repository}:9.9-1-cpu-py3", f"{registry}/{repository}@sha256:0a"):
        assert ours.rule(image).name == rule


# Every version of them in image_uri_config/*.json of the SDK, by the rule that is right for it.
VERSIONS = {
    "scikit-learn-1.0": "sagemaker-scikit-learn 0.20.0 0.23-1 1.0-1",
    "scikit-learn-1.2": "sagemaker-scikit-learn 1.2-1",
    "scikit-learn": "sagemaker-scikit-learn 1.4-2",
    "xgboost-1": "sagemaker-xgboost 0.90-1 0.90-2 1.0-1 1.2-1 1.2-2 1.3-1 1.5-1 1.7-1",
    "xgboost": "sagemaker-xgboost 3.0-5",
}


@pytest.mark.parametrize(("rule", "versions"), VERSIONS.items(), ids=VERSIONS)
def test_a_version_of_an_image_has_the_rule_nearest_to_it(
    ours: Images, rule: str, versions: str
) -> None:
    repository, *tags = versions.split()
    for tag in tags:
        for suffix in ("", "-cpu-py3"):
            image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/{repository}:{tag}{suffix}"
            assert ours.rule(image).name == rule


@pytest.mark.parametrize("tag", ["1", "latest"])
def test_the_first_image_of_xgboost_has_a_rule(ours: Images, tag: str) -> None:
    image = f"811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:{tag}"
    assert ours.rule(image).name == "xgboost-1"


@pytest.mark.parametrize(
    ("tag", "pickled"),
    [("0.90-2-cpu-py3", True), ("1.2-2", True), ("1.3-1", False), ("1.7-1", False)],
)
def test_xgboost_pickles_its_model_before_version_1_3(
    ours: Images, tag: str, pickled: bool
) -> None:
    image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{tag}"
    assert ("pickled" in (ours.rule(image).train or ())) == pickled


@pytest.mark.parametrize(
    "image",
    [
        DEFAULT,
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/kmeans:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/our-xgboost-fork:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/protein:1",
    ],
)
def test_an_image_of_the_user_has_the_default_rule(ours: Images, image: str) -> None:
    assert ours.rule(image).name == "default"


def test_the_default_environment_is_bare(ours: Images) -> None:
    runtime = ours.runtime(DEFAULT)
    names = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    assert shell(runtime, f"python -c '{names}'") == "pip\n"
    assert runtime.name == "default"


def test_a_shell_finds_the_interpreter_of_the_runtime(ours: Images) -> None:
    runtime = ours.runtime(DEFAULT)
    assert runtime.environment["PATH"].split(":")[0] == str(runtime.python.parent)
    assert shell(runtime, "command -v python3") == f"{runtime.python.parent}/python3\n"
    assert shell(runtime, "python -c 'import sys; print(sys.prefix)'") == (
        f"{runtime.environment['VIRTUAL_ENV']}\n"
    )


def test_the_image_of_scikit_learn_has_its_packages(ours: Images) -> None:
    runtime = ours.runtime(SKLEARN)
    names = "joblib, pandas, sklearn, boto3, pyarrow, requests, yaml"
    assert shell(runtime, f"python -c 'import {names}; print(1)'") == "1\n"
    assert runtime.description.startswith("scikit-learn-1.2 (Python 3.")


def test_the_image_of_xgboost_has_its_packages(ours: Images) -> None:
    runtime = ours.runtime(XGBOOST)
    names = "pandas, sklearn, xgboost, boto3, matplotlib, pyarrow, requests, yaml"
    assert shell(runtime, f"python -c 'import {names}; print(1)'") == "1\n"
    assert runtime.name == "xgboost-1"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pandas 1 has no wheels for this Python")
def test_categories_become_ones_and_zeros_as_in_the_pandas_of_the_image(ours: Images) -> None:
    program = "import pandas; print(*pandas.get_dummies(list('ab')).to_numpy().ravel())"
    assert shell(ours.runtime(SKLEARN), f'python -c "{program}"') == "1 0 0 1\n"


def test_train_is_a_command_of_the_runtimes_interpreter(ours: Images) -> None:
    runtime = ours.runtime(DEFAULT)
    assert runtime.train is not None
    python, *_, script = runtime.train
    assert python == str(runtime.python)
    assert Path(script).name == "script_mode.py"
    assert Path(script).exists()


def test_pip_does_not_install_into_a_shared_environment(ours: Images) -> None:
    assert "ERROR: Can not perform" in shell(ours.runtime(DEFAULT), "pip install --no-index x")


def test_a_job_has_an_interpreter_of_its_own(ours: Images, tmp_path: Path) -> None:
    shared = ours.runtime(DEFAULT)
    own = shared.for_job(tmp_path / "venv")
    assert own.python == tmp_path / "venv" / "bin" / "python"
    assert own.train is not None
    assert own.train[0] == str(own.python)
    assert own.environment["VIRTUAL_ENV"] == str(tmp_path / "venv")
    assert shell(own, "command -v pip") == f"{own.python.parent}/pip\n"
    assert "PIP_USER" not in own.environment
    assert shared.python != own.python


def test_a_jobs_pip_is_told_the_index_of_the_server(
    ours: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("SECRET", "not for jobs")
    own = ours.runtime(DEFAULT).for_job(tmp_path / "venv")
    assert own.environment["PIP_INDEX_URL"] == "http://127.0.0.1:1/simple"
    assert "SECRET" not in own.environment


def test_an_image_without_a_local_equivalent_names_what_to_map_and_where(
    ours: Images, none: Path
) -> None:
    image = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules"
    with pytest.raises(ImageError) as raised:
        ours.runtime(image)
    assert str(raised.value) == (
        f"{image}: a SageMaker tool whose program is only in AWS's image; to run it, add to "
        f"{none}: [[image]] with match = 'sagemaker-debugger-rules', name = \"...\" and "
        'python = "/path/to/python" of an environment that has what the image has'
    )


def test_a_handler_is_ours_or_a_file_beside_the_map(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    images = configured(
        tmp_path,
        f"""
        [[image]]
        match = "mine"
        name = "mine"
        python = "{sys.executable}"
        handler = "mine.py"

        [[image]]
        match = "gone"
        name = "gone"
        python = "{sys.executable}"
        handler = "gone.py"

        [[image]]
        match = "ours"
        name = "ours"
        python = "{sys.executable}"
        handler = "clarify"
        """,
    )
    assert images.runtime("mine").handler == (sys.executable, str(tmp_path / "mine.py"))
    ours = images.runtime("ours").for_job(tmp_path / "venv").handler
    assert ours is not None
    assert (ours[0], ours[-1]) == (str(tmp_path / "venv" / "bin" / "python"), "clarify")
    with pytest.raises(ImageError, match=r"gone: the handler .*gone\.py is not there"):
        images.runtime("gone")


def test_an_image_can_be_mapped_to_an_interpreter(tmp_path: Path) -> None:
    mine = configured(
        tmp_path,
        f"""
        [[image]]
        match = "pytorch-training"
        name = "torch"
        python = "{sys.executable}"
        train = ["{{python}}", "-m", "mine"]
        """,
    )
    runtime = mine.runtime("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3")
    assert runtime.python == Path(sys.executable)
    assert runtime.train == (sys.executable, "-m", "mine")
    assert runtime.description.startswith("torch")


def test_serve_is_a_command_of_the_jobs_own_interpreter(tmp_path: Path) -> None:
    rule = f'[[image]]\nmatch = ""\nname = "x"\npython = "{sys.executable}"\n'
    mine = configured(tmp_path, f'{rule}serve = ["{{python}}", "-m", "mine", "{{port}}"]')
    runtime = mine.runtime(DEFAULT)
    assert runtime.serve == (sys.executable, "-m", "mine", "{port}")
    own = runtime.for_job(tmp_path / "own")
    assert own.serve == (str(own.python), "-m", "mine", "{port}")


@pytest.mark.parametrize(("image", "kind"), [(SKLEARN, "arrays"), (DEFAULT, "arrays")])
def test_images_with_a_toolkit_serve_scripts(ours: Images, image: str, kind: str) -> None:
    serve = ours.rule(image).serve or ()
    assert serve[0] == "{python}"
    assert serve[2].endswith("script_serving.py")
    assert Path(serve[2]).exists()
    assert serve[3:] == (kind, "{port}")


def test_a_rule_of_the_user_comes_before_ours(tmp_path: Path) -> None:
    mine = configured(
        tmp_path, '[[image]]\nmatch = "xgboost"\nname = "mine"\npython = "venv/bin/python"\n'
    )
    assert mine.rule(XGBOOST).name == "mine"
    assert mine.rule(XGBOOST).python == tmp_path / "venv" / "bin" / "python"
    assert mine.rule(XGBOOST).train is None
    assert mine.rule(SKLEARN).name == "scikit-learn-1.2"


def test_an_interpreter_that_is_not_there_is_an_error_of_the_image(tmp_path: Path) -> None:
    mine = configured(tmp_path, '[[image]]\nmatch = ""\nname = "x"\npython = "gone/python"\n')
    with pytest.raises(ImageError, match=r"^python:3\.12: .*gone/python: does not run"):
        mine.runtime(DEFAULT)


def test_an_environment_that_cannot_be_made_is_an_error_of_the_image(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("not a = requirement\n")
    mine = configured(tmp_path, '[[image]]\nmatch = ""\nname = "x"\nlock = "mine.txt"\n')
    with pytest.raises(ImageError, match="uv could not make the environment"):
        mine.runtime(DEFAULT)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[image", ": not TOML ("),
        ("image = 1", ": image: write [[image]] tables only"),
        ("[images]", ": images: write [[image]] tables only"),
        ("image = [1]", ": image[0]: not a table; write [[image]]"),
        (
            '[[image]]\nmatch = ""\nname = "x"\nlocks = "x"\npython = "x"',
            ": image[0].locks: unknown key; did you mean 'lock'?",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\nzzz = "x"\npython = "x"',
            ": image[0].zzz: unknown key; one of match, name, lock, python, unsupported, "
            "container, train, serve, handler",
        ),
        (
            '[[image]]\nmatch = 1\nname = "x"\npython = "x"',
            ": image[0].match: 1 is no string; write text in quotes",
        ),
        (
            '[[image]]\nmatch = "("\nname = "x"\npython = "x"',
            ": image[0].match: '(' is no regular expression (",
        ),
        ('[[image]]\nmatch = ""\npython = "x"', ": image[0].name: missing; every image has one"),
        (
            '[[image]]\nmatch = ""\nname = "x"',
            ": image[0]: has not one but 0 of lock, python, unsupported, container; keep one",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\nlock = "x"\npython = "x"',
            ": image[0]: has not one but 2 of lock, python, unsupported, container; keep one",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\npython = "x"\ntrain = "skript"',
            ": image[0].train: unknown launcher 'skript'; one of script-mode, xgboost, ",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\npython = "x"\ntrain = [1]',
            ": image[0].train: [1]; write a list of words to run",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\npython = "x"\ntrain = 1',
            ": image[0].train: 1; one of script-mode, xgboost, xgboost-pickled, or",
        ),
        (
            '[[image]]\nmatch = ""\nname = "x"\npython = "x"\nserve = "skript"',
            ": image[0].serve: unknown server 'skript'; one of script-mode, pytorch, xgboost, or",
        ),
    ],
)
def test_a_file_that_breaks_the_format_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ImageError) as raised:
        configured(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'images.toml'}{problem}")


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as raised:
        configured(tmp_path, '[[image]]\nmatch = "("\n[[image]]\nname = "x"\npython = "x"\n')
    assert len(str(raised.value).splitlines()) == 4


def test_a_file_that_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.toml: No such file"):
        Images(config=tmp_path / "absent.toml")


def test_the_users_file_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_config() == tmp_path / "airflow-sm-pipelines" / "images.toml"
    assert Images().rule(DEFAULT).name == "default"
    default_config().parent.mkdir()
    default_config().write_text('[[image]]\nmatch = ""\nname = "mine"\npython = "x"\n')
    assert Images().rule(DEFAULT).name == "mine"
