"""What the programs in AWS's images of built-in algorithms do, for the local AWS.

An algorithm is a module with a `main()`, run in the job's own environment by path (`__main__.py`
says how), so it imports the standard library, the packages of its lock file and its neighbours
here, by relative imports; never the rest of this package. To add one: the module, a row of
`images.LAUNCHERS`, a rule with a lock in `images.toml`, and its metrics in `metrics.py`.
"""
