"""A secured listener in front of a broker that has none, for tests: TLS, client certificates, and logins by PLAIN or SCRAM.

    secured.py BROKER [--certificate FILE --key FILE [--clients-of CA]] [--login MECHANISM USER PASSWORD]

It prints its port and serves until it is killed. A client talks to it alone: where the broker's answers say the
broker's address, it puts its own.
"""

import argparse
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct

from frames import frame, put, readable, serve, with_address

SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 17, 18, 36
UNSUPPORTED_VERSION, UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 35, 33, 58


def plain(user, password):
    """One message: NUL, user, NUL, password."""
    message = yield b""
    return b"", message.split(b"\0")[1:] == [user.encode(), password.encode()]


def scram(name, user, password):
    """RFC 5802, without channel binding."""
    def mac(key, text):
        return hmac.digest(key, text, name)

    first = (yield b"").removeprefix(b"n,,")
    theirs = dict(part.split(b"=", 1) for part in first.split(b","))
    salt, nonce = os.urandom(16), theirs[b"r"] + base64.b64encode(os.urandom(18))
    challenge = b"r=%s,s=%s,i=4096" % (nonce, base64.b64encode(salt))
    final = yield challenge
    unproven, proof = final.rsplit(b",p=", 1)
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, 4096)
    client_key, text = mac(salted, b"Client Key"), b",".join([first, challenge, unproven])
    signature = mac(hashlib.new(name, client_key).digest(), text)
    wanted = bytes(a ^ b for a, b in zip(client_key, signature))
    verifier = b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), text))
    good = theirs[b"n"] == user.encode() and hmac.compare_digest(base64.b64decode(proof), wanted)
    # librdkafka 2.0.2 puts the client's half in front once more.
    return verifier, good and unproven in (b"c=biws,r=" + nonce, b"c=biws,r=" + theirs[b"r"] + nonce)


# Each takes the client's messages one by one, gives the server's, and returns the last and whether the client is let in.
MECHANISMS = {
    "PLAIN": plain,
    "SCRAM-SHA-256": lambda *login: scram("sha256", *login),
    "SCRAM-SHA-512": lambda *login: scram("sha512", *login),
}


def let_in(client, broker, mechanism, user, password):
    """Speaks until the client has logged in. Returns whether it has."""
    dialogue = None
    while True:
        request = frame(client)
        key, version, correlation, name_length = struct.unpack(">hhih", request[:10])
        body, is_in = request[10 + max(0, name_length):], None
        if key == API_VERSIONS and version > 0:
            answer = struct.pack(">hi", UNSUPPORTED_VERSION, 0)
        elif key == API_VERSIONS:
            put(broker, request)
            answer = with_login(frame(broker))
        elif key == SASL_HANDSHAKE:
            error = 0 if body[2:] == mechanism.encode() else UNSUPPORTED_MECHANISM
            answer = struct.pack(">hih", error, 1, len(mechanism)) + mechanism.encode()
            dialogue = MECHANISMS[mechanism](user, password)
            next(dialogue)
        elif key == SASL_AUTHENTICATE and dialogue:
            try:
                message = dialogue.send(body[4:])
            except StopIteration as last:
                message, is_in = last.value
            reason = b"Authentication failed"
            answer = (
                struct.pack(">hh", AUTHENTICATION_FAILED, len(reason)) + reason + struct.pack(">i", 0)
                if is_in is False else struct.pack(">hhi", 0, -1, len(message)) + message)
        else:
            return False
        put(client, struct.pack(">i", correlation) + answer)
        if is_in is not None:
            return is_in


def with_login(versions):
    """The broker's ApiVersions, with the two requests of a login."""
    error, count = struct.unpack(">hi", versions[4:10])
    apis = [struct.unpack(">hhh", versions[at:at + 6]) for at in range(10, 10 + 6 * count, 6)]
    apis = [api for api in apis if api[0] not in (SASL_HANDSHAKE, SASL_AUTHENTICATE)]
    apis += [(SASL_HANDSHAKE, 0, 1), (SASL_AUTHENTICATE, 0, 0)]
    return struct.pack(">hi", error, len(apis)) + b"".join(struct.pack(">hhh", *api) for api in apis)


def pass_on(client, given, tls, own_port):
    """A thread for both ways: TLS may not be used by two at once."""
    host, port = given.broker.split(":")
    if tls:
        client = tls.wrap_socket(client, server_side=True)
    with client, socket.create_connection((host, int(port))) as broker:
        if given.login and not let_in(client, broker, *given.login):
            return
        while True:
            ready = readable(client, broker)
            if client in ready:
                put(broker, frame(client))
            if broker in ready:
                put(client, with_address(frame(broker), given.broker, own_port))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--clients-of")
    parser.add_argument("--login", nargs=3)
    given, tls = parser.parse_args(), None
    if given.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=given.clients_of)
        tls.load_cert_chain(given.certificate, given.key)
        tls.verify_mode = ssl.CERT_REQUIRED if given.clients_of else ssl.CERT_NONE
    serve(lambda client, own_port: pass_on(client, given, tls, own_port))


main()
