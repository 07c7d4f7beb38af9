"""Binds sockets, passes them on as systemd does (sd_listen_fds(3)) and becomes the program: NAME=ADDRESS... -- PROGRAM..."""
import os
import socket
import sys

split = sys.argv.index('--')
names = []
for number, text in enumerate(sys.argv[1:split]):
    name, address = text.split('=', 1)
    if address.startswith('/'):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        host, port = address.rsplit(':', 1)
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        listener = socket.socket(family)
        listener.bind((host, int(port)))
    if name != 'deaf':
        listener.listen(16)
    listener.detach()
    names.append(name)
    assert os.path.exists(f'/proc/self/fd/{3 + number}')
    os.set_inheritable(3 + number, True)
os.environ['LISTEN_PID'] = str(os.getpid())
os.environ['LISTEN_FDS'] = str(len(names))
os.environ['LISTEN_FDNAMES'] = ':'.join(names)
os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
