"""Start processes of Parley as containers beside a stack that is up, and stop exactly those.

A container is made as the stack's own bot hosts are: same image, network, user and
password file. Nothing in it is the stack's by label, so `docker-compose` leaves it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.launch import ProcessDied
from utils.clock import SYSTEM_CLOCK, Clock, fresh_id, wait_until
from utils.errors import BadInput, Missing

LABEL = "parley.launcher"
"""On every container that is started here; its value is the launcher's own."""

GRACE_MS = 20_000
"""How long a container may take to let go after SIGTERM, before SIGKILL."""

SERVICE = "com.docker.compose.service"
PROJECT = "com.docker.compose.project"
LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one container may use.

    Attributes:
        memory: As Docker writes it, `256m` say; swap is not added to it.
        cpus: Processors, > 0; 0.5 is half of one.
        pids: Processes and threads together.
    """

    memory: str = "256m"
    cpus: float = 1.0
    pids: int = 128


@dataclass(frozen=True, slots=True)
class Pattern:
    """How the stack's own hosts are made, as far as another one is to be like them."""

    image: str
    network: str
    user: str
    environment: tuple[str, ...]
    mounts: tuple[tuple[str, str, str, bool], ...]
    extra_hosts: tuple[str, ...]


@dataclass(slots=True)
class Contained:
    """One container that was started here."""

    name: str
    container: Any

    def has_ended(self) -> bool:
        """Ask the engine whether its process has ended; one that is gone has."""
        docker = _docker()
        try:
            self.container.reload()
        except docker.errors.NotFound:
            return True
        return str(self.container.status) in ("exited", "dead")

    def exit_code(self) -> int:
        """Read how its process ended."""
        return int(self.container.attrs["State"]["ExitCode"])

    def last_lines(self) -> list[str]:
        """Read the last lines it wrote; none when it is gone."""
        docker = _docker()
        with suppress(docker.errors.NotFound):
            text = self.container.logs(tail=LAST_LINES).decode("utf-8", "replace")
            return list(text.strip().splitlines())
        return []


class DockerLauncher:
    """Starts `parley` processes as containers and stops them. The other form of `Launcher`.

    Args:
        pattern: What each is like; see `find_stack`.
        limits: What each may use.
        engine: A client of the docker SDK.
    """

    def __init__(
        self, engine: Any, pattern: Pattern, *, limits: Limits, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._engine, self._pattern, self._limits, self._clock = engine, pattern, limits, clock
        self.id = fresh_id(8)
        self.running: list[Contained] = []

    def start(self, name: str, arguments: Sequence[str]) -> Contained:
        """Start `parley` with these arguments in a container of this name and our id."""
        docker, like, limits = _docker(), self._pattern, self._limits
        with _translated():
            container = self._engine.containers.create(
                like.image,
                list(arguments),
                name=f"parley-{self.id}-{name}",
                labels={LABEL: self.id},
                network=like.network,
                environment=list(like.environment),
                mounts=[
                    docker.types.Mount(target, source, type=kind, read_only=not writable)
                    for kind, source, target, writable in like.mounts
                ],
                extra_hosts=dict(entry.split(":", 1) for entry in like.extra_hosts),
                user=like.user,
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                nano_cpus=round(limits.cpus * 1e9),
                pids_limit=limits.pids,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                read_only=True,
                tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - inside the container
                init=True,
            )
            launched = Contained(name, container)
            self.running.append(launched)
            container.start()
        return launched

    def check(self, *, finished_is_fine: bool = False) -> None:
        """Raise `ProcessDied` if one of the containers ended, with its last words."""
        with _translated():
            for one in self.running:
                if not one.has_ended():
                    continue
                lines = one.last_lines()
                if not lines or not finished_is_fine or one.exit_code() != 0:
                    words = lines[-1][-300:] if lines else "it said nothing"
                    raise ProcessDied(f"{one.name} ended with exit code {one.exit_code()}: {words}")

    def stop(self) -> None:
        """Stop what was started: SIGTERM to all, SIGKILL after a grace; and remove it."""
        docker = _docker()
        gone = (docker.errors.NotFound, docker.errors.APIError)
        with _translated():
            for one in self.running:
                with suppress(*gone):  # it ended by itself, or somebody removed it
                    one.container.kill("SIGTERM")
            wait_until(
                lambda: all(one.has_ended() for one in self.running),
                within_ms=GRACE_MS,
                every_ms=100,
                clock=self._clock,
            )
            for one in self.running:
                with suppress(docker.errors.NotFound):
                    one.container.remove(force=True)
        self.running.clear()


def connect() -> Any:
    """Open a client of this machine's Docker engine. Raises `Missing`."""
    docker = _docker()
    try:
        engine = docker.from_env(timeout=30)
        engine.ping()
    except docker.errors.DockerException as error:
        raise Missing(
            f"no Docker engine answers here: {error}",
            mend="start it, or leave --docker out to serve bots in this process",
        ) from error
    return engine


def find_stack(engine: Any, project: str | None = None) -> Pattern:
    """Find the stack that is up here, and how its bot hosts are made.

    Args:
        engine: A client of the docker SDK.
        project: The stack's project name; none when there is only one.

    Raises:
        Missing: No stack is up.
        BadInput: There are several, and none was named.
    """
    wanted = [f"{SERVICE}=bots", *([f"{PROJECT}={project}"] if project else [])]
    with _translated():
        found = {
            container.labels[PROJECT]: container
            for container in engine.containers.list(filters={"label": wanted})
        }
    if not found:
        which = f"no stack '{project}'" if project else "no stack"
        raise Missing(f"{which} is up here", where="--docker", mend="try: docker-compose up -d")
    if len(found) > 1:
        named = ", ".join(sorted(found))
        raise BadInput(f"several stacks are up: {named}", where="--docker", mend="add --stack NAME")
    (container,) = found.values()
    return _pattern(container.attrs)


def _pattern(attrs: dict[str, Any]) -> Pattern:
    """Read from what the engine says of a container how to make another."""
    config, host = attrs["Config"], attrs["HostConfig"]
    mounts = [mount for mount in attrs["Mounts"] if mount["Type"] in ("volume", "bind")]
    return Pattern(
        image=config["Image"],
        network=host["NetworkMode"],
        user=config["User"],
        environment=tuple(config["Env"]),
        mounts=tuple(
            (
                mount["Type"],
                mount["Name"] if mount["Type"] == "volume" else mount["Source"],
                mount["Destination"],
                bool(mount["RW"]),
            )
            for mount in mounts
        ),
        extra_hosts=tuple(host.get("ExtraHosts") or ()),
    )


def _docker() -> Any:
    """Import the docker SDK, which takes 0.2 s: nobody else needs it."""
    import docker  # noqa: PLC0415

    return docker


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the engine refuses into one line."""
    docker = _docker()
    try:
        yield
    except docker.errors.DockerException as error:
        said = getattr(error, "explanation", None) or str(error)
        raise Missing(f"the Docker engine refuses: {said}", where="--docker") from error
