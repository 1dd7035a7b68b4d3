"""How scripts for several hosts wait for the others."""

from sm_toolkits.environment import wait_hostname_resolution as _wait_hostname_resolution

__all__ = ["_wait_hostname_resolution"]
