"""Run a real NFS server and some real clients of it on one machine.

Every node is a User-Mode Linux kernel, that is, an ordinary process: no KVM, no network
of the machine, no loadable modules. A uml_switch on a Unix socket is the wire; the
server exports an ext4 image by knfsd. A node's root file system is the machine's own
(hostfs), so the virtual environment and the sources are there at the same paths. Only
`MOUNT`, on the clients, is NFS.

    with Rig(clients=2, lease=10) as rig:
        a, b = rig.clients
        rig.mount("vers=4.2")
        a.sh(f"touch {MOUNT}/x", check=True)
        b.pause(); b.cont()    # frozen node
        a.cut(); a.heal()      # partition
        a.kill(); a.power_on().result()    # power cut, then a new boot (mount again)

Needs root on Debian 12, where it installs the packages that PACKAGES names.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

PACKAGES = (
    "user-mode-linux uml-utilities nfs-kernel-server nfs-common kmod e2fsprogs iproute2"
)
TOOLS = "linux.uml", "uml_switch", "mkfs.ext4", "modprobe", "rpc.nfsd", "mount.nfs"
MOUNT = "/mnt/s"  # on clients
EXPORT = "/mnt/ex"  # the same directory as seen on the server
SERVER_IP = "10.88.0.1"
KIT = Path(__file__).resolve().parent
ROOT = KIT.parents[1]
MODULES = Path("/usr/lib/uml/modules")
PYTHON = f"PYTHONDONTWRITEBYTECODE=1 {sys.executable}"
TG = f"PYTHONDONTWRITEBYTECODE=1 {Path(sys.executable).with_name('tg')}"
COMMAND_LIMIT = 3000  # what the console takes in one piece


class RigError(RuntimeError):
    """The rig could not do what was asked."""


class NodeDownError(RigError):
    """The node stopped before the command ended."""


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one command on a node."""

    rc: int
    out: str
    err: str


class Node:
    """One kernel. Commands run under bash as root; any number at a time."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.boot_seconds = 0.0
        self._command = list(command)
        self._log = log
        self._pending: dict[int, Future[Result]] = {}
        self._lock = threading.Lock()
        self._serial = 0
        self._process: subprocess.Popen[bytes] | None = None

    def power_on(self) -> Future[Result]:
        """Start the kernel; the future ends when the node takes commands."""
        ready: Future[Result] = Future()
        self._pending = {0: ready}
        started = time.monotonic()
        ready.add_done_callback(
            lambda _: setattr(self, "boot_seconds", time.monotonic() - started)
        )
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdout
        arguments = (self._process.stdout, self._pending)
        self._reader = threading.Thread(target=self._read, args=arguments, daemon=True)
        self._reader.start()
        return ready

    def _read(self, console: IO[bytes], pending: dict[int, Future[Result]]) -> None:
        buffer = b""
        with self._log.open("ab", buffering=0) as log:
            while data := os.read(console.fileno(), 65536):
                log.write(data)
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    self._answer(line, pending)
        with self._lock:
            lost = [future for future in pending.values() if not future.done()]
            pending.clear()
        for future in lost:
            future.set_exception(NodeDownError(f"node {self.name} went down"))

    def _answer(self, line: bytes, pending: dict[int, Future[Result]]) -> None:
        _, mark, text = line.partition(b"@@{")
        if not mark:
            return  # a message of the kernel
        try:
            message = json.loads(b"{" + text)
        except ValueError:
            return  # torn by a message of the kernel; the caller's time is up then
        with self._lock:
            future = pending.pop(message["id"], None)
        if future:
            future.set_result(Result(message["rc"], message["out"], message["err"]))

    def start(self, command: str, timeout: float = 300) -> Future[Result]:
        """Start a command; after `timeout` the node ends it with rc 124."""
        if len(command) > COMMAND_LIMIT:
            raise RigError(
                f"command of {len(command)} characters; put it into a script"
            )
        future: Future[Result] = Future()
        process = self._process
        with self._lock:
            if process is None or process.poll() is not None:
                raise NodeDownError(f"node {self.name} is not running")
            self._serial += 1
            self._pending[self._serial] = future
            request = {"id": self._serial, "cmd": command, "timeout": timeout}
            assert process.stdin
            process.stdin.write(json.dumps(request).encode() + b"\n")
        return future

    def sh(self, command: str, timeout: float = 300, check: bool = False) -> Result:
        """Run a command; with `check`, a status other than 0 raises RigError."""
        result = self.start(command, timeout).result(timeout + 20)
        if check and result.rc:
            raise RigError(
                f"{self.name}: {command}: rc {result.rc}: {result.out}{result.err}"
            )
        return result

    def kill(self) -> None:
        """Cut the power: page cache, processes and NFS client state are gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        self._reader.join()
        process.stdout.close()

    def pause(self) -> None:
        """Freeze the whole node, as a suspended virtual machine is frozen."""
        self._signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Let a frozen node go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise NodeDownError(f"node {self.name} is not running")
        # The main process only: stopping the group as well would break UML's ptrace.
        os.kill(self._process.pid, number)

    def cut(self) -> None:
        """Take the node off the network."""
        self.sh("ip link set eth0 down", check=True)

    def heal(self) -> None:
        """Put the node back on the network."""
        self.sh("ip link set eth0 up", check=True)


def _missing() -> list[str]:
    """Return which programs are not there."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [tool for tool in TOOLS if not shutil.which(tool, path=path)]


class Rig:
    """A server and its clients; a context manager.

    Parameters
    ----------
    clients : int
        How many.
    lease : int
        NFSv4 lease and grace time of the server in seconds; the usual one is 90.
    image_mb : int
        Size of the exported file system.
    memory : str
        Of each node.
    """

    def __init__(
        self,
        clients: int = 2,
        lease: int = 15,
        *,
        image_mb: int = 256,
        memory: str = "256M",
    ) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="nfsrig.")).resolve()
        self._memory, self._lease, self._image_mb = memory, lease, image_mb
        self._switch: subprocess.Popen[bytes] | None = None
        self.server = self._node(
            "srv", SERVER_IP, "role=server", f"ubd0={self.work}/export.img"
        )
        self.clients = [
            self._node(chr(ord("a") + i), f"10.88.0.{10 + i}", "role=client")
            for i in range(clients)
        ]

    @property
    def nodes(self) -> list[Node]:
        """The server and the clients."""
        return [self.server, *self.clients]

    def _node(self, name: str, ip: str, *extra: str) -> Node:
        command = [
            "linux.uml",
            f"mem={self._memory}",
            f"uml_dir={self.work}/",
            f"umid={name}",
            "root=/dev/root rootflags=/ rootfstype=hostfs rw con=null con0=fd:0,fd:1",
            f"init={KIT}/init.sh",
            f"eth0=daemon,,unix,{self.work}/switch.ctl",
            f"nodename={name}",
            f"nodeip={ip}",
            f"kit={KIT}",
            f"modules={self.work}/modules",
            f"python={sys.executable}",
            f"lease={self._lease}",
            "quiet loglevel=3",
            *extra,
        ]
        words = [word for item in command for word in item.split(" ")]
        return Node(name, words, self.work / f"{name}.log")

    def _check(self) -> None:
        if os.geteuid() != 0:
            raise RigError("the rig needs root")
        if any(character.isspace() for character in f"{self.work}{KIT}"):
            raise RigError(f"a path has a blank: {self.work}, {KIT}")
        if _missing():
            install = ["bash", str(KIT / "install.sh"), *PACKAGES.split()]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            if missing := _missing():
                raise RigError(f"missing {', '.join(missing)}: {done.stderr[-2000:]}")

    def _prepare(self) -> None:
        modules = MODULES
        if not any(modules.glob("*/modules.dep")):
            raise RigError(f"no kernel modules in {modules}; install {PACKAGES}")
        base = (
            self.work / "modules" / "lib"
        )  # modprobe -d BASE reads BASE/lib/modules/<version>
        base.mkdir(parents=True, exist_ok=True)
        if not (base / "modules").is_symlink():
            (base / "modules").symlink_to(modules)
        image = self.work / "export.img"
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(self._image_mb << 20)
        mkfs = shutil.which("mkfs.ext4") or "/usr/sbin/mkfs.ext4"
        subprocess.run([mkfs, "-q", "-F", str(image)], check=True)

    def _start_switch(self, path: Path) -> None:
        # The shell ends the switch when its stdin closes: it does not outlive us.
        script = 'uml_switch -hub -unix "$0" & read -r; kill $!'
        self._switch = subprocess.Popen(
            ["bash", "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def up(self, timeout: float = 180) -> Rig:
        """Boot all nodes at the same time and wait for them."""
        self._check()
        self._prepare()
        wire = self.work / "switch.ctl"
        wire.unlink(missing_ok=True)
        deadline = time.monotonic() + timeout
        self._start_switch(wire)
        while not wire.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        booting = [(node, node.power_on()) for node in self.nodes]
        for node, ready in booting:
            try:
                ready.result(max(0.1, deadline - time.monotonic()))
            except (TimeoutError, NodeDownError) as error:
                log = (self.work / f"{node.name}.log").read_text(errors="replace")[
                    -2000:
                ]
                self.close()
                raise RigError(f"node {node.name} did not boot:\n{log}") from error
        return self

    def mount(
        self, options: str = "vers=4.2", nodes: Sequence[Node] | None = None
    ) -> None:
        """Mount the export at `MOUNT` on the clients, or on `nodes`, anew."""
        source = f"{SERVER_IP}:/" if "vers=4" in options else f"{SERVER_IP}:{EXPORT}"
        for node in self.clients if nodes is None else nodes:
            node.sh(f"umount -l {MOUNT} 2>/dev/null; mkdir -p {MOUNT}")
            node.sh(
                f"mount -t nfs -o {options} {source} {MOUNT}", timeout=60, check=True
            )

    def close(self) -> None:
        """Stop everything and remove its files."""
        for node in reversed(self.nodes):
            node.kill()
        if self._switch:
            os.killpg(self._switch.pid, signal.SIGKILL)
            self._switch.wait()
            self._switch.stdin.close()
            self._switch = None
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self) -> Rig:
        return self.up()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
