"""A pipeline's graph as something to look at: a tree of text, Mermaid, SVG.

`chart` says what is drawn, the rest how. Everything here is pure: the same pipeline gives the same
bytes, without a program or a package beside the standard library.
"""

from airflow_sm_pipelines.diagrams.chart import Box, Chart, Edge, chart
from airflow_sm_pipelines.diagrams.mermaid import mermaid
from airflow_sm_pipelines.diagrams.svg import svg
from airflow_sm_pipelines.diagrams.tree import tree

__all__ = ["Box", "Chart", "Edge", "chart", "mermaid", "svg", "tree"]
