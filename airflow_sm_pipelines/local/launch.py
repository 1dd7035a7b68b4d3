"""The launcher of a job's process: runs a command that sees a directory as /opt/ml.

`python -I -S launch.py MEANS PATH ... -- COMMAND...`, with pairs of a key of `MEANS` below and what
it is about, in the order in which they are done. A plain script that imports little, because every
job pays for its start. Nothing stays behind: the launcher makes its changes to itself and then
becomes the command (exec), so whoever signals the process or its group reaches the job. With
`processes` the command is a child's child, and the launcher waits for it: signal the group.

The command dies with the thread that started the launcher (`PR_SET_PDEATHSIG`): keep that thread
for as long as the job runs. Exit codes of the launcher itself are those of env(1): 125 when
/opt/ml cannot be provided, 126 and 127 when the command cannot be run.
"""

import ctypes
import fcntl
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

ML = "/opt/ml"
OPT = "/opt"
HOSTS = "/etc/hosts"
PROC = "/proc"

# linux/sched.h, linux/mount.h, linux/prctl.h, asm/signal.h, linux/sockios.h, linux/if.h
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 0x20000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1
SIG_BLOCK, SIG_UNBLOCK = 0, 1
SIGKILL = 9
SIGNALS = 32
SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41

BACKLOG = 128

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: "Sequence[str]") -> None:
    """Become the command of `arguments`; exits when that is not possible."""
    end = arguments.index("--") if "--" in arguments else 0
    command = [*arguments[end + 1 :]]
    if not command or end % 2 or not end:
        sys.exit(f"launch.py: {' '.join(arguments)}: write MEANS PATH ... -- COMMAND...")
    parent = os.getppid()
    for means, path in zip(arguments[:end:2], arguments[1:end:2], strict=True):
        try:
            MEANS[means](path)
        except OSError as error:
            _fail(125, f"{path} as {SHOWN[means]} by {means}: {error}")
    _die_with(parent)
    _restore_signals()
    if "processes" in arguments[:end:2]:
        _go_apart()
    try:
        os.execvp(command[0], command)
    except FileNotFoundError as error:
        _fail(127, f"{command[0]}: {error.strerror}")
    except OSError as error:
        _fail(126, f"{command[0]}: {error.strerror}")


def bind(directory: str) -> None:
    """Mount `directory` on /opt/ml in a mount namespace of this process's own."""
    _enter_namespace()
    source = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    if not os.path.isdir(ML) or os.path.islink(ML):
        _cover_opt()
    _mount(f"/proc/self/fd/{source}", ML, MS_BIND | MS_REC)
    os.close(source)


def name_hosts(file: str) -> None:
    """Mount `file` on /etc/hosts in the mount namespace that `bind` has entered."""
    _mount(file, HOSTS, MS_BIND)


def own_root(directory: str) -> None:
    """Make `directory` the root and the working directory, as of the container of an image.

    All of the machine is in it at its place, in the mount namespace that `bind` has entered; what
    is written beside that is in `directory`, where empty mount points stay behind.
    """
    _mount(directory, directory, MS_BIND)
    _mount(None, directory, MS_UNBINDABLE)  # or the folder that holds it would show it twice
    for entry in os.scandir("/"):
        place = f"{directory}{entry.path}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), place)
        elif entry.is_dir():
            os.mkdir(place)
            _mount(entry.path, place, MS_BIND | MS_REC)
    os.chdir(directory)
    # Not chroot alone: no process could have a user namespace there.
    _mount(".", "/", MS_MOVE)
    os.chroot(".")


def link(directory: str) -> None:
    """Point the symbolic link /opt/ml to `directory` until the command has ended.

    Waits for its turn: there is one link on the machine, so one job at a time. The lock is on the
    directory /opt itself, so that every user's jobs share it.
    """
    lock = os.open(OPT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    alive, held = os.pipe()
    if os.fork() == 0:
        os.close(held)
        _remove_link_after(alive)
    os.close(alive)
    os.close(lock)
    os.set_inheritable(held, True)
    # A link that is there although we hold the lock is what a crash of the machine left behind.
    if os.path.islink(ML):
        os.unlink(ML)
    os.symlink(directory, ML)


def own_processes(proc: str) -> None:
    """Let the command see and signal its own processes alone, which all end with it.

    It cannot end the local AWS, nor read the variables that this was started with.
    """
    _enter_namespace()
    _call("unshare", CLONE_NEWPID)


def enter_network(network: str) -> None:
    """Leave the machine's network for one of this process's own, with 127.0.0.1 alone.

    `network` is CHANNEL:PORT:COUNT. Over the Unix socket that descriptor CHANNEL is go a socket
    that listens on PORT of the new network, and COUNT that are not connected yet: a socket stays in
    the network where it was made, so whoever holds these is the new network's way out, and in.
    """
    import socket  # not above: most jobs have no network of their own, and it takes 5 ms
    import struct

    channel, port, count = map(int, network.split(":"))
    _call("unshare", CLONE_NEWNET)
    with socket.socket() as any_socket:
        flags = struct.pack("16sH14x", b"lo", IFF_UP_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, flags)
    listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    handed_out = [listening, *(socket.socket() for _ in range(count))]
    with socket.socket(fileno=channel) as outside:
        socket.send_fds(outside, [b"."], [each.fileno() for each in handed_out])
    for each in handed_out:
        each.close()


def _go_apart() -> None:
    """Go on as the second process of a new process namespace.

    The first one is not the command: it would take no signal that it does not handle. What signals
    the group is for the command alone; the two that wait for it let everything wait, too.
    """
    _mask(SIG_BLOCK)
    alive, held = os.pipe()
    if first := os.fork():
        os.close(alive)
        _end_like(first)
    os.close(held)
    _call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    os.set_blocking(alive, False)
    if _ended(alive):
        os._exit(128 + SIGKILL)
    os.close(alive)
    try:
        _mount("proc", PROC, MS_NOSUID_NODEV_NOEXEC, kind="proc")
    except OSError as error:
        _fail(125, f"{PROC}: {error}")
    if command := os.fork():
        _end_like(command)
    _mask(SIG_UNBLOCK)


def _ended(alive: int) -> bool:
    """Whether the process that holds the other end of a pipe has ended."""
    try:
        return not os.read(alive, 1)
    except BlockingIOError:
        return False


def _end_like(child: int) -> "NoReturn":
    """Wait for a child, and for all that it leaves behind meanwhile; end with its exit code."""
    ended, status = os.wait()
    while ended != child:
        ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _mask(how: int) -> None:
    """Block all signals, or none."""
    every = ctypes.create_string_buffer(128)
    _libc.sigfillset(every)
    _libc.sigprocmask(how, every, None)


def _enter_namespace() -> None:
    """Leave the machine's mount namespace, through a user namespace where that needs one."""
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(CLONE_NEWNS) != 0:
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    _mount(None, "/", MS_REC | MS_PRIVATE)


def _cover_opt() -> None:
    """Make /opt/ml where nobody may: a tmpfs over /opt that has all of its entries, plus `ml`.

    The covered directory stays reachable through a descriptor, so no other mount point is needed.
    """
    covered = os.open(OPT, os.O_PATH | os.O_DIRECTORY)
    entries = list(os.scandir(OPT))
    _mount("tmpfs", OPT, 0, kind="tmpfs", options="mode=755")
    for entry in entries:
        _show(f"/proc/self/fd/{covered}/{entry.name}", entry)
    os.close(covered)
    os.mkdir(ML)


def _show(source: str, entry: "os.DirEntry[str]") -> None:
    """Put `entry` of the covered /opt, which is now at `source`, back in its place."""
    if entry.path == ML:
        return
    if entry.is_symlink():
        os.symlink(os.readlink(source), entry.path)
        return
    if entry.is_dir():
        os.mkdir(entry.path)
    else:
        os.close(os.open(entry.path, os.O_CREAT))
    _mount(source, entry.path, MS_BIND | MS_REC)


def _remove_link_after(alive: int) -> None:
    """Wait, as a process of its own, for the end of the command; then remove the link.

    The command holds the other end of `alive`; this process holds the lock meanwhile.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.read(alive, 1)
    if os.path.islink(ML):
        os.unlink(ML)
    os._exit(0)


def _die_with(parent: int) -> None:
    """Be killed when `parent` ends; to be called last, a change of credentials undoes it."""
    if sys.platform == "linux":
        _call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(128 + SIGKILL)


def _restore_signals() -> None:
    """Give every signal its default; an ignored one would stay ignored in the command.

    The interpreter ignores two, a shell that starts a server in the background two more.
    """
    for number in range(1, SIGNALS):
        _libc.signal(number, None)  # refused for SIGKILL and SIGSTOP, which is of no consequence


def _mount(
    source: str | None, target: str, flags: int, *, kind: str | None = None, options: str = ""
) -> None:
    encoded = (text and text.encode() for text in (source, target, kind))
    _call("mount", *encoded, ctypes.c_ulong(flags), options.encode(), about=target)


def _call(function: str, *arguments: object, about: str = "") -> None:
    """Call a function of libc that returns 0, or raise what errno says."""
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}({about}): {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _fail(code: int, message: str) -> "NoReturn":
    sys.stderr.write(f"launch.py: {message}\n")
    sys.exit(code)


def stay(directory: str) -> None:
    """Provide no /opt/ml: what runs is no container of SageMaker's."""


MEANS: "dict[str, Callable[[str], None]]" = {
    "nothing": stay,
    "namespace": bind,
    "symlink": link,
    "hosts": name_hosts,
    "root": own_root,
    "network": enter_network,
    "processes": own_processes,
}

SHOWN = {
    "nothing": ML,
    "namespace": ML,
    "symlink": ML,
    "hosts": HOSTS,
    "root": "/",
    "network": "127.0.0.1",
    "processes": PROC,
}

if __name__ == "__main__":
    main(sys.argv[1:])
