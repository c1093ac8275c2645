"""A Redis server as a store uses it: found, asked, waited for; its errors as ours."""

from __future__ import annotations

import os
import signal
import stat
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from backends.errors import BackendError, OpenError, UnavailableError
from backends.redis.plain import plain_client
from backends.redis.secrets import password_of
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backends.redis.address import Address
    from backends.redis.scripts import Script

T = TypeVar("T")

_ANSWER = 20.0
"""Seconds within which a server answers, or is taken for gone."""
_CONNECT = 5.0
_PAUSES = 0.02, 1.0
"""Seconds between two tries, at first and at last."""
_NO_SCRIPT = "No matching script"
"""What every server says that does not know a script."""
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Server:
    """The server, or the several of a cluster, at an address.

    Whatever is asked of it may be asked twice: a reply can be lost. Who opens a store
    hears at once that nobody answers; later, a server that is gone is waited for, as
    long as the address says.

    Attributes
    ----------
    longest_wait : float
        Seconds that one question may wait for news, at most.
    close : callable
        Lets go of all connections.

    Raises
    ------
    OpenError
        It cannot be used: another password, no such database, an option that is none.
    UnavailableError
        It does not answer.
    """

    def __init__(self, address: Address) -> None:
        self.url = address.url
        answer = _answer_within(address)
        self.longest_wait = answer / 4
        self._password = password_of(address)
        self.open_to_all = _open_to_all(address, self._password)
        self._patience = 0.0
        self._wrote = False
        try:
            self._client = _client(address, self._password, answer)
            self.close = finalize(self, self._client.close)
            self.close.atexit = False
            self.about = self.info("memory")
        except (TypeError, ValueError) as error:
            from backends.redis.sentences import without_calls

            why = without_calls(self._clean(error))
            raise OpenError(f"{self.url}: {why}") from None
        self._patience = address.patience

    def info(self, section: str) -> dict[str, Any]:
        """Return what it says of itself; nothing if it may not tell this user."""
        return self._run(lambda client: _told(client, "info", section))

    def setting(self, name: str) -> str:
        """Return a setting of it; empty if it may not tell this user, or has none."""
        found = self._run(lambda client: _told(client, "config_get", name))
        value = found.get(name, "")
        return value.decode() if isinstance(value, bytes) else str(value)

    def ask(self, command: str, *words: Any, **options: Any) -> Any:
        """Return what a command answers, which redis-py calls by this name."""
        return self._run(lambda client: getattr(client, command)(*words, **options))

    def script(
        self,
        script: Script,
        keys: Sequence[str],
        *arguments: Any,
        patient: bool = True,
    ) -> Any:
        """Run a script, which is sent whole if the server does not know it yet."""
        words = (len(keys), *keys, *arguments)

        def run_it(client: Any) -> Any:
            try:
                return client.evalsha(script.digest, *words)
            except Exception as error:
                if _NO_SCRIPT not in str(error):
                    raise
                return client.eval(script.text, *words)

        found = self._run(run_it, patient=patient)
        self._wrote |= script.writes
        return found

    def _run(self, command: Callable[[Any], T], *, patient: bool = True) -> T:
        """Return what a command answers, waiting for a server that is gone."""
        began, (pause, longest) = time.monotonic(), _PAUSES
        told = False
        while True:
            try:
                return command(self._client)
            except Exception as raised:
                from backends.redis.troubles import in_words_of_redis_py, may_pass

                error = in_words_of_redis_py(raised)
                if error is None:
                    raise
                left = began + self._patience - time.monotonic()
                if not (patient and left > 0 and may_pass(error, wrote=self._wrote)):
                    raise self._explained(error) from None
            if signal.sigpending() & _ENDING:
                raise UnavailableError(f"{self.url}: the server is gone")
            if pause >= longest and not told:
                told = True
                warn(
                    f"{self.url} does not answer; waiting for it, "
                    f"{self._patience:.0f} s at most"
                )
            time.sleep(min(pause, left))
            pause = min(2 * pause, longest)

    def _explained(self, error: Exception) -> BackendError:
        from backends.redis.sentences import sentence_of

        kind, sentence = sentence_of(error, self._clean(error))
        return kind(f"{self.url}: {sentence}")

    def _clean(self, error: Exception) -> str:
        """Return what an error says, without the password."""
        text = str(error) or type(error).__name__
        return text.replace(self._password, "...") if self._password else text


def _open_to_all(address: Address, password: str) -> bool:
    """Return whether every user of the machine gets in."""
    if password or address.user:
        return False
    if address.kind != "unix":
        return True
    try:
        return bool(os.stat(address.path).st_mode & stat.S_IWOTH)  # noqa: PTH116 - one number
    except OSError:
        return False


def _told(client: Any, command: str, what: str) -> dict[str, Any]:
    """Return what a server, or one of several, says of itself.

    Nothing if it may not tell this user, as with some that are rented.
    """
    if hasattr(client, "get_primaries"):
        client = client.get_redis_connection(client.get_primaries()[0])
    try:
        found: dict[Any, Any] = getattr(client, command)(what)
    except Exception as raised:
        from backends.redis.troubles import in_words_of_redis_py, is_untold

        error = in_words_of_redis_py(raised)
        if error is None or not is_untold(error):
            raise
        return {}
    return {k.decode() if isinstance(k, bytes) else k: v for k, v in found.items()}


def _client(address: Address, password: str, answer: float) -> Any:
    """Return a client; it connects when it is asked something."""
    found = plain_client(address, password, answer, _CONNECT)
    if found is not None:
        return found
    from backends.redis.library import client_of

    return client_of(address, password, answer, _CONNECT)


def _answer_within(address: Address) -> float:
    """Return for how many seconds an answer is waited for."""
    try:
        return float(address.options.get("socket_timeout", _ANSWER)) or _ANSWER
    except ValueError:
        return _ANSWER  # what it is instead, redis-py will say
