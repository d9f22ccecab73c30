"""Runs a command for each connection, its standard input and output the connection: what a socket unit of systemd does.

    python3 spawner.py SOCKET COMMAND [ARGUMENT ...]
"""

import os
import signal
import socket
import subprocess
import sys

if __name__ == "__main__":
    path, *command = sys.argv[1:]
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)  # in the bed all users are the cluster's own
    listener.listen(4)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _address = listener.accept()
        with connection:
            subprocess.Popen(command, stdin=connection, stdout=connection)
