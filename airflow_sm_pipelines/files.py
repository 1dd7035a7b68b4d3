"""Which files are definitions, and what a pipeline is called whose definition does not say."""

from pathlib import Path


def pipeline_name(path: Path) -> str:
    """The default name of a definition: its file's, or its folder's where the file has none."""
    return readable(path.resolve().parent.name if path.stem in NAMELESS else path.stem)


def definition_files(folder: Path) -> list[Path]:
    """The definitions below a folder, in the order of their paths; hidden ones are left out."""
    return [
        path
        for path in sorted(folder.rglob("*.json"))
        if not path.is_dir()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def readable(name: str) -> str:
    """A file name as text; bytes in it that are no UTF-8 are `?`."""
    return name.encode(errors="replace").decode()


# File names that say nothing of the pipeline.
NAMELESS = frozenset({"definition", "pipeline", "pipeline_definition"})
