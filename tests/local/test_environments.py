import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from airflow_sm_pipelines.local import environments
from airflow_sm_pipelines.local.environments import (
    BuildError,
    build,
    default_cache,
    describe,
    overlay,
)

LOCKS = Path(environments.__file__).with_name("locks")
BARE = LOCKS / "bare.txt"
SAY = "import greeting; print(greeting.VERSION)"


def wheel(folder: Path, version: str) -> Path:
    """A package `greeting`, without any index."""
    folder.mkdir(exist_ok=True)
    path = folder / f"greeting-{version}-py3-none-any.whl"
    about = f"greeting-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeting.py", f"VERSION = {version!r}\n")
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(
            f"{about}/RECORD",
            f"greeting.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
        )
    return path


def python(path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(path), *arguments],
        env={"PATH": os.defpath, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[str, float]:
    """Every file and when it was written; Python caches bytecode where it likes."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path): path.stat().st_mtime for path in found}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has pip and greeting 1.0."""
    folder = tmp_path_factory.mktemp("shared")
    lock = folder / "greeting.txt"
    lock.write_text(f"{BARE.read_text()}greeting @ {wheel(folder, '1.0').as_uri()}\n")
    return build(lock, folder)


def test_an_environment_has_what_the_lock_names_and_nothing_else(shared: Path) -> None:
    listed = python(shared, "-m", "pip", "list", "--format=freeze").stdout
    assert sorted(line.partition("==")[0] for line in listed.split()) == ["greeting", "pip"]


def test_an_environment_is_of_the_version_that_builds_it(shared: Path) -> None:
    assert describe(shared).version == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_an_environment_without_pip_gets_the_one_that_its_python_brings(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    own = overlay(describe(bare / "bin" / "python"), tmp_path / "a job")
    installing = python(own, "-m", "pip", "install", "--no-index", str(wheel(tmp_path, "2.0")))
    assert installing.returncode == 0, installing.stderr
    assert python(own, "-c", SAY).stdout == "2.0\n"
    assert python(bare / "bin" / "python", "-c", SAY).returncode == 1


def test_an_environment_is_made_once(shared: Path) -> None:
    home = shared.parent.parent
    before = files(home)
    assert build(home.parent.parent / "greeting.txt", home.parent.parent) == shared
    assert files(home) == before


def test_another_content_of_the_lock_is_another_environment(tmp_path: Path) -> None:
    lock = tmp_path / "empty.txt"
    lock.write_text("")
    first = build(lock, tmp_path)
    lock.write_text("# other\n")
    assert build(lock, tmp_path) != first


def test_builders_at_once_make_one_environment(tmp_path: Path) -> None:
    lock = tmp_path / "empty.txt"
    lock.write_text("")
    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(lambda _: build(lock, tmp_path), range(4)))
    assert len(made) == 1
    assert python(made.pop(), "-c", "print('runs')").stdout == "runs\n"


def test_what_an_interrupted_build_left_is_made_again(tmp_path: Path) -> None:
    lock = tmp_path / "empty.txt"
    lock.write_text("")
    made = build(lock, tmp_path)
    (made.parent.parent / "ready").unlink()
    made.unlink()
    assert python(build(lock, tmp_path), "-c", "print('runs')").stdout == "runs\n"


def test_an_environment_whose_python_was_uninstalled_is_made_again(tmp_path: Path) -> None:
    lock = tmp_path / "empty.txt"
    lock.write_text("")
    made = build(lock, tmp_path)
    made.unlink()
    made.symlink_to(tmp_path / "uninstalled")
    assert python(build(lock, tmp_path), "-c", "print('runs')").stdout == "runs\n"


def test_what_uv_says_is_in_the_error(tmp_path: Path) -> None:
    lock = tmp_path / "broken.txt"
    lock.write_text("not a = requirement\n")
    with pytest.raises(
        BuildError, match=r"broken\.txt: uv could not make the environment: .*requirement"
    ):
        build(lock, tmp_path)


def test_a_cache_that_cannot_be_written_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="set XDG_CACHE_HOME"):
        build(BARE, tmp_path / "file")


def test_an_interpreter_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="absent: does not run"):
        describe(tmp_path / "absent")


def test_the_cache_follows_the_xdg_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/airflow-sm-pipelines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "airflow-sm-pipelines"


def test_an_overlay_sees_the_shared_packages(shared: Path, tmp_path: Path) -> None:
    own = overlay(describe(shared), tmp_path / "own")
    assert python(own, "-c", SAY).stdout == "1.0\n"


def test_an_overlay_does_not_see_the_packages_of_the_server(shared: Path, tmp_path: Path) -> None:
    own = overlay(describe(shared), tmp_path / "own")
    assert "No module named 'airflow'" in python(own, "-c", "import airflow").stderr


def test_what_a_job_installs_comes_first_there_and_changes_nothing_that_is_shared(
    shared: Path, tmp_path: Path
) -> None:
    before = files(shared.parent.parent)
    own = overlay(describe(shared), tmp_path / "own")
    newer = wheel(tmp_path / "wheels", "2.0")
    installed = python(own, "-m", "pip", "install", "--no-index", str(newer))
    assert "outside environment" in installed.stdout + installed.stderr
    assert python(own, "-c", SAY).stdout == "2.0\n"
    assert python(shared, "-c", SAY).stdout == "1.0\n"
    assert files(shared.parent.parent) == before


def test_what_the_image_has_is_not_installed_again(shared: Path, tmp_path: Path) -> None:
    own = overlay(describe(shared), tmp_path / "own")
    said = python(own, "-m", "pip", "install", "--no-index", "greeting").stdout
    assert "Requirement already satisfied: greeting" in said


@pytest.mark.parametrize("command", ["pip", "pip3"])
def test_the_commands_of_an_overlay_are_its_own(shared: Path, tmp_path: Path, command: str) -> None:
    own = overlay(describe(shared), tmp_path / "a job")
    said = python(own.with_name(command), "--version").stdout
    assert said.startswith("pip ")
    where = python(own.with_name("python3"), "-c", "import sys; print(sys.prefix)").stdout
    assert where == f"{tmp_path / 'a job'}\n"


@pytest.mark.parametrize("name", ["pytorch", "huggingface"])
def test_pytorch_comes_without_cuda(name: str) -> None:
    lines = (LOCKS / f"{name}.txt").read_text().splitlines()
    (linux,) = (line for line in lines if line.startswith("torch==") and '== "linux"' in line)
    assert "+cpu ;" in linux
    assert not [line for line in lines if line.startswith(("nvidia", "triton"))]


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.txt")), ids=lambda lock: lock.name)
def test_a_lock_pins_everything_and_names_no_index(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert [line for line in lines if "==" not in line or "//" in line] == []
    assert any(line.startswith("pip==") for line in lines)


@pytest.mark.parametrize("source", sorted(LOCKS.glob("*.in")), ids=lambda source: source.name)
def test_a_lock_has_everything_that_its_source_asks_for(source: Path) -> None:
    assert named(source) <= named(source.with_suffix(".txt"))


def named(requirements: Path) -> set[str]:
    """The packages that a file of requirements names."""
    lines = requirements.read_text().splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines}
