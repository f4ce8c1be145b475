"""`parley secrets`: passwords for a server of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make passwords and the users' file for a Redis server.")
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write into.",
)
def command(out: Path) -> None:
    """Make passwords and the users' file for a Redis server.

    Writes DIR/redis/users.acl for the server, and DIR/ROLE/password for each role:
    orchestrator, host, person and reader. Passwords that are there already stay. None is
    printed. Give a process its role's name in REDIS_URL, and the file's path in
    REDIS_PASSWORD_FILE.

    \b
    Examples:
      parley secrets --out secrets
      redis-server --aclfile secrets/redis/users.acl
    """
    from parley.roles import ACL_FILE, make_secrets

    made = make_secrets(out)
    told = f"new passwords for {', '.join(made)}" if made else "the passwords are there already"
    click.echo(f"{told}; the server's users are in {out / ACL_FILE}")
