"""Runs the clients of the guides as they are pasted, through a proxy that loses answers. Run by tests/clients/run.

Of each client the first answer to a change is lost after the hub has made it, and once the token is said to have expired. A client
that repeats its change under a new key would make it twice, and be told that somebody else was first once more than it is."""

import http.client
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path

HERE = Path(__file__).parent
HUB = urllib.parse.urlsplit(os.environ["HUB_URL"])

TOLD = [
    "the school: name: Adnan; street: withheld by default-deny (OSL 26 kap. 1 §; 21 kap. 3 §); ask the responsible social services board",
    "the board: name: Adnan; street: Provhamnen 7",
    "somebody wrote meanwhile: Vill spela fotboll.; look whether your change still holds",
    "written: Vill spela fotboll och gå i simskola.",
    "the school may not write it: FORBIDDEN: er roll får inte göra detta med fältet i den här situationen (utelämna fältet, "
    "föreslå det med `suggestCorrection` eller fråga dess ägare; `fieldRules` visar reglerna)",
]
EXPIRED = {"errors": [{"message": "the access token has expired", "extensions": {
    "code": "TOKEN_EXPIRED", "sv": "åtkomstbiljetten har gått ut", "remedy": "…", "remedySv": "…"}}]}


class Lossy(http.server.BaseHTTPRequestHandler):
    """Hands requests on to the hub, and loses what `faults` says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        faults, body = self.server.faults, self.body()
        asked, key = self.path == "/graphql", self.headers.get("Idempotency-Key")
        if asked and not faults["expired"]:
            faults["expired"] += 1
            return self.answer(401, {"Content-Type": "application/json"}, json.dumps(EXPIRED).encode())
        status, headers, answer = self.hand_on(body)
        if key:
            faults["keys"].append(key)
        if key and not faults["lost"]:
            faults["lost"] += 1
            return self.answer(503, {"Retry-After": "1"}, b"{}")
        self.answer(status, headers, answer)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def hand_on(self, body):
        hub = http.client.HTTPConnection(HUB.hostname, HUB.port, timeout=30)
        kept = ("authorization", "content-type", "idempotency-key", "accept")
        names = [name for name in self.headers if name.lower() in kept or name.lower().startswith("samverka-")]
        hub.request("POST", self.path, body, {name: self.headers[name] for name in names})
        answer = hub.getresponse()
        return answer.status, {"Content-Type": answer.headers["Content-Type"]}, answer.read()

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def reset():
    hub = http.client.HTTPConnection(HUB.hostname, HUB.port, timeout=60)
    hub.request("POST", "/sandbox/reset", "{}", {"Content-Type": "application/json"})
    assert hub.getresponse().status == 204, "the sandbox was not put back"


def run(language, command, folder):
    reset()
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lossy)
    proxy.faults = {"expired": 0, "lost": 0, "keys": []}
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    environment = {**os.environ, "SAMVERKA_URL": f"http://127.0.0.1:{proxy.server_port}", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=500)
    proxy.shutdown()
    if done.returncode:
        sys.exit(f"{language} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    told = [line.replace('"', "").replace("'", "") for line in done.stdout.splitlines()]
    if told != TOLD:
        sys.exit(f"{language} told:\n{done.stdout}{done.stderr}\nand not:\n" + "\n".join(TOLD))
    keys = proxy.faults["keys"]
    # The first change was sent twice under one key; the change that came too late was sent under two; the school sent one.
    if keys[0] != keys[1] or len(set(keys)) != 4 or len(keys) != 5:
        sys.exit(f"{language} sent its changes under these keys: {keys}")
    print(f"ok: {language}")


def commands():
    target = str(HERE.parent.parent.parent / "target" / "clients")
    yield "python", [sys.executable, "client.py"], HERE / "python"
    yield "javascript", ["node", "client.mjs"], HERE / "javascript"
    yield "rust", ["cargo", "run", "--quiet", "--locked", "--target-dir", target], HERE / "rust"
    # -D: what is printed is UTF-8, wherever it runs.
    yield "java", ["java", "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8", "Client.java"], HERE / "java"
    yield "csharp", ["dotnet", "run", "--project", "."], HERE / "csharp"


def main():
    for language, command, folder in commands():
        if not shutil.which(command[0]):
            print(f"SKIPPED: {command[0]} is not installed, and {language} not tried")
            continue
        if language == "csharp":
            with tempfile.TemporaryDirectory() as project:
                subprocess.run(["dotnet", "new", "console", "--output", project], check=True, capture_output=True)
                shutil.copy(folder / "Program.cs", project)
                run(language, command, project)
            continue
        run(language, command, folder)


if __name__ == "__main__":
    main()
