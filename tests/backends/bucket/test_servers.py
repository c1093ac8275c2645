"""The servers of these tests keep the word that services give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PUTS_AT_ONCE = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
import moto_server
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import S3Backend

look = S3Backend.get_object

def look_slowly(*words, **named):
    found = look(*words, **named)
    time.sleep(0.2)  # others come meanwhile
    return found

S3Backend.get_object = look_slowly
app = create_backend_app("s3")
signed = "AWS4 Credential=a/1/us-east-1/s3/x, "
headers = {"If-None-Match": "*", "Authorization": signed}
app.test_client().put("/bucket")
statuses = []

def put(number):
    answer = app.test_client().put("/bucket/name", headers=headers, data=b"%d" % number)
    statuses.append(answer.status_code)

threads = [threading.Thread(target=put, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*sorted(statuses))
"""


def test_of_puts_that_come_at_once_one_is_the_first():
    command = [sys.executable, "-c", PUTS_AT_ONCE, str(Path(__file__).parent)]
    assert subprocess.check_output(command, text=True).split() == ["200", "412", "412"]
