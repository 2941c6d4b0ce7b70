#!/usr/bin/env python3
"""Asks rust-analyzer what an editor would ask it about code in `chain!` and `#[async_work]`: hover,
go-to-definition, signature help and completion on the user's own names, in whole and in half-written
code.

    scripts/editor-check.py [path/to/rust-analyzer]

Not a part of `.ci/run`. rust-analyzer may be the one of your editor, or built with
`cargo install ra_ap_rust-analyzer --locked`; it finds the sources of the standard library where
`rustup component add rust-src` puts them, and does without them otherwise.

A probe is a comment `//^ kind: expected` below a line: the `^` stands below what is asked about, and
what is answered has to contain the expected text.
"""

import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "scripts" / "editor"


class Server:
    """rust-analyzer, spoken to by the language server protocol."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.answers, self.last = {}, 0
        self.arrived = threading.Condition()
        self.quiet = False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        out = self.process.stdout
        while True:
            length = 0
            while (line := out.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not length:
                return
            message = json.loads(out.read(length))
            with self.arrived:
                if "method" in message and "id" in message:
                    # What the server asks of the editor: it gets nothing.
                    answer = [None] * len(message.get("params", {}).get("items", []))
                    self.send({"id": message["id"], "result": answer or None})
                elif message.get("method") == "experimental/serverStatus":
                    self.quiet = message["params"]["quiescent"]
                elif "id" in message:
                    self.answers[message["id"]] = message
                self.arrived.notify_all()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        with self.arrived:
            self.last += 1
            mine = self.last
            self.send({"id": mine, "method": method, "params": params})
            if not self.arrived.wait_for(lambda: mine in self.answers, timeout=120):
                raise TimeoutError(method)
            answer = self.answers.pop(mine)
        if "error" in answer:
            return f"error: {answer['error']['message']}"
        return answer.get("result")

    def settle(self):
        with self.arrived:
            if not self.arrived.wait_for(lambda: self.quiet, timeout=600):
                raise TimeoutError("rust-analyzer never came to rest")

    def stop(self):
        self.ask("shutdown", None)
        self.notify("exit", None)
        self.process.wait(timeout=30)


def probes(text):
    """Each `//^ kind: expected`, with the place that it asks about."""
    lines = text.splitlines()
    asked = 0
    for number, line in enumerate(lines):
        match = re.match(r"^(\s*//\s*)\^ (\w+): (.*)$", line)
        if match:
            yield {"line": asked, "character": len(match[1])}, match[2], match[3]
        else:
            asked = number


def line_of(link):
    """The line that a definition stands on."""
    text = pathlib.Path(link.get("targetUri", link.get("uri")).removeprefix("file://")).read_text()
    return text.splitlines()[link.get("targetSelectionRange", link.get("range"))["start"]["line"]].strip()


def answer(server, kind, uri, place):
    where = {"textDocument": {"uri": uri}, "position": place}
    if kind == "hover":
        found = server.ask("textDocument/hover", where)
        return json.dumps(found["contents"]) if isinstance(found, dict) else str(found)
    if kind == "definition":
        found = server.ask("textDocument/definition", where)
        if not isinstance(found, list) or not found:
            return str(found)
        return f"{len(found)} x " + " + ".join(map(line_of, found))
    if kind == "signature":
        found = server.ask("textDocument/signatureHelp", where)
        return json.dumps(found["signatures"]) if isinstance(found, dict) else str(found)
    if kind == "completion":
        found = server.ask("textDocument/completion", where)
        items = found["items"] if isinstance(found, dict) else found or []
        return " ".join(item["label"] for item in items)
    return f"no such probe: {kind}"


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else shutil.which("rust-analyzer")
    if not program:
        sys.exit("rust-analyzer is not on the path; give it as an argument")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="editor-check-"))
    (folder / "src").mkdir()
    files = sorted(FIXTURES.glob("*.rs"))
    modules = "".join(f"mod {file.stem};\n" for file in files)
    (folder / "src" / "main.rs").write_text(modules + "fn main() {}\n")
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "editor-check"\nversion = "0.0.0"\nedition = "2024"\n'
        f'[dependencies]\nasynckit = {{ path = "{ROOT / "asynckit"}" }}\n[workspace]\n'
    )
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    options = {
        "checkOnSave": False,
        "cargo": {"targetDir": f"{target}/editor-check", "buildScripts": {"enable": True}},
        "procMacro": {"enable": True},
    }
    server = Server(program, folder)
    capabilities = {
        "textDocument": {"hover": {"contentFormat": ["markdown"]}, "definition": {"linkSupport": True}},
        "experimental": {"serverStatusNotification": True},
    }
    server.ask(
        "initialize",
        {
            "processId": os.getpid(),
            "rootUri": folder.as_uri(),
            "capabilities": capabilities,
            "initializationOptions": options,
        },
    )
    server.notify("initialized", {})
    failed = count = 0
    for file in files:
        text = file.read_text()
        path = folder / "src" / file.name
        path.write_text(text)
        document = {"uri": path.as_uri(), "languageId": "rust", "version": 1, "text": text}
        server.notify("textDocument/didOpen", {"textDocument": document})
    time.sleep(1)
    server.settle()
    for file in files:
        uri = (folder / "src" / file.name).as_uri()
        for place, kind, expected in probes(file.read_text()):
            count += 1
            said = answer(server, kind, uri, place)
            wanted = [part.strip() for part in expected.split(" & ")]
            if not all(part in said for part in wanted):
                failed += 1
                print(f"{file.name}:{place['line'] + 1}:{place['character'] + 1}: {kind}: expected {expected}, got: {said[:600]}")
    server.stop()
    shutil.rmtree(folder)
    print(f"{count - failed} of {count} probes answered as expected")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
